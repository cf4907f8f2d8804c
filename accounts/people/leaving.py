"""Somebody leaves the team, or may no longer work on briefs.

An account is not deleted but deactivated, so that the name stays on what the person did.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import ForeignObjectRel

from accounts.models import ApiToken
from accounts.people import diary
from briefs.triage import releasing

# Rows that are part of the account itself. All other rows that refer to a user are what they did.
OF_THE_ACCOUNT = {"auth", "authtoken", "accounts", "knox", "otp_totp", "otp_static"}


@dataclass(frozen=True, slots=True)
class Left:
    """What a deactivation ended."""

    briefs: int
    tokens: int

    def __str__(self) -> str:
        briefs = "1 brief is" if self.briefs == 1 else f"{self.briefs} briefs are"
        tokens = "1 API token is" if self.tokens == 1 else f"{self.tokens} API tokens are"
        return f"{briefs} unassigned again, {tokens} ended."


@transaction.atomic
def deactivate(user: User, by: Any) -> Left:
    """Nothing of this account works any more; what was in its hands goes back to the team.

    The role stays on the account, so that reactivating restores it. Tokens and sessions do not
    come back. May be repeated.
    """
    User.objects.filter(pk=user.pk).update(is_active=False)
    user.is_active = False
    tokens, _ = ApiToken.objects.filter(user=user).delete()
    end_sessions(user)
    left = Left(releasing.release_all(user, releasing.LEFT, by), tokens)
    diary.note(user, by, f"Deactivated. {left}")
    return left


@transaction.atomic
def reactivate(user: User, by: Any) -> None:
    if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
        # The command line may have ended the account without ending these.
        ApiToken.objects.filter(user=user).delete()
        end_sessions(user)
    user.is_active = True
    diary.note(user, by, "Reactivated.")


def end_sessions(user: User) -> None:
    """Sign the user out everywhere. A session names its user only inside its signed data."""
    for session in Session.objects.iterator():
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()


def release_if_barred(user: User, by: Any) -> int:
    """Somebody whose new role does not work on briefs cannot close theirs: release them."""
    afresh = User.objects.get(pk=user.pk)  # without cached permissions
    if not afresh.is_active or afresh.has_perm("briefs.work_brief"):
        return 0
    return releasing.release_all(user, releasing.MAY_NOT, by)


def has_acted(user: User) -> bool:
    """Whether any row says that this person did something, or has something in hand."""
    return any(
        model._base_manager.filter(**{relation.field.name: user}).exists()
        for relation in User._meta.get_fields(include_hidden=True)
        if isinstance(relation, ForeignObjectRel)
        and isinstance(model := relation.related_model, type)
        and model._meta.app_label not in OF_THE_ACCOUNT
    )
