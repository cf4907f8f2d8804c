"""Closing a brief with an outcome. If somebody was faster, what the other entered is kept."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db import transaction

from briefs.models import Brief
from briefs.reading import first_steps
from briefs.triage import freshness


class Closing(StrEnum):
    """What came of it."""

    CLOSED = "closed"
    ALREADY = "already"  # with the same outcome and note: a second click on one button
    TOO_LATE = "too_late"  # by somebody else; what was entered is in the timeline


@dataclass(frozen=True, slots=True)
class Ending:
    """How somebody says that a brief ended."""

    outcome: str
    note: str = ""
    is_persona_wrong: bool = False

    @property
    def words(self) -> str:
        parts = [Brief.Outcome(self.outcome).label]
        if self.is_persona_wrong:
            parts.append("the persona was wrong")
        return " · ".join([*parts, self.note] if self.note else parts)


@transaction.atomic
def close(brief: Brief, actor: Any, based_on: str, ending: Ending) -> Closing:
    """Close the brief. Raises Stale and PermissionDenied."""
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if not brief.is_open:
        is_same = (brief.outcome, brief.closing_note) == (ending.outcome, ending.note)
        if is_same and brief.is_persona_wrong >= ending.is_persona_wrong:
            return Closing.ALREADY
        words = f"meant to close it as well: {ending.words}"
        if not brief.activities.filter(actor=actor, text=words).exists():  # no second click
            brief.log(words, actor)
        return Closing.TOO_LATE
    freshness.refuse_stale(brief, actor, based_on)
    also = {"is_persona_wrong": True} if ending.is_persona_wrong else {}
    also |= first_steps.at_closing(brief)
    brief.close(ending.outcome, ending.note, actor, **also)
    if ending.is_persona_wrong:
        brief.log("said that the persona was wrong", actor, is_raised=True)
    return Closing.CLOSED
