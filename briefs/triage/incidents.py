"""What people do about an incident: own it, note what was done, close it, reopen it.

No brief is changed by that: its briefs are worked on one by one, or in bulk.
"""

import enum
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from briefs.links import user_name
from briefs.models import Cause, CauseEntry
from briefs.notifying import personal
from briefs.triage import freshness
from briefs.triage.freshness import News, Stale
from briefs.triage.releasing import MAY_NOT

PERMISSION = "briefs.work_brief"
LONGEST = 5_000  # characters of a note


class Closing(enum.Enum):
    """What came of it."""

    CLOSED = "closed"
    ALREADY = "already"  # with the same note: a second click on one button
    TOO_LATE = "too_late"  # it was closed before; what was entered is in the log


def seen(cause: Cause) -> int:
    """What a form is based on: the key of the last entry in the log, 0 without one."""
    last = cause.entries.order_by("-pk").values_list("pk", flat=True).first()
    return last or 0


@transaction.atomic
def give(cause: Cause, actor: Any, based_on: int | None, to: Any) -> bool:
    """Let somebody own it who may work on briefs, or nobody; False if it is so already.

    Raises Stale and PermissionDenied, as all acts do, and ValidationError if it is closed.
    """
    actor, owner = (*freshness.locked_people(*filter(None, (actor, to))), None)[:2]
    cause = _locked(cause, actor)
    _refuse_stale(cause, actor, based_on)
    if not cause.is_open:
        raise ValidationError("This incident is closed. Reopen it first.")
    if cause.assignee_id == (owner.pk if owner else None):
        return False
    if owner is None:
        return cause.give(None, f"gave it back: it was {user_name(cause.assignee)}’s", actor)
    if not owner.has_perm(PERMISSION):
        raise ValidationError({"to": "This person does not work on briefs."})
    words = "took it" if owner == actor else f"assigned it to {user_name(owner)}"
    changed = cause.give(owner, words, actor)
    personal.tell_of_incident(cause, owner, actor, seen(cause))
    return changed


@transaction.atomic
def note(cause: Cause, actor: Any, based_on: int | None, text: str) -> CauseEntry:
    """Write down what was found or done, also after the closing."""
    cause = _locked(cause, actor)
    words = f"noted: {_checked(text)}"
    if based_on is not None:
        own = cause.entries.filter(actor=actor, text=words, pk__gt=based_on)
        if second_click := own.first():
            return second_click
    _refuse_stale(cause, actor, based_on)
    return cause.log(words, actor)


@transaction.atomic
def close(cause: Cause, actor: Any, based_on: int | None, text: str) -> Closing:
    """End it with what was done. Its briefs stay as they are."""
    cause, text = _locked(cause, actor), _checked(text)
    if not cause.is_open:
        if cause.closing_note == text:
            return Closing.ALREADY
        words = f"meant to close it as well: {text}"
        if not cause.entries.filter(actor=actor, text=words).exists():  # no second click
            cause.log(words, actor)
        return Closing.TOO_LATE
    _refuse_stale(cause, actor, based_on)
    cause.close(text, actor)
    return Closing.CLOSED


@transaction.atomic
def reopen(cause: Cause, actor: Any, based_on: int | None) -> bool:
    """Open it again, as its owner's if they still work on briefs; False if it is open already."""
    owner = freshness.locked_people(cause.assignee)[0] if cause.assignee else None
    cause = _locked(cause, actor)
    _refuse_stale(cause, actor, based_on)
    try:
        changed = cause.reopen(actor)
    except IntegrityError:
        raise ValidationError(
            "It cannot be reopened: the same message has caused further briefs since, on a day of "
            "their own."
        ) from None
    if changed and owner and not owner.has_perm(PERMISSION):  # closed ones are not released
        cause.give(None, f"nobody owns it: {user_name(owner)} {MAY_NOT}", None)
    return changed


def since(cause: Cause, actor: Any, based_on: int) -> News:
    """What others did about it since the page was made."""
    others = cause.entries.filter(pk__gt=based_on).exclude(actor=actor.pk)
    return News(activities=list(others.select_related("actor")))


def _locked(cause: Cause, actor: Any) -> Cause:
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied(PERMISSION)
    cause = Cause.objects.select_for_update(of=("self",)).get(pk=cause.pk)
    if not cause.is_incident:
        raise ValidationError("These briefs are no more than usual, so there is no incident.")
    return cause


def _refuse_stale(cause: Cause, actor: Any, based_on: int | None) -> None:
    """Raise Stale if the actor must know something first. Needs the incident's lock."""
    if based_on is not None and (news := since(cause, actor, based_on)):
        raise Stale(news)


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({"text": "Say in a few words what was done."})
    if len(text) > LONGEST:
        raise ValidationError({"text": f"At most {LONGEST:,} characters."})
    return text
