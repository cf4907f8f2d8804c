"""Decides whether conditions hold. Pure functions over strings: no database, no network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from personas.models import privacy, shapes
from personas.models.attributes import Found
from personas.models.conditions import (
    NUMERIC,
    WITHOUT_VALUE,
    Condition,
    MatchMode,
    Operator,
    alike,
    fold,
)
from personas.models.numbers import number, reading

_POSITIVE: dict[str, Operator] = {
    operator: Operator[operator.name.removeprefix("NOT_")]
    for operator in Operator
    if operator.name.startswith("NOT_")
}


class Facts(Protocol):
    def find(self, field: str) -> Found: ...


@dataclass(frozen=True, slots=True)
class PlainFacts:
    """Facts without roles, such as the fields of an event."""

    values: Mapping[str, str]

    def find(self, field: str) -> Found:
        name = field.strip()
        return Found(name, self.values.get(name, "").strip())


@dataclass(frozen=True, slots=True)
class Holding:
    """A condition that holds, and the value it holds for."""

    condition: Condition
    found: Found

    @property
    def why(self) -> str:
        """For the team: names the field, the attribute and its value; of a list, the member.

        Says how a number is read where somebody could read it in another way.
        """
        everything = self.found.shown()
        if not everything:
            return f"{self.condition.field} is missing"
        label = self.condition.field
        if self.found.name != self.condition.field:
            label = f"{label} (attribute {self.found.name})"
        member = shapes.shown(_deciding(self.condition, self.found.value))
        note = f"in the list “{everything}”" if member not in ("", everything) else ""
        if self.condition.operator in NUMERIC and (read := reading(member or everything)):
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
        names = [self.condition.field, self.found.name]
        if shapes.is_named(self.found.value):
            names += [f"{name}.name" for name in names]
        return any(map(privacy.identifies, names))

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


def holding(conditions: Iterable[Condition], match: str, facts: Facts) -> list[Holding] | None:
    """Return the conditions that hold, or None if the rule as a whole does not.

    A rule without conditions holds.
    """
    held: list[Holding] = []
    is_empty = True
    for condition in conditions:
        is_empty = False
        found = facts.find(condition.field)
        if holds(condition, found.value):
            held.append(Holding(condition, found))
        elif match == MatchMode.ALL:
            return None
    return held if held or is_empty else None


def holds(condition: Condition, value: str) -> bool:
    """Whether one condition holds for a value. A negation is the exact opposite of its positive."""
    positive = _POSITIVE.get(condition.operator)
    if positive:
        return not _holds(positive, condition, value)
    return _holds(Operator(condition.operator), condition, value)


def _holds(operator: Operator, condition: Condition, value: str) -> bool:
    text = value.strip()
    if text[:1] not in shapes.OPENING:  # nearly always: a batch asks thousands of times
        return text not in shapes.NOTHING and _fits(operator, condition, text)
    return any(_fits(operator, condition, member) for member in _compared(text))


def _deciding(condition: Condition, value: str) -> str:
    """The member of a list for which the condition holds; empty where no single one decides."""
    operator = Operator(condition.operator)
    if operator in WITHOUT_VALUE or operator in _POSITIVE:
        return ""
    return next((text for text in shapes.parts(value) if _fits(operator, condition, text)), "")


def _compared(value: str) -> tuple[str, ...]:
    """What a condition compares: each member of a list, and the whole text as it was sent."""
    members = shapes.parts(value)
    return members if not members or members == (value,) else (*members, value)


def _fits(operator: Operator, condition: Condition, text: str) -> bool:
    """Whether the operator holds for one value that is not missing."""
    if operator in (Operator.EQUALS, Operator.IN):
        return fold(text) in condition.accepted
    if operator in WITHOUT_VALUE:
        return True
    if operator in NUMERIC:
        return _compares(operator, number(text), condition.limit)
    return condition.folded in fold(text)


def _compares(operator: Operator, left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return False
    return {
        Operator.GT: left > right,
        Operator.GTE: left >= right,
        Operator.LT: left < right,
        Operator.LTE: left <= right,
    }[operator]
