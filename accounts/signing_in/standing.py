"""Whether somebody who is signed in may go on, or has to show or set up a second factor first."""

from enum import Enum, auto
from functools import cache
from typing import Any

from django.contrib.auth import BACKEND_SESSION_KEY, get_user_model
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts.models import Role, SignInPolicy, roles

SHOWN = "second_factor"  # in the session: the app whose code, or recovery code, was shown
SINGLE_SIGN_ON = "accounts.signing_in.single_sign_on.SingleSignOn"

MUST_FROM = {
    SignInPolicy.SecondFactor.LEADS.value: Role.LEAD,
    SignInPolicy.SecondFactor.EDITORS.value: Role.EDITOR,
}


class Standing(Enum):
    FREE = auto()
    MUST_SHOW = auto()  # a code
    MUST_SET_UP = auto()  # a second factor


def people() -> "QuerySet[Any]":
    """People with what is asked on every request, so that it takes no query of its own."""
    return _people().all()


@cache
def _people() -> "QuerySet[Any]":
    """Put together once. It is never asked itself, so it keeps no rows."""
    apps = TOTPDevice.objects.filter(user=OuterRef("pk"), confirmed=True)
    found: QuerySet[Any] = (
        get_user_model()
        ._default_manager.select_related("preferences")
        .annotate(
            second_factor_app=Subquery(apps.values("pk")[:1]),
            second_factor_policy=Subquery(SignInPolicy.objects.values("second_factor")[:1]),
        )
    )
    return found


def standing(request: HttpRequest) -> Standing:
    user: Any = request.user
    if not user.is_authenticated or by_single_sign_on(request):
        return Standing.FREE
    if not hasattr(user, "second_factor_app"):  # a session from before
        user = people().get(pk=user.pk)
    if user.second_factor_app:
        has_shown = request.session.get(SHOWN) == user.second_factor_app
        return Standing.FREE if has_shown else Standing.MUST_SHOW
    return Standing.MUST_SET_UP if must_have_one(user) else Standing.FREE


def by_single_sign_on(request: HttpRequest) -> bool:
    """Whether the provider signed this session in. A second factor is then its business."""
    return request.session.get(BACKEND_SESSION_KEY) == SINGLE_SIGN_ON


def must_have_one(user: Any) -> bool:
    """Whether the policy asks this person for a second factor. A superuser counts as a lead."""
    policy = user.second_factor_policy
    if policy == SignInPolicy.SecondFactor.EVERYBODY:
        return True
    if policy not in MUST_FROM:
        return False
    role = roles.role_of(user)
    return role is not None and role.rank >= MUST_FROM[policy].rank


def has_shown(request: HttpRequest, app: int) -> None:
    """Let this session go on. It gets another key, as it may do more than before."""
    request.session[SHOWN] = app
    request.session.cycle_key()
