"""The team's rules, read once per batch: event -> signal rule, customer -> persona."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from django.db import connection, transaction
from django.utils import timezone

from personas.models import AttributeName, Customer, Persona, RulesState, SignalRule
from personas.models.attributes import CustomerFacts
from personas.models.conditions import SEGMENTS
from personas.people.memberships import Memberships
from personas.rules import facts as events
from personas.rules import taking
from personas.rules.documents import Document, rows
from personas.rules.matching import Holding, holding, unread
from personas.rules.parts import part

# What this process read last, by `edits` and `version` of the state.
kept: "dict[tuple[int, int | None], Rulebook]" = {}


@dataclass(frozen=True, slots=True)
class RuleMatch:
    rule: SignalRule
    holding: list[Holding]
    version: int | None = None  # of the rules by which it was decided

    @property
    def why(self) -> str:
        details = [item.why for item in self.holding]
        return " · ".join([f"rule “{self.rule.name}”", *details])


@dataclass(frozen=True, slots=True)
class PersonaMatch:
    """unread: the segments that personas asked for before this one, and nobody knows who is in."""

    persona: Persona
    holding: list[Holding]
    note: str = ""
    unread: tuple[str, ...] = ()
    version: int | None = None  # of the rules by which it was decided

    @property
    def why(self) -> str:
        """Names persona, attribute and value, and what could not be asked for."""
        details = list(dict.fromkeys(item.why for item in self.holding)) or [self.note]
        names = " and ".join(f"“{name}”" for name in self.unread)
        gaps = f"; who is in the segment {names} is not known" if names else ""
        return f"persona “{self.persona.name}”: " + ", ".join(details) + gaps

    @property
    def question_facts(self) -> list[str]:
        """What the question may say about the customer: only the team's own words."""
        by_field = {item.found: item.question_words for item in reversed(self.holding)}
        facts = reversed(by_field.values())  # of two conditions on one value, the first
        return [words for words in facts if words]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """now: when the rules were read, which is when their events are handled; for “days ago”."""

    rules: list[SignalRule]
    personas: list[Persona]
    default: Persona
    unknown: Persona
    roles: dict[str, list[str]]
    now: datetime = field(default_factory=timezone.now)
    version: int | None = None  # the number; none for rules that have no version
    memberships: Memberships = field(init=False, compare=False)

    def __post_init__(self) -> None:
        asked = (condition for persona in self.personas for condition in persona.condition_list)
        object.__setattr__(self, "memberships", Memberships(asked))

    @classmethod
    def load(cls) -> "Rulebook":
        """The present rules, all of them of the same version; in one query if none was edited.

        Where the rules are changed while they are read, they are read again under the lock.
        Raises LookupError where no starter rules were loaded.
        """
        if taking.is_unsettled():
            return cls._read()
        state = RulesState.read()
        key = (state.edits, state.version)
        if state.is_told:
            if key in kept:
                return replace(kept[key], now=timezone.now())  # memberships are read anew, too
            book = replace(cls._read(), version=state.version)
            if RulesState.read().edits == state.edits:
                if not connection.in_atomic_block:  # else the state may be taken back
                    kept.clear()
                    kept[key] = book
                return book
        with transaction.atomic():
            version = taking.catch_up(RulesState.locked())
            rows = cls._rows()
        # Outside: where there are no personas, the version is kept all the same.
        return replace(cls._made(*rows), version=version.number if version else None)

    @classmethod
    def _read(cls) -> Self:
        return cls._made(*cls._rows())

    @staticmethod
    def _rows() -> tuple[list[SignalRule], list[Persona], list[AttributeName]]:
        return (
            list(SignalRule.objects.filter(is_active=True).prefetch_related("conditions")),
            list(Persona.objects.in_use().prefetch_related("conditions")),
            list(AttributeName.objects.all()),
        )

    @classmethod
    def of(cls, document: Document) -> Self:
        """The rules of a document, as rows that are in no database. Raises LookupError, as `load`.

        Whom a persona assigns briefs to is left out.
        """
        rules, personas, names = (
            [part(key).build(row) for row in rows(document, key)]
            for key in ("signal_rules", "personas", "attribute_names")
        )
        return cls._made([rule for rule in rules if rule.is_active], personas, names)

    @classmethod
    def _made(
        cls,
        rules: Iterable[SignalRule],
        personas: list[Persona],
        names: Iterable[AttributeName],
    ) -> Self:
        default = next((persona for persona in personas if persona.is_default), None)
        unknown = next((persona for persona in personas if persona.is_unknown), None)
        if default is None or unknown is None:
            raise LookupError("no personas yet: run manage.py load_starter_rules")
        return cls(
            rules=list(rules),
            personas=[persona for persona in personas if not persona.is_fixed],
            default=default,
            unknown=unknown,
            roles={item.role: item.name_list for item in names},
        )

    def knows(self, metric: str) -> bool:
        """Whether any rule names the metric; if none does, the event is ignored."""
        return any(metric in rule.metric_list for rule in self.rules)

    def asks_whose_address(self, object_type: str, metric: str, level: str) -> bool:
        """Whether it matters to any rule that the message went to another address."""
        return any(
            rule.covers(object_type, metric, level)
            and any(condition.field.strip() == "recipient_is" for condition in rule.condition_list)
            for rule in self.rules
        )

    def speaks_of(self, object_type: str, metric: str, level: str) -> bool:
        """Whether any rule covers such events; if none does, the customer need not be looked up."""
        return any(rule.covers(object_type, metric, level) for rule in self.rules)

    def rule_for(
        self, object_type: str, metric: str, data: Mapping[str, Any], **found_out: str
    ) -> RuleMatch | None:
        """The first rule that fits the event; `found_out` as in `facts.facts`."""
        level = events.level(object_type, data)
        facts = events.facts(data, **found_out)
        for rule in self.rules:
            if not rule.covers(object_type, metric, level):
                continue
            held = holding(rule.condition_list, rule.match, facts, self.now)
            if held is not None:
                return RuleMatch(rule, held, self.version)
        return None

    def _deciding_roles(self) -> set[str]:
        """The roles in conditions of personas that open briefs; all roles if there are none.

        Other roles, such as a company name, say nothing about which persona fits.
        """
        named = {
            condition.field.strip().lower()
            for persona in self.personas
            if persona.opens_brief
            for condition in persona.condition_list
            if condition.operator not in SEGMENTS
        }
        return named & set(self.roles) or set(self.roles)

    def facts_of(self, customer: Customer) -> CustomerFacts:
        return CustomerFacts(customer.attributes, self.roles)

    def read_memberships(self, customers: Iterable[Customer]) -> None:
        """Read at once which segments these customers are in, before their personas are asked for.

        What was not read so is read for each customer alone.
        """
        self.memberships.read(customers)

    def meets(self, persona: Persona, customer: Customer) -> bool:
        """Whether the persona's conditions hold, whichever persona comes before it."""
        segments = self.memberships.of(customer)
        facts = self.facts_of(customer)
        return holding(persona.condition_list, persona.match, facts, self.now, segments) is not None

    def persona_for(self, customer: Customer) -> PersonaMatch:
        """The first persona that fits; unknown if there is nothing to decide on.

        A profile without any mapped attribute is unknown too: most likely our attribute names
        are wrong.
        """
        if customer.is_deleted:
            return self._match(self.unknown, "deleted in Customer.io, or never there")
        if customer.fetched_at is None:
            return self._match(self.unknown, "profile not looked up")
        facts, segments = self.facts_of(customer), self.memberships.of(customer)
        gaps: dict[str, None] = {}
        for persona in self.personas:
            if self.memberships.segments:
                gaps |= dict.fromkeys(unread(persona.condition_list, segments))
            held = holding(persona.condition_list, persona.match, facts, self.now, segments)
            if held is not None:
                return self._match(persona, "it asks for nothing in particular", held, gaps)
        if not any(facts.find(role).value for role in self._deciding_roles()):
            return self._match(self.unknown, "none of the mapped attributes is filled in")
        seen = [
            f"{role} “{facts.find(role).shown(60)}”"
            for role in ("plan", "industry", "usage")
            if facts.find(role).value
        ]
        note = "no other persona fits" + (f" ({', '.join(seen)})" if seen else "")
        return self._match(self.default, note, gaps=gaps)

    def _match(
        self,
        persona: Persona,
        note: str,
        held: Sequence[Holding] = (),
        gaps: Iterable[str] = (),
    ) -> PersonaMatch:
        return PersonaMatch(persona, list(held), note, tuple(gaps), self.version)
