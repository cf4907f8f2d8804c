"""Giving a brief to a colleague, and giving it back to the team."""

from enum import StrEnum
from typing import Any

from django.db import transaction

from briefs.links import user_name
from briefs.models import Brief
from briefs.triage import freshness
from briefs.triage.freshness import Seen

PERMISSION = "briefs.work_brief"


class Assigning(StrEnum):
    """What came of it."""

    ASSIGNED = "assigned"
    SAME = "same"  # it was that person's already
    CANNOT = "cannot"  # that person may not work on briefs
    ELSEWHERE = "elsewhere"  # meanwhile somebody took it, or put it back
    CLOSED = "closed"


class GivingBack(StrEnum):
    """What came of it."""

    UNASSIGNED = "unassigned"
    NOBODYS = "nobodys"  # it was nobody's already
    ELSEWHERE = "elsewhere"
    CLOSED = "closed"


@transaction.atomic
def assign(brief: Brief, actor: Any, based_on: str, to: Any) -> Assigning:
    """Give the brief to anybody who may work on briefs. Raises Stale and PermissionDenied."""
    actor, to = freshness.locked_people(actor, to)
    brief = freshness.locked(brief, actor, PERMISSION)
    if not brief.is_open:
        return Assigning.CLOSED
    if not to.has_perm(PERMISSION):
        return Assigning.CANNOT
    if brief.assignee == to:
        return Assigning.SAME
    if _is_elsewhere(brief, based_on):
        return Assigning.ELSEWHERE
    freshness.refuse_stale(brief, actor, based_on)
    brief.assign(to, actor)
    return Assigning.ASSIGNED


@transaction.atomic
def give_back(brief: Brief, actor: Any, based_on: str) -> GivingBack:
    """Make the brief unassigned; a snooze ends. Raises Stale and PermissionDenied."""
    brief = freshness.locked(brief, actor, PERMISSION)
    if not brief.is_open:
        return GivingBack.CLOSED
    if brief.assignee is None:
        return GivingBack.NOBODYS
    if _is_elsewhere(brief, based_on):
        return GivingBack.ELSEWHERE
    freshness.refuse_stale(brief, actor, based_on)
    is_own = brief.assignee == actor
    brief.release("gave it back" if is_own else f"it was {user_name(brief.assignee)}'s", actor)
    return GivingBack.UNASSIGNED


def _is_elsewhere(brief: Brief, based_on: str) -> bool:
    seen = Seen.read(based_on)
    return seen is not None and seen.assignee != (brief.assignee_id or 0)
