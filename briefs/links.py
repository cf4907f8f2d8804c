"""Links and names that pages and messages share."""

from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.apps import apps
from django.conf import settings
from django.contrib.admin import site
from django.http import HttpRequest
from django.urls import NoReverseMatch, resolve, reverse

from personas.models import Customer

_LOCAL = ("localhost", "127.0.0.1", "[::1]")


def absolute(path: str, request: HttpRequest | None = None) -> str:
    """The address of a page under PUBLIC_URL; without that, as this request's client called us.

    Without a request it is guessed from ALLOWED_HOSTS, and only the path if these name no host.
    """
    if settings.PUBLIC_URL:
        return f"{settings.PUBLIC_URL}{path}"
    if request is not None:
        return request.build_absolute_uri(path)
    hosts = settings.ALLOWED_HOSTS
    for host in hosts:
        if host not in _LOCAL and not host.startswith((".", "*")):
            return f"https://{host}{path}"
    if any(host.startswith((".", "*")) for host in hosts):
        return path
    return f"http://localhost:{settings.PORT}{path}"


@cache
def numbered(name: str) -> str:
    """The addresses of a page for each of its rows, with {} in the place of the row's number.

    A list has a hundred of them, and Django looks for every one among all patterns.
    """
    return reverse(name, args=[0]).replace("/0/", "/{}/")


def admin_url(name: str, *args: Any) -> str:
    """The address of an admin page; empty if there is no such page."""
    try:
        return reverse(f"admin:{name}", args=args)
    except NoReverseMatch:
        return ""


def admin_url_for(user: Any, name: str, *args: Any) -> str:
    """The address of an admin page; empty for a user who may not open it."""
    url = admin_url(name, *args)
    return url if url and _may_open(user, name) else ""


def may_follow(user: Any, url: str) -> bool:
    """Whether this user may open the page, if it is one of the admin."""
    namespace, name = _page_at(urlsplit(url).path)
    return namespace != "admin" or _may_open(user, name)


@lru_cache(maxsize=1_000)
def _page_at(path: str) -> tuple[str, str]:
    """Its namespace and name. Django looks for it among all patterns, for every notice."""
    match = resolve(path)
    return match.namespace, str(match.url_name)


def _may_open(user: Any, name: str) -> bool:
    """Whether the admin shows this page, such as `briefs_signal_change`, to this user."""
    request = HttpRequest()  # the admin asks a request, and looks at nothing of it but the user
    request.user = user
    if not site.has_permission(request):
        return False
    app_label, model, _ = name.split("_", 2)
    page = site.get_model_admin(apps.get_model(app_label, model))
    return page.has_view_permission(request)


def user_name(user: Any) -> str:
    """The full name of a user, or else the user name."""
    return str(user.get_full_name() or user.get_username())


# Below the part of a workspace. Seen in its address bar; Customer.io documents none of them.
_MESSAGE_PAGES = {
    "campaign": "campaigns/{}/overview",
    "broadcast": "broadcasts/broadcast/{}/overview",
    "newsletter": "broadcasts/newsletter/{}/overview/reports",
    "transactional": "transactional/{}/overview",
}


def message_url(message: str) -> str:
    """The page in Customer.io of a message, given as `campaign:7/12`: beside that of people.

    Empty if CIO_PERSON_URL is not set, or is no page below “people”.
    """
    workspace, is_found, _ = settings.CIO_PERSON_URL.partition("/people/")
    family, _, ids = message.partition(":")
    page = _MESSAGE_PAGES.get(family)
    if not is_found or page is None:
        return ""
    return f"{workspace}/{page.format(quote(ids.partition('/')[0], safe=''))}"


def company_url(name: str) -> str:
    """The page of a company; empty without a name."""
    return f"{reverse('briefs:company')}?{urlencode({'name': name})}" if name else ""


def person_url(customer: Customer) -> str:
    """The person's page in Customer.io; empty if CIO_PERSON_URL is not set or an id is missing."""
    url: str = settings.CIO_PERSON_URL
    for key, value in (
        ("{cio_id}", customer.cio_id),
        ("{id}", customer.external_id),
        ("{email}", customer.email),
    ):
        if key in url:
            if not value:
                return ""
            url = url.replace(key, quote(value, safe=""))
    return url
