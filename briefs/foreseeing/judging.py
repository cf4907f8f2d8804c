"""What a set of rules makes of the people looked at: briefs, of which personas, value, credits."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from briefs.foreseeing.looking import Act, Sample
from briefs.research.questions import said_of
from personas.models import Customer, Effect, Persona, SignalRule, Terms, ValueLevel
from personas.models.value import ROLES
from personas.rules import facts, preferences, recipients
from personas.rules.rulebook import PersonaMatch, Rulebook
from providers.subscriptions import read_preferences

# What only a comparison with the customer showed, when the event was worked on.
_SHOWN: tuple[dict[str, str], ...] = (
    {}, {"recipient_is": recipients.ANOTHER}, {"reached": "again"},
)  # fmt: skip


@dataclass(slots=True)
class Judged:
    """Numbers of customers with a brief in 30 days, and what comes of that."""

    personas: list[str] = field(default_factory=list)  # by name, of each person; empty: no brief
    customers: dict[str, float] = field(default_factory=lambda: defaultdict(float))  # by persona
    seen: Counter[str] = field(default_factory=Counter)  # by persona, those looked at
    value: dict[str, Decimal] = field(default_factory=dict)  # a month, of those looked at
    answers: int = 0  # bought for those looked at
    names: frozenset[str] = frozenset()  # of all personas

    @property
    def briefs(self) -> float:
        return sum(self.customers.values())


def kinds_that_differ(rulebooks: Sequence[Rulebook]) -> set[str]:
    """The metrics of the events that these rules do not all read alike."""
    metrics = {metric for book in rulebooks for rule in book.rules for metric in rule.metric_list}
    return {
        metric for metric in metrics if len({_all_told(book, metric) for book in rulebooks}) > 1
    }


def decide_alike(one: Rulebook, other: Rulebook) -> bool:
    """Whether both make the same briefs and the same questions of everybody."""
    return (
        one.roles == other.roles
        and list(map(_persona_told, _all(one))) == list(map(_persona_told, _all(other)))
        and not kinds_that_differ([one, other])
    )


def _all_told(book: Rulebook, metric: str) -> tuple[Any, ...]:
    return tuple(_told(rule) for rule in book.rules if metric in rule.metric_list)


def _told(rule: SignalRule) -> tuple[Any, ...]:
    """All that decides which event is which signal."""
    types = tuple(sorted(rule.object_type_list))
    conditions = tuple((one.field, one.operator, one.value) for one in rule.condition_list)
    return (types, rule.level, rule.match, rule.effect, rule.kind, conditions)


def _all(book: Rulebook) -> list[Persona]:
    return [*book.personas, book.default, book.unknown]


def _persona_told(persona: Persona) -> tuple[Any, ...]:
    """All that decides who has a brief of this persona, and which questions it asks."""
    conditions = [(one.field, one.operator, one.value) for one in persona.condition_list]
    return (persona.name, persona.match, persona.opens_brief, persona.reuse_hours, conditions)


class Judge:
    """One set of rules. present: those by which the acts became what they are."""

    def __init__(self, book: Rulebook, present: Rulebook) -> None:
        self.book, self.present = book, present
        self._names = {rule.name for rule in (*book.rules, *present.rules)}
        self._told: dict[str, Any] = {}  # by metric, what decides

    def judge(self, sample: Sample, *, says_facts: bool) -> Judged:
        """What these rules make of everybody in the sample: at most one brief of each.

        says_facts: whether a question says what is known of the customer; if not, all customers of
        a persona have the same one.
        """
        result = Judged(names=frozenset(persona.name for persona in _all(self.book)))
        worth = _Worth(self.book, self.present)
        asked: dict[Any, list[datetime]] = defaultdict(list)
        for person in sample.people:
            opening = next(((act, kind) for act in person.acts if (kind := self.kind(act))), None)
            match = self._persona(person.customer) if opening else None
            if opening is None or match is None or not match.persona.opens_brief:
                result.personas.append("")
                continue
            (act, kind), persona = opening, match.persona
            result.personas.append(persona.name)
            result.customers[persona.name] += person.weight
            result.seen[persona.name] += 1
            worth.add(person.customer)
            if persona.buys_research:
                said = tuple(match.question_facts) if says_facts else ()
                question = (persona.name, kind, said_of(kind, act.detail), said)
                asked[(persona.reuse_hours, question)].append(act.happened_at)
        result.value = worth.sums()
        result.answers = sum(_bought(times, hours) for (hours, _), times in asked.items())
        return result

    def _persona(self, customer: Customer | None) -> PersonaMatch:
        """Whom nobody looked up has the unknown persona, as where the look-up fails."""
        if customer is None:
            return PersonaMatch(self.book.unknown, [])
        return self.book.persona_for(customer)

    def kind(self, act: Act) -> str:
        """Of the signal that the act becomes, if it may open a brief; else empty."""
        if act.data is None:
            if act.metric or act.rule not in self._names:
                return act.kind
            # The event is gone, and its rule is known.
            return _opened_by(next((r for r in self.book.rules if r.name == act.rule), None))
        if act.found_out is None:
            act.found_out, act.decided = _found_out(act, self.present)
        # Rules that are told alike decide alike: an event is read once for all of them.
        told = self._told.get(act.metric)
        if told is None:
            told = self._told[act.metric] = _all_told(self.book, act.metric)
        if told not in act.decided:
            match = self.book.rule_for(act.object_type, act.metric, act.data, **act.found_out)
            act.decided[told] = _opened_by(match.rule if match else None)
        return act.decided[told]


def without_doubtful(sample: Sample, present: Rulebook) -> Sample:
    """Without acts that would lead to a signal by the present rules, but did not.

    What made the difference, such as another address, cannot be told from the event alone.
    """
    judge = Judge(present, present)
    for person in sample.people:
        if not person.has_signal:
            person.acts = [act for act in person.acts if not judge.kind(act)]
    return sample


def _opened_by(rule: SignalRule | None) -> str:
    return str(rule.kind) if rule and rule.effect == Effect.OPENS_BRIEF else ""


def _found_out(act: Act, present: Rulebook) -> tuple[dict[str, str], dict[Any, str]]:
    """What a comparison with the customer showed when the event came, as far as can be told.

    It is not stored, but the signal is: it is what makes the present rules lead to that kind. Also
    returns what these decide, if that is known by then.
    """
    data = act.data or {}
    if act.metric in facts.PREFERENCES_METRICS:
        content = data.get("content")
        alone = preferences.compare({}, {}, read_preferences(content)).as_fact(content)
        shown: Sequence[dict[str, str]] = [
            {"preferences": word} for word in dict.fromkeys((alone, *preferences.WORDS))
        ]
    else:
        shown = _SHOWN
    if act.kind:
        for one in shown:
            match = present.rule_for(act.object_type, act.metric, data, **one)
            if match and match.rule.kind == act.kind:
                return one, {_all_told(present, act.metric): _opened_by(match.rule)}
    return shown[0], {}


def _bought(times: Iterable[datetime], hours: int) -> int:
    """How many answers one question takes, each of which is good for so many hours."""
    number, good_until = 0, None
    for moment in sorted(times):
        if good_until is None or moment >= good_until:
            number += 1
            good_until = moment + timedelta(hours=hours)
    return number


class _Worth:
    """Adds up value: a company's largest amount counts once in each currency."""

    def __init__(self, book: Rulebook, present: Rulebook) -> None:
        self._terms: Terms | None = None  # the rows were read by those of the present rules
        if _value_roles(book) != _value_roles(present):
            self._terms = replace(Terms.load(), roles=_value_roles(book))
        self._alone: dict[str, Decimal] = defaultdict(Decimal)
        self._companies: dict[tuple[str, str], Decimal] = {}

    def add(self, customer: Customer | None) -> None:
        if customer is None:
            return
        worth = self._terms.read(customer.attributes) if self._terms else customer.worth
        month, currency = worth["value_month"], worth["value_currency"]
        company = worth["company"].lower()
        if month is None:
            return
        if worth["value_level"] == ValueLevel.COMPANY and company:
            key = (currency, company)
            self._companies[key] = max(month, self._companies.get(key, month))
        else:
            self._alone[currency] += month

    def sums(self) -> dict[str, Decimal]:
        """By currency."""
        sums = defaultdict(Decimal, self._alone)
        for (currency, _), month in self._companies.items():
            sums[currency] += month
        return dict(sums)


def _value_roles(book: Rulebook) -> dict[str, list[str]]:
    return {role: book.roles[role] for role in sorted(ROLES) if role in book.roles}
