"""Signing in: name and password, then a code from those who have a second factor."""

import math
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from accounts.signing_in import factors
from accounts.signing_in.next_page import next_page
from accounts.signing_in.standing import Standing, has_shown, standing

FEW_CODES = 3


class SignInForm(AuthenticationForm):
    """Django's words speak of a user name alone, and of capitals that no mail address has."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "This name and this password do not belong together. "
        "Capital letters matter in a password.",
    }


class SignIn(LoginView):
    authentication_form = SignInForm
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(has_single_sign_on=bool(settings.OIDC_ISSUER), **kwargs)

    def get_redirect_url(self) -> str:  # type: ignore[override]  # the stubs are of Django 6
        """Where `next` leads; not to this page itself, which Django answers with an error."""
        page = super().get_redirect_url()
        return "" if urlsplit(page).path == self.request.path else page


@sensitive_post_parameters("code")
@never_cache
@login_required
def code(request: HttpRequest) -> HttpResponse:
    """The second step. Until it is done, the middleware lets this session reach nothing else."""
    onward = next_page(request)
    if standing(request) is not Standing.MUST_SHOW:
        return redirect(onward)
    error = ""
    if request.method == "POST":
        shown = factors.show(request.user, request.POST.get("code", ""))
        if shown.device:
            has_shown(request, shown.device)
            if shown.codes_left is not None:
                tell_codes_left(request, shown.codes_left)
            return redirect(onward)
        error = refusal(shown)
    return render(request, "accounts/code.html", {"next": onward, "error": error})


def tell_codes_left(request: HttpRequest, left: int) -> None:
    words = f"That recovery code is used up. You have {left} left."
    if left <= FEW_CODES:
        words += " Make new ones on the page of your second factor."
    messages.add_message(request, messages.WARNING if left <= FEW_CODES else messages.INFO, words)


def refusal(shown: factors.Shown) -> str:
    """Why a code was not taken, in words."""
    if shown.wait_until is None:
        return "This code is wrong, or was used before. The app shows a new one every 30 seconds."
    return f"There were several wrong codes. Try again in {wait(shown.wait_until)}."


def wait(until: datetime) -> str:
    seconds = max(1, math.ceil((until - timezone.now()).total_seconds()))
    if seconds < 100:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / 60)} minutes"
