"""Briefs whose assignee can no longer work on them become unassigned, so that others see them."""

from typing import Any

from briefs.links import user_name
from briefs.models import Brief

LEFT = "left the team"
MAY_NOT = "no longer works on briefs"


def release_all(assignee: Any, why: str, actor: Any = None) -> int:
    """All open briefs of this person. `why` says in words what became of them."""
    briefs = Brief.objects.filter(assignee=assignee)
    return briefs.release(f"{user_name(assignee)} {why}", actor)
