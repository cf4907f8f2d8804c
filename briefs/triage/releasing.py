"""What somebody can no longer work on becomes unassigned, so that others see it."""

from typing import Any

from briefs.links import user_name
from briefs.models import Brief, Cause

LEFT = "left the team"
MAY_NOT = "no longer works on briefs"


def release_all(assignee: Any, why: str, actor: Any = None) -> int:
    """All open briefs and incidents of this person; returns how many briefs.

    `why` says in words what became of the person.
    """
    words = f"{user_name(assignee)} {why}"
    for cause in Cause.objects.incidents().current().filter(assignee=assignee).order_by("pk"):
        cause.give(None, f"nobody owns it: {words}", actor)
    return Brief.objects.filter(assignee=assignee).release(words, actor)
