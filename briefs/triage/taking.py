"""Taking a brief, unless somebody took or closed it since the page was made."""

from enum import StrEnum
from typing import Any

from django.db import transaction

from briefs.models import Brief
from briefs.triage import freshness
from briefs.triage.freshness import Seen


class Taking(StrEnum):
    """What came of it."""

    TAKEN = "taken"
    YOURS = "yours"  # it was the person's already
    ELSEWHERE = "elsewhere"  # meanwhile somebody took it, or put it back
    CLOSED = "closed"  # meanwhile somebody closed it


@transaction.atomic
def take(brief: Brief, actor: Any, based_on: str) -> Taking:
    """Assign the brief to the actor. Raises Stale and PermissionDenied."""
    [actor] = freshness.locked_people(actor)
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if not brief.is_open:
        return Taking.CLOSED
    if brief.assignee == actor:
        return Taking.YOURS
    seen = Seen.read(based_on)
    if seen and seen.assignee != (brief.assignee_id or 0):
        return Taking.ELSEWHERE
    freshness.refuse_stale(brief, actor, based_on)
    brief.assign(actor, actor)
    return Taking.TAKEN
