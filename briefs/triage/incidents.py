"""What people do about an incident: own it, note what was done, close it, reopen it.

No brief is changed by that: its briefs are worked on one by one, or in bulk.
"""

from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, transaction

from briefs.links import user_name
from briefs.models import Cause, CauseEntry
from briefs.notifying import personal
from briefs.triage import freshness
from briefs.triage.freshness import News, Stale

PERMISSION = "briefs.work_brief"
LONGEST = 5_000  # characters of a note


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
    cause = _locked(cause, actor, based_on)
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
    cause = _locked(cause, actor, based_on)
    return cause.log(f"noted: {_checked(text)}", actor)


@transaction.atomic
def close(cause: Cause, actor: Any, based_on: int | None, text: str) -> bool:
    """End it with what was done. Its briefs stay as they are; False if it is closed already."""
    cause = _locked(cause, actor, based_on)
    return cause.close(_checked(text), actor) if cause.is_open else False


@transaction.atomic
def reopen(cause: Cause, actor: Any, based_on: int | None) -> bool:
    cause = _locked(cause, actor, based_on)
    try:
        return cause.reopen(actor)
    except IntegrityError:
        raise ValidationError(
            "It cannot be reopened: the same message has caused further briefs since, on a day of "
            "their own."
        ) from None


def _locked(cause: Cause, actor: Any, based_on: int | None) -> Cause:
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied(PERMISSION)
    cause = Cause.objects.select_for_update(of=("self",)).get(pk=cause.pk)
    if based_on is not None:
        news = cause.entries.filter(pk__gt=based_on).exclude(actor=actor.pk)
        if found := list(news.select_related("actor")):
            raise Stale(News(activities=found))
    return cause


def _checked(text: str) -> str:
    text = text.strip()
    if not text:
        raise ValidationError({"text": "Say in a few words what was done."})
    if len(text) > LONGEST:
        raise ValidationError({"text": f"At most {LONGEST:,} characters."})
    return text
