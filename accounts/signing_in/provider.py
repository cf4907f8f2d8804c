"""What the provider of single sign-on says about itself: its addresses, and what it can do.

It is asked when somebody signs in, never at the start, and its answer is kept for an hour.
"""

from typing import Any
from urllib.parse import quote

import requests
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse

from briefs.links import absolute

KEPT_SECONDS = 3600
NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


class ProviderFailed(Exception):
    """The provider does not answer, or answers something that cannot be used."""


def metadata() -> dict[str, Any]:
    """https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata"""
    issuer = settings.OIDC_ISSUER.rstrip("/")
    key = cache_key(issuer)
    found: dict[str, Any] | None = cache.get(key)
    if found is None:
        found = _ask(issuer)
        cache.set(key, found, KEPT_SECONDS)
    return found


def callback_address(request: HttpRequest) -> str:
    """Where the provider sends people back to: under PUBLIC_URL, as many a proxy names no port."""
    return absolute(reverse(settings.OIDC_AUTHENTICATION_CALLBACK_URL), request)


def cache_key(issuer: str) -> str:
    return f"oidc-{quote(issuer, safe='')}"


def _ask(issuer: str) -> dict[str, Any]:
    try:
        response = requests.get(
            f"{issuer}/.well-known/openid-configuration", timeout=settings.OIDC_TIMEOUT
        )
        response.raise_for_status()
        found = response.json()
    except (requests.RequestException, ValueError) as error:
        raise ProviderFailed(type(error).__name__) from error
    if not isinstance(found, dict) or not all(isinstance(found.get(one), str) for one in NEEDED):
        raise ProviderFailed("its description of itself is not complete")
    if found["issuer"].rstrip("/") != issuer:  # else it could speak for another provider
        raise ProviderFailed("it calls itself by another name than OIDC_ISSUER")
    return found
