"""Decides whether conditions hold. Pure functions over strings: no database, no network, no clock.

The caller says what the time is, and which segments the customer is in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from personas.models import privacy, shapes
from personas.models.attributes import Found
from personas.models.conditions import (
    DATED,
    DAYS,
    NUMERIC,
    SEGMENTS,
    UNFILLED,
    WITHOUT_VALUE,
    Condition,
    MatchMode,
    Operator,
    alike,
    fold,
)
from personas.models.dates import date_reading, days_since, is_before
from personas.models.numbers import number, reading
from personas.models.segments import NEVER_READ, Membership

_OF_FACTS = frozenset((*UNFILLED, *SEGMENTS))  # a value alone does not tell whether they hold
_NO_SEGMENTS: Mapping[str, Membership] = {}


class Facts(Protocol):
    def find(self, field: str) -> Found: ...

    def is_there(self, field: str) -> bool:
        """Whether there is such a field, even an empty one."""
        ...


@dataclass(frozen=True, slots=True)
class PlainFacts:
    """Facts without roles, such as the fields of an event.

    data: what the values were read from. A path leads into it that `values` does not have.
    """

    values: Mapping[str, str]
    data: Mapping[str, Any] | None = None

    def find(self, field: str) -> Found:
        name = field.strip()
        value = self.values.get(name)
        if value is None:
            value = shapes.within(self.data, name) if self.data and "." in name else ""
        return Found(name, value.strip())

    def is_there(self, field: str) -> bool:
        name = field.strip()
        return name in self.values or bool(self.data and shapes.is_within(self.data, name))


@dataclass(frozen=True, slots=True)
class Holding:
    """A condition that holds, and the value it holds for.

    now: what “days ago” counted from. said: the reason in words, where it is no value of a field.
    """

    condition: Condition
    found: Found
    now: datetime | None = None
    said: str = ""

    @property
    def why(self) -> str:
        """For the team: names the field, the attribute and its value; of a list, the member.

        Says how a number or a date is read where somebody could read it in another way.
        """
        if self.said:
            return self.said
        everything = self.found.shown()
        if not everything:
            is_told_apart = self.condition.operator in UNFILLED
            words = Operator(self.condition.operator).label if is_told_apart else "is missing"
            return f"{self.condition.field} {words}"
        label = self.condition.field
        if self.found.name != self.condition.field:
            label = f"{label} (attribute {self.found.name})"
        member = shapes.shown(_deciding(self.condition, self.found.value, self.now))
        note = f"in the list “{everything}”" if member not in ("", everything) else ""
        if read := _read(self.condition.operator, member or everything):
            note = ", ".join(filter(None, (read.words, note)))
        return f"{label} is “{member or everything}”" + (f" ({note})" if note else "")

    @property
    def question_words(self) -> str:
        """For the research question: the team's own words, never the customer's value.

        Empty if they would say who the customer is, such as a list of names that holds the
        customer's name. The question then does not mention the condition.
        """
        return "" if self.is_private else privacy.without(self._teams_words)

    @property
    def is_private(self) -> bool:
        """Whether the condition compares an attribute that says who the customer is."""
        if self.condition.operator in WITHOUT_VALUE:
            return False
        return privacy.is_private([self.condition.field, self.found.name], self.found.value)

    @property
    def _teams_words(self) -> str:
        """Of the values of a list the one that holds; if several do, the first that was typed."""
        if self.condition.operator != Operator.IN:
            return self.condition.words
        given = {fold(text) for text in _compared(self.found.value)}
        values = self.condition.values
        equal = (value for value in values if fold(value) in given)
        same = (value for value in values if not given.isdisjoint(alike(fold(value))))
        member = next(equal, None) or next(same, None)
        return f"{self.condition.field} is {member}" if member else self.condition.words


def holding(
    conditions: Iterable[Condition],
    match: str,
    facts: Facts,
    now: datetime,
    segments: Mapping[str, Membership] = _NO_SEGMENTS,
) -> list[Holding] | None:
    """Return the conditions that hold, or None if the rule as a whole does not.

    A rule without conditions holds.

    now: aware; what “days ago” counts from. segments: by the condition's folded value.
    """
    held: list[Holding] = []
    is_empty = True
    for condition in conditions:
        is_empty = False
        one: Holding | None
        if condition.operator in _OF_FACTS:
            one = _of_facts(condition, facts, now, segments)
        else:
            found = facts.find(condition.field)
            one = Holding(condition, found, now) if holds(condition, found.value, now) else None
        if one:
            held.append(one)
        elif match == MatchMode.ALL:
            return None
    return held if held or is_empty else None


def unread(conditions: Iterable[Condition], segments: Mapping[str, Membership]) -> list[str]:
    """The segments in these conditions of which nobody knows yet who is in them."""
    asked = [condition for condition in conditions if condition.operator in SEGMENTS]
    found = (segments.get(condition.folded, NEVER_READ) for condition in asked)
    return [c.single for c, known in zip(asked, found, strict=True) if known.is_in is None]


def holds(condition: Condition, value: str, now: datetime | None = None) -> bool:
    """Whether one condition holds for a value. A negation is the exact opposite of its positive.

    Not for conditions on segments, nor for “is empty” and “does not exist”: no value tells. Without
    `now`, no condition holds that counts days.
    """
    operator, is_negation = condition.asked
    return _holds(operator, condition, value, now) is not is_negation


def _of_facts(
    condition: Condition, facts: Facts, now: datetime, segments: Mapping[str, Membership]
) -> Holding | None:
    if condition.operator in SEGMENTS:
        known = segments.get(condition.folded, NEVER_READ)
        # Unknown is neither in it nor out of it: both would be a guess.
        is_held = known.is_in is not None and known.is_in is (
            condition.operator == Operator.IN_SEGMENT
        )
        found = Found(f"segment {condition.folded}", "yes" if known.is_in else "no")
        return Holding(condition, found, now, known.words(now)) if is_held else None
    found = facts.find(condition.field)
    if not shapes.is_missing(found.value):
        return None
    is_held = facts.is_there(condition.field) is (condition.operator == Operator.EMPTY)
    return Holding(condition, found, now) if is_held else None


def _holds(operator: Operator, condition: Condition, value: str, now: datetime | None) -> bool:
    text = value.strip()
    if text[:1] not in shapes.OPENING:  # nearly always: a batch asks thousands of times
        return text not in shapes.NOTHING and _fits(operator, condition, text, now)
    return any(_fits(operator, condition, member, now) for member in _compared(text))


def _deciding(condition: Condition, value: str, now: datetime | None) -> str:
    """The member of a list for which the condition holds; empty where no single one decides."""
    operator, is_negation = condition.asked
    if is_negation or operator in WITHOUT_VALUE:
        return ""
    fitting = (text for text in shapes.parts(value) if _fits(operator, condition, text, now))
    return next(fitting, "")


def _compared(value: str) -> tuple[str, ...]:
    """What a condition compares: each member of a list, and the whole text as it was sent."""
    members = shapes.parts(value)
    return members if not members or members == (value,) else (*members, value)


def _fits(operator: Operator, condition: Condition, text: str, now: datetime | None) -> bool:
    """Whether the operator holds for one value that is not missing."""
    if operator in (Operator.EQUALS, Operator.IN):
        return fold(text) in condition.accepted
    if operator == Operator.CONTAINS:
        return condition.folded in fold(text)
    if operator in NUMERIC:
        return _compares(operator, number(text), condition.limit)
    if operator in DATED:
        return _is_dated(operator, condition, text, now)
    if operator == Operator.MATCHES:
        return condition.pattern is not None and condition.pattern.is_in(text)
    return operator == Operator.EXISTS


def _is_dated(operator: Operator, condition: Condition, text: str, now: datetime | None) -> bool:
    read = date_reading(text)
    if read is None:
        return False
    if operator not in DAYS:
        if condition.date is None:
            return False
        pair = (read, condition.date) if operator == Operator.BEFORE else (condition.date, read)
        return is_before(*pair)
    days = condition.limit
    if now is None or days is None:
        return False
    age = days_since(read, now)
    if operator == Operator.SOON:
        return 0 <= -age <= days
    return age > days if operator == Operator.OLDER else 0 <= age < days


def _read(operator: str, text: str) -> Any:
    """How the condition reads the text, if as a number or a date."""
    if operator in NUMERIC:
        return reading(text)
    return date_reading(text) if operator in DATED else None


def _compares(operator: Operator, left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return False
    return {
        Operator.GT: left > right,
        Operator.GTE: left >= right,
        Operator.LT: left < right,
        Operator.LTE: left <= right,
    }[operator]
