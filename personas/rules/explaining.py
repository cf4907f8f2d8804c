"""Explains which rule and which persona decide, and why each other one does not. Pure functions."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any

from personas.models import Customer, Persona, SignalRule
from personas.models.conditions import SEGMENTS, Condition, MatchMode
from personas.models.segments import NEVER_READ, Membership
from personas.models.signals import Level
from personas.rules import facts as events
from personas.rules.matching import Facts, Holding, holding
from personas.rules.rulebook import Rulebook
from providers.addresses import without_credentials


class Outcome(Enum):
    """What became of one rule or persona."""

    DECIDES = "decides"
    FAILS = "fails"  # its conditions do not hold
    COMES_LATER = "comes later"  # it holds as well, and an earlier one decides
    OTHER_EVENTS = "other events"  # a rule that is not about such events
    NOT_ASKED = "not asked"  # a persona of whose conditions none is looked at


@dataclass(frozen=True, slots=True)
class Event:
    """An event as the rules see it; `found_out` as in `facts.facts`."""

    object_type: str
    metric: str
    data: Mapping[str, Any]
    found_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Line:
    """A rule or a persona, what became of it, and why in words."""

    row: SignalRule | Persona
    outcome: Outcome
    why: str

    @property
    def decides(self) -> bool:
        return self.outcome is Outcome.DECIDES

    @property
    def is_about_other_events(self) -> bool:
        return self.outcome is Outcome.OTHER_EVENTS


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line for each active rule and for each persona, in the order in which they are tried."""

    rules: list[Line]  # none without an event
    personas: list[Line]  # none without a customer

    @property
    def rule(self) -> SignalRule | None:
        """The rule that decides."""
        return next(
            (r.row for r in self.rules if r.decides and isinstance(r.row, SignalRule)), None
        )

    @property
    def persona(self) -> Persona | None:
        """The persona that decides."""
        found = (line.row for line in self.personas if line.decides)
        return next((row for row in found if isinstance(row, Persona)), None)


@dataclass(frozen=True, slots=True)
class Seeing:
    """What the conditions are asked about; as `matching.holding` takes it."""

    facts: Facts
    now: datetime
    segments: Mapping[str, Membership] = field(default_factory=dict)

    def holding(self, conditions: Iterable[Condition], match: str) -> list[Holding] | None:
        return holding(conditions, match, self.facts, self.now, self.segments)

    def seen(self, failed: Condition) -> str:
        """What a condition that does not hold was asked about."""
        if failed.operator in SEGMENTS:
            known = self.segments.get(failed.folded, NEVER_READ)
            who = f"who is in the segment “{failed.single}” is not known"
            return who if known.is_in is None else known.words(self.now)
        return Holding(failed, self.facts.find(failed.field), self.now).why


def explain(
    rulebook: Rulebook, *, event: Event | None = None, customer: Customer | None = None
) -> Explanation:
    """Say of each rule what this event makes of it, and of each persona what this customer does.

    Decides as `Rulebook.rule_for` and `Rulebook.persona_for` do.
    """
    return Explanation(
        rules=list(_rules(rulebook, event)) if event else [],
        personas=list(_personas(rulebook, customer)) if customer else [],
    )


def _rules(rulebook: Rulebook, event: Event) -> Iterator[Line]:
    level = events.level(event.object_type, event.data)
    facts = events.facts(event.data, **event.found_out)
    covering = [r for r in rulebook.rules if r.covers(event.object_type, event.metric, level)]
    lines = {line.row.name: line for line in _tried(covering, Seeing(facts, rulebook.now))}
    for rule in rulebook.rules:
        why = _what_it_is_about(rule, event.metric)
        yield lines.get(rule.name) or Line(rule, Outcome.OTHER_EVENTS, why)


def _what_it_is_about(rule: SignalRule, metric: str) -> str:
    """Why a rule is about other events: its metrics, or else the objects or the level it asks."""
    if metric not in rule.metric_list:
        return f"is about {', '.join(rule.metric_list)}"
    types = ", ".join(rule.object_type_list)
    level = "" if rule.level == Level.ANY else Level(rule.level).label
    return f"is about events {' '.join(filter(None, (types and f'of {types}', level)))}"


def _personas(rulebook: Rulebook, customer: Customer) -> Iterator[Line]:
    match = rulebook.persona_for(customer)
    if customer.is_deleted or customer.fetched_at is None:
        lines = [Line(one, Outcome.NOT_ASKED, "nothing is known") for one in rulebook.personas]
    else:
        segments = rulebook.memberships.of(customer)
        seeing = Seeing(rulebook.facts_of(customer), rulebook.now, segments)
        lines = list(_tried(rulebook.personas, seeing))
    yield from lines
    is_decided = any(line.decides for line in lines)
    for fixed in (rulebook.default, rulebook.unknown):
        if fixed is match.persona and not is_decided:
            yield Line(fixed, Outcome.DECIDES, _clean(match.note))
        else:
            yield Line(fixed, Outcome.NOT_ASKED, "not needed")


def _tried(rows: Iterable[Any], seeing: Seeing) -> Iterator[Line]:
    """The rows one after the other, with their conditions; the first that holds decides."""
    decided = ""
    for row in rows:
        held = seeing.holding(row.condition_list, row.match)
        if held is None:
            yield Line(row, Outcome.FAILS, _why_not(row, seeing))
        elif decided:
            yield Line(row, Outcome.COMES_LATER, f"fits too, but comes after “{decided}”")
        else:
            decided = row.name
            seen = dict.fromkeys(_clean(one.why) for one in held)
            yield Line(row, Outcome.DECIDES, ", ".join(seen) or "asks for nothing in particular")


def _why_not(row: Any, seeing: Seeing) -> str:
    """The first condition that does not hold, and the value that it saw."""
    failed = next(one for one in row.condition_list if seeing.holding([one], MatchMode.ALL) is None)
    seen = _clean(seeing.seen(failed))
    number = len(row.condition_list)
    if row.match == MatchMode.ANY and number > 1:
        return f"none of its {number} conditions holds; the first, “{failed.brief_words}”: {seen}"
    return f"“{failed.brief_words}” does not hold: {seen}"


def _clean(words: str) -> str:
    """Without passwords and keys: an event's address may hold some."""
    return without_credentials(words)
