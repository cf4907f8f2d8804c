"""Sends browsers that came by plain HTTP to PUBLIC_URL, if that is an HTTPS address."""

from collections.abc import Callable
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from config.public_url import LOCAL_HOSTS

PROBES = ("/livez", "/readyz", "/metrics")  # they ask a machine, often by its IP


class RedirectMiddleware:
    """Stands after the receiver and before anything that judges proxies.

    Whoever says that they came by HTTPS is not redirected, even if the proxy that says so is not
    trusted: that would be a redirect to the same page for ever.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        is_wanted = settings.PUBLIC_URL.startswith("https://") and not settings.DEBUG
        came_by_http = not (request.is_secure() or _says_https(request))
        if is_wanted and came_by_http and request.path not in PROBES and _is_public(request):
            # Not permanent: browsers would remember an address that was mistyped once.
            return HttpResponseRedirect(settings.PUBLIC_URL + request.get_full_path())
        return self.get_response(request)


def _says_https(request: HttpRequest) -> bool:
    said: str = request.headers.get("X-Forwarded-Proto", "")
    return said.split(",")[0].strip().lower() == "https"


def _is_public(request: HttpRequest) -> bool:
    """Whether it asks for a public name of the desk; the names of this machine itself are not."""
    try:
        host = request.get_host()
    except DisallowedHost:
        return False  # answered with 400 further on
    return f"{urlsplit(f'//{host}').hostname}" not in (*LOCAL_HOSTS, "::1")
