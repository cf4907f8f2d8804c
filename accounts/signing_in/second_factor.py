"""The page on which people set up, renew and remove their own second factor."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import segno
from django.contrib import messages
from django.contrib.auth import authenticate
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.signing_in import factors
from accounts.signing_in.login import refusal
from accounts.signing_in.next_page import next_page, with_next
from accounts.signing_in.standing import (
    Standing,
    by_single_sign_on,
    has_shown,
    must_have_one,
    people,
    standing,
)

PAGE = "accounts:second_factor"
View = Callable[[HttpRequest], HttpResponse]


def own(view: View) -> View:
    """A form about one's own second factor: sent by POST, never kept by a browser."""

    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        # Their second factor is the provider's. They have no password here that could be asked.
        return redirect(PAGE) if by_single_sign_on(request) else view(request)

    decorated: View = never_cache(
        require_POST(login_required(sensitive_post_parameters("code", "password")(checked)))
    )
    return decorated


@never_cache
@login_required
def page(request: HttpRequest) -> HttpResponse:
    return shown(request)


def shown(request: HttpRequest, **more: Any) -> HttpResponse:
    """The page as it stands; `more` are errors of the form that was sent."""
    user = request.user
    unfinished = factors.unfinished(user)
    must_set_up = standing(request) is Standing.MUST_SET_UP
    context: dict[str, Any] = {
        "layout": "plain.html" if must_set_up else "base.html",
        "must_set_up": must_set_up,
        "must_have_one": must_have_one(people().get(pk=user.pk)),
        "by_single_sign_on": by_single_sign_on(request),
        "app": factors.app_of(user),
        "codes_left": factors.codes_left(user),
        "next": next_page(request),
    }
    if unfinished and not context["app"]:
        picture = segno.make(unfinished.config_url, error="m")
        context["qr"] = picture.svg_data_uri(scale=4, dark="#000", light="#fff")
        context["secret"] = factors.secret_of(unfinished)
    return render(request, "accounts/second_factor.html", context | more)


@own
def begin(request: HttpRequest) -> HttpResponse:
    """Make a new secret, also in place of one that was not finished."""
    factors.begin(request.user)
    return redirect(with_next(PAGE, next_page(request)))


@own
def confirm(request: HttpRequest) -> HttpResponse:
    confirmed = factors.confirm(request.user, request.POST.get("code", ""))
    if not confirmed.device:
        return shown(request, code_error=refusal(confirmed))
    has_shown(request, confirmed.device)
    return codes_page(request, is_new=True)


@own
def renew_codes(request: HttpRequest) -> HttpResponse:
    proof = factors.show(request.user, request.POST.get("code", ""))
    if not proof.device:
        return shown(request, renew_error=refusal(proof))
    return codes_page(request, is_new=False)


def codes_page(request: HttpRequest, is_new: bool) -> HttpResponse:
    """The recovery codes, shown this once."""
    context = {
        "codes": factors.new_codes(request.user),
        "is_new": is_new,
        "next": next_page(request),
    }
    return render(request, "accounts/recovery_codes.html", context)


@own
def remove(request: HttpRequest) -> HttpResponse:
    """Ask for password and code: neither an open screen nor a stolen password is enough."""
    name = request.user.get_username()
    # Counted like any wrong password, so that nobody guesses here.
    if not authenticate(request, username=name, password=request.POST.get("password", "")):
        return shown(request, remove_error="This password is wrong.")
    proof = factors.show(request.user, request.POST.get("code", ""))
    if not proof.device:
        return shown(request, remove_error=refusal(proof))
    factors.remove(request.user, by=request.user)
    messages.success(request, "Your second factor is removed.")
    return redirect(PAGE)
