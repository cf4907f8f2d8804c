"""Where somebody wanted to go before they were asked to sign in: only to pages of ours."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme


def with_next(name: str, page: str) -> str:
    """The address of this name, which leads on to the page."""
    address = reverse(name)
    return f"{address}?{urlencode({'next': page})}" if page else address


def next_page(request: HttpRequest) -> str:
    """The page that the request leads on to, or the inbox if it is none of ours."""
    page = request.POST.get("next") or request.GET.get("next") or ""
    # A word without a slash would be taken for the name of a page, and most are no name.
    is_ours = page.startswith("/") and url_has_allowed_host_and_scheme(
        page, {request.get_host()}, require_https=request.is_secure()
    )
    return page if is_ours else resolve_url(settings.LOGIN_REDIRECT_URL)
