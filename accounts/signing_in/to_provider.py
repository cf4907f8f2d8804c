"""The two addresses of single sign-on: the way to the provider, and the way back."""

import logging
import re
from typing import Any

import jwt
import requests
from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.db import IntegrityError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
)

from accounts.signing_in.linking import Deactivated
from accounts.signing_in.next_page import next_page
from accounts.signing_in.provider import ProviderFailed, callback_address, metadata

logger = logging.getLogger(__name__)

UNREACHABLE = (
    502,
    "Single sign-on does not work at the moment: the provider does not answer as it should. "
    "You can sign in with your password, if you have one here.",
)
NOT_BELIEVED = (
    400,
    "This way of signing in has expired or could not be checked. Please begin again.",
)
REFUSED = (403, "The provider did not sign you in. Ask whoever looks after your accounts there.")
DEACTIVATED = (403, "Your account here is deactivated. Ask a lead of your team.")


@method_decorator(never_cache, name="dispatch")
class Begin(OIDCAuthenticationRequestView):  # type: ignore[misc]  # the package is not typed
    """GET: on to the provider, with `next` kept in the session if it is a page of ours."""

    def __init__(self, **kwargs: Any) -> None:  # the package asks for the provider's address here
        self.OIDC_RP_CLIENT_ID = settings.OIDC_RP_CLIENT_ID

    @property
    def OIDC_OP_AUTH_ENDPOINT(self) -> str:
        return str(metadata()["authorization_endpoint"])

    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise Http404
        if request.user.is_authenticated:
            return redirect(next_page(request))
        try:
            found: HttpResponse = super().get(request)
        except ProviderFailed as error:
            return failed(request, UNREACHABLE, error)
        return found

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        """What the package does not know: our public address, and the scope of the groups."""
        more = {"redirect_uri": callback_address(request)}
        # Some providers tell the groups only if they are asked for them.
        if "groups" in metadata().get("scopes_supported", []):
            more["scope"] = f"{settings.OIDC_RP_SCOPES} groups"
        return more


@method_decorator(never_cache, name="dispatch")
class Callback(OIDCAuthenticationCallbackView):  # type: ignore[misc]  # the package is not typed
    """GET: back from the provider, with a code or an error."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise Http404
        if "error" in request.GET:  # the package would sign out whoever follows such a link
            code = re.sub(r"[^a-z_]", "", request.GET["error"])[:40]
            return failed(request, REFUSED, f"the provider answered {code}")
        try:
            found: HttpResponse = super().get(request)
        except (requests.RequestException, ProviderFailed) as error:
            return failed(request, UNREACHABLE, error)
        except (
            SuspiciousOperation,
            jwt.PyJWTError,
            IntegrityError,
            LookupError,
            ValueError,
        ) as error:
            return failed(request, NOT_BELIEVED, error)
        except Deactivated as error:
            return failed(request, DEACTIVATED, error)
        return found

    def login_failure(self) -> HttpResponse:
        return failed(self.request, NOT_BELIEVED, "no sign-in of this session was under way")


def failed(request: HttpRequest, answer: tuple[int, str], why: Exception | str) -> HttpResponse:
    """A page that says what to do. The log gets the kind of the error, never what was sent."""
    status, words = answer
    reason = why if isinstance(why, str | ProviderFailed) else type(why).__name__
    logger.warning("single sign-on failed: %s", reason)
    return render(request, "accounts/single_sign_on_failed.html", {"words": words}, status=status)
