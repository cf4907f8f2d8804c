"""Decides whether conditions hold. Pure functions over strings: no database, no network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from personas.models import privacy
from personas.models.conditions import (
    NUMERIC,
    WITHOUT_VALUE,
    Condition,
    MatchMode,
    Operator,
    fold,
    number,
)

_POSITIVE: dict[str, Operator] = {
    operator: Operator[operator.name.removeprefix("NOT_")]
    for operator in Operator
    if operator.name.startswith("NOT_")
}


@dataclass(frozen=True, slots=True)
class Found:
    """A field's value and the attribute it came from; an empty value means that it is missing."""

    name: str
    value: str


class Facts(Protocol):
    def find(self, field: str) -> Found: ...


@dataclass(frozen=True, slots=True)
class PlainFacts:
    """Facts without roles, such as the fields of an event."""

    values: Mapping[str, str]

    def find(self, field: str) -> Found:
        name = field.strip()
        return Found(name, self.values.get(name, "").strip())


class CustomerFacts:
    """A customer's attributes, reached by role (`plan`) or by the attribute's own name.

    Case does not matter in names either: `Plan` and `plan` are one attribute to a person.
    """

    def __init__(self, attributes: Mapping[str, object], roles: Mapping[str, list[str]]) -> None:
        self._roles = roles
        self._values = {
            name.casefold(): (name, text)
            for name, value in attributes.items()
            if value is not None and (text := str(value).strip())
        }
        self._found: dict[str, Found] = {}  # a cache: many personas ask for the same few fields

    def find(self, field: str) -> Found:
        if field not in self._found:
            self._found[field] = self._find(field)
        return self._found[field]

    def _find(self, field: str) -> Found:
        names = self._roles.get(field.strip().lower(), [field.strip()])
        for name in names:
            if found := self._values.get(name.casefold()):
                return Found(*found)
        return Found(names[0], "")


@dataclass(frozen=True, slots=True)
class Holding:
    """A condition that holds, and the value it holds for."""

    condition: Condition
    found: Found

    @property
    def why(self) -> str:
        """For the team: names the field, the attribute and its value."""
        if not self.found.value:
            return f"{self.condition.field} is missing"
        label = self.condition.field
        if self.found.name != self.condition.field:
            label = f"{label} (attribute {self.found.name})"
        return f"{label} is “{self.found.value[:100]}”"

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
        is_compared = self.condition.operator not in WITHOUT_VALUE
        return is_compared and any(map(privacy.identifies, (self.condition.field, self.found.name)))

    @property
    def _teams_words(self) -> str:
        if self.condition.operator != Operator.IN:
            return self.condition.words
        wanted = fold(self.found.value)
        member = next(value for value in self.condition.values if fold(value) == wanted)
        return f"{self.condition.field} is {member}"


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
    given = fold(value)
    if not given:
        return False
    if operator in WITHOUT_VALUE:
        return True
    if operator in NUMERIC:
        return _compares(operator, number(given), number(condition.value))
    if operator == Operator.EQUALS:
        return given == condition.folded
    if operator == Operator.IN:
        return given in condition.folded_values
    return condition.folded in given


def _compares(operator: Operator, left: float | None, right: float | None) -> bool:
    if left is None or right is None:
        return False
    return {
        Operator.GT: left > right,
        Operator.GTE: left >= right,
        Operator.LT: left < right,
        Operator.LTE: left <= right,
    }[operator]
