"""How urgent a brief is, and why: the one formula, in code and in words.

The signal's severity is the step. A persona of high value, or a value in the top tenth, raises it
by one; a value of 0 or in the bottom half lowers it by one; both together cancel each other out.
Urgent needs a severe signal and a value in the top tenth. Without the thresholds of a value's
currency the severity and the persona decide alone, and nothing is Urgent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypedDict

from django.db import models

from personas.models import Persona, Severity, Valued
from personas.models.value import money


class Priority(models.IntegerChoices):
    LOW = 1, "Low"
    MEDIUM = 2, "Medium"
    HIGH = 3, "High"
    URGENT = 4, "Urgent"


class Why(models.TextChoices):
    """The parts of a judgement, by the codes that are kept with their words."""

    SEVERITY = "severity", "How severe the signal is"
    PERSONA_HIGH = "persona_high", "The persona is of high value"
    TOP_TENTH = "top_tenth", "The value is in the top tenth"
    BOTTOM_HALF = "bottom_half", "The value is in the bottom half"
    ZERO = "zero", "The value is 0"
    MIDDLE = "middle", "The value is between both"
    VALUE_UNKNOWN = "value_unknown", "The value is not known"
    NO_THRESHOLDS = "no_thresholds", "There are no thresholds for its currency"
    NOT_URGENT = "not_urgent", "Urgent needs more than this"
    DELETED = "deleted", "The person was deleted"
    SCANNER = "scanner", "A link scanner probably acted"


class Reason(TypedDict):
    """As a brief keeps it."""

    code: str
    words: str


def reason(code: Why, words: str) -> Reason:
    return {"code": code.value, "words": words}


@dataclass(frozen=True, slots=True)
class Bounds:
    """A month's amounts of one currency: from where the top tenth is, below what the bottom half.

    The lead has set them. They stay what they are when values change.
    """

    top_from: Decimal
    low_below: Decimal


@dataclass(frozen=True, slots=True)
class Judgement:
    priority: Priority
    reasons: list[Reason]


DELETED = Judgement(
    Priority.LOW,
    [reason(Why.DELETED, "Low, because Customer.io deleted this person.")],
)
SCANNER = Judgement(
    Priority.LOW,
    [reason(Why.SCANNER, "Low, because a link scanner probably clicked and no person.")],
)


def judge(
    severity: int, persona: Persona, worth: Valued, bounds: dict[str, Bounds], *, is_deleted: bool
) -> Judgement:
    """The priority of a brief and the reasons; `bounds` by currency."""
    if is_deleted:
        return DELETED
    known = worth.value_month is not None
    limits = bounds.get(worth.value_currency) if known else None
    steps = list(_steps(persona, worth, limits))
    codes = {step["code"] for step in steps}
    raised = bool(codes & {Why.PERSONA_HIGH, Why.TOP_TENTH})
    lowered = bool(codes & {Why.ZERO, Why.BOTTOM_HALF})
    result = severity + raised - lowered
    if result >= Priority.URGENT and Why.TOP_TENTH not in codes:
        result = Priority.HIGH
        steps.append(_why_not_urgent(bool(bounds)))
    priority = Priority(min(max(result, Priority.LOW), Priority.URGENT))
    label = Severity(severity).label.lower()
    first = reason(Why.SEVERITY, f"The signal’s severity is {label}: that is the step.")
    return Judgement(priority, [first, *steps])


def _steps(persona: Persona, worth: Valued, limits: Bounds | None) -> Iterator[Reason]:
    if persona.value == Persona.Value.HIGH:
        yield reason(Why.PERSONA_HIGH, f"The persona “{persona.name}” is of high value: one up.")
    amount = worth.value_month
    if amount is None:
        yield reason(Why.VALUE_UNKNOWN, "The customer’s value is unknown, so it changes nothing.")
        return
    currency, told = worth.value_currency, _told(worth)
    if limits is None:
        yield reason(
            Why.NO_THRESHOLDS,
            f"{told} changes nothing yet: no thresholds are set for {currency}, so severity and "
            "persona decide alone.",
        )
    elif amount <= 0:
        yield reason(Why.ZERO, f"{told} is nothing: one down.")
    elif amount >= limits.top_from:
        top = money(currency, limits.top_from)
        yield reason(Why.TOP_TENTH, f"{told} is in the top tenth, from {top} a month: one up.")
    elif amount < limits.low_below:
        low = money(currency, limits.low_below)
        yield reason(
            Why.BOTTOM_HALF, f"{told} is in the bottom half, below {low} a month: one down."
        )
    else:
        low, top = money(currency, limits.low_below), money(currency, limits.top_from)
        yield reason(
            Why.MIDDLE, f"{told} is between {low} and {top} a month, so it changes nothing."
        )


def _told(worth: Valued) -> str:
    """`USD 120,000 a year (USD 10,000 a month)`."""
    month = f"{money(worth.value_currency, worth.value_month or Decimal())} a month"
    return worth.value_words if month == worth.value_words else f"{worth.value_words} ({month})"


def _why_not_urgent(has_bounds: bool) -> Reason:
    if has_bounds:
        words = "Not Urgent: that needs a severe signal and a value in the top tenth."
    else:
        words = "Not Urgent: that needs the top tenth, whose thresholds are not set yet."
    return reason(Why.NOT_URGENT, words)


def shown(reasons: Any) -> list[Reason]:
    """The reasons of a brief as they were kept; none for one of an earlier version."""
    return [
        {"code": str(one.get("code", "")), "words": str(one.get("words", ""))}
        for one in reasons or []
        if isinstance(one, dict)
    ]
