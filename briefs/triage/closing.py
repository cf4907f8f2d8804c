"""Closing a brief with an outcome. If somebody was faster, what the other entered is kept."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from briefs.models import Activity, Brief, ClosingReason, Offer
from briefs.models.endings import offer_in_words
from briefs.reading import first_steps
from briefs.triage import freshness

# Without reason and offer nothing can be learned from these later.
EXPLAINED = (Brief.Outcome.RETAINED, Brief.Outcome.CHURNED)


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
    reason: ClosingReason | None = None
    offer: Offer | None = None
    offer_percent: int | None = None  # if the offer asks for it
    offer_words: str = ""  # if the offer asks for them

    @classmethod
    def of(cls, brief: Brief) -> "Ending":
        """How a closed brief is said to have ended."""
        return cls(
            outcome=brief.outcome,
            note=brief.closing_note,
            is_persona_wrong=brief.is_persona_wrong,
            reason=brief.closing_reason,
            offer=brief.offer,
            offer_percent=brief.offer_percent,
            offer_words=brief.offer_words or "",
        )

    @property
    def briefly(self) -> str:
        """Outcome, reason and offer in words."""
        offered = offer_in_words(self.offer, self.offer_percent, self.offer_words)
        parts = [str(Brief.Outcome(self.outcome).label), str(self.reason or "")]
        return " · ".join(filter(None, [*parts, f"offered: {offered}" if offered else ""]))

    @property
    def words(self) -> str:
        marked = "the persona was wrong" if self.is_persona_wrong else ""
        return " · ".join(filter(None, [self.briefly, marked, self.note]))

    @property
    def fields(self) -> dict[str, Any]:
        """The columns of a brief beside outcome and note, without what the offer asks not for."""
        return {
            "closing_reason": self.reason,
            "offer": self.offer,
            "offer_percent": self.offer_percent if self._asks(Offer.Asks.PERCENT) else None,
            "offer_words": (self.offer_words or None) if self._asks(Offer.Asks.WORDS) else None,
        }

    def _asks(self, what: Offer.Asks) -> bool:
        return self.offer is not None and self.offer.asks == what

    def refuse_incomplete(self) -> None:
        """Raise ValidationError with what is wrong or missing, by the field of the ending."""
        faults = {}
        if self.outcome in EXPLAINED and self.reason is None:
            faults["reason"] = "Say why: nothing can be learned from it later otherwise."
        if self.outcome in EXPLAINED and self.offer is None:
            faults["offer"] = "Say what was offered, even if it was nothing."
        if self._asks(Offer.Asks.PERCENT) and not 1 <= (self.offer_percent or 0) <= 100:
            faults["offer_percent"] = "Say how many per cent: 1 to 100."
        if self._asks(Offer.Asks.WORDS) and not self.offer_words:
            faults["offer_words"] = "Say what was offered."
        if faults:
            raise ValidationError(faults)


@transaction.atomic
def close(brief: Brief, actor: Any, based_on: str, ending: Ending) -> Closing:
    """Close the brief. Raises ValidationError, Stale and PermissionDenied."""
    brief = freshness.locked(brief, actor, "briefs.work_brief")
    if not brief.is_open:
        is_same = (brief.outcome, brief.closing_note) == (ending.outcome, ending.note)
        is_same &= Ending.of(brief).fields == ending.fields
        if is_same and brief.is_persona_wrong >= ending.is_persona_wrong:
            return Closing.ALREADY
        words = f"meant to close it as well: {ending.words}"
        if not brief.activities.filter(actor=actor, text=words).exists():  # no second click
            brief.log(words, actor, Activity.Code.SAID)
        return Closing.TOO_LATE
    freshness.refuse_stale(brief, actor, based_on)
    ending.refuse_incomplete()
    also = {"is_persona_wrong": True} if ending.is_persona_wrong else {}
    fields = {**ending.fields, **also, **first_steps.at_closing(brief)}
    brief.close(ending.outcome, ending.note, actor, words=ending.briefly, **fields)
    if ending.is_persona_wrong:
        brief.log("said that the persona was wrong", actor, is_raised=True)
    return Closing.CLOSED
