"""Correcting what was said of how a closed brief ended. The log keeps what was said before."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from django.db import transaction

from briefs.models import Brief
from briefs.models.endings import offer_in_words
from briefs.triage import freshness
from briefs.triage.closing import Ending


class Correcting(StrEnum):
    """What came of it."""

    CORRECTED = "corrected"
    SAME = "same"  # nothing differs
    OPEN = "open"  # it is open: there is no ending to correct
    WITHDRAWN = "withdrawn"  # Savedesk closed it: nobody said how it ended


@transaction.atomic
def correct(brief: Brief, actor: Any, based_on: str, ending: Ending) -> Correcting:
    """Let the brief have ended like this. Raises ValidationError, Stale and PermissionDenied."""
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if brief.is_open:
        return Correcting.OPEN
    if brief.outcome == Brief.Outcome.WITHDRAWN:
        return Correcting.WITHDRAWN
    freshness.refuse_stale(brief, actor, based_on)
    ending.refuse_incomplete()
    changes = list(_changes(Ending.of(brief), ending))
    if not changes:
        return Correcting.SAME
    brief.correct(
        f"corrected how it ended: {'; '.join(changes)}",
        actor,
        outcome=Brief.Outcome(ending.outcome),
        closing_note=ending.note,
        is_persona_wrong=ending.is_persona_wrong,
        **ending.fields,
    )
    return Correcting.CORRECTED


def _changes(before: Ending, after: Ending) -> Iterator[str]:
    """Each field that differs, as it was said before and as it is said now."""
    for name, was, now in zip(
        ("outcome", "reason", "offered", "note", "the persona was wrong"),
        _said(before),
        _said(after),
        strict=True,
    ):
        if was != now:
            yield f"{name}: {was} → {now}"


def _said(ending: Ending) -> tuple[str, ...]:
    offered = offer_in_words(ending.offer, ending.offer_percent, ending.offer_words)
    return (
        str(Brief.Outcome(ending.outcome).label),
        str(ending.reason or "none"),
        offered or "not said",
        f"“{ending.note}”" if ending.note else "none",
        "yes" if ending.is_persona_wrong else "no",
    )
