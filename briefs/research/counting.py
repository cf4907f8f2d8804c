"""How many different questions the present rules can ask, what that may cost, and how long one is.

A question is a persona, a signal and a list of facts: see `variants` for the facts.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from briefs.models.briefs import titled
from briefs.models.wording import MAX_QUESTION, Wording
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.questions import CHANNELS_NAMED, Asker, said_of
from briefs.research.variants import Variants, variants
from personas.models import AttributeName, Effect, Persona, SignalKind, SignalRule

LEAST_CREDITS = 10  # the least that one answer costs, as Mavera says
FAULTS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PersonaCount:
    """The questions of one persona: signals times lists of facts."""

    persona: Persona
    signals: int
    facts: int
    is_exact: bool

    @property
    def questions(self) -> int:
        return self.signals * self.facts

    @property
    def most_credits(self) -> int:
        return self.questions * RESERVED_CREDITS


@dataclass(frozen=True, slots=True)
class QuestionCount:
    """An upper bound: a customer whom an earlier persona takes never comes to a later one."""

    signals: list[str]
    personas: list[PersonaCount]

    @property
    def questions(self) -> int:
        return sum(row.questions for row in self.personas)

    @property
    def least_credits(self) -> int:
        return self.questions * LEAST_CREDITS

    @property
    def most_credits(self) -> int:
        return self.questions * RESERVED_CREDITS


def count(
    personas: Iterable[Persona],
    kinds: Iterable[str],
    roles: Mapping[str, list[str]],
    *,
    says_facts: bool = True,
) -> QuestionCount:
    """Count the questions of every persona that buys research, over these kinds of signal.

    roles: the attribute names of each. says_facts: whether the wording has {facts} at all;
    without it all customers of a persona have the same question. Makes no query if the conditions
    are prefetched.
    """
    labels = [label for kind in dict.fromkeys(kinds) for label in _labels(kind)]
    rows = []
    for persona in personas:
        if not persona.buys_research:
            continue
        found = variants_of(persona, roles)
        facts = found.number if says_facts else min(found.number, 1)
        is_exact = found.is_exact or facts <= 1
        rows.append(PersonaCount(persona, len(labels), facts, is_exact))
    return QuestionCount(labels, rows)


def _labels(kind: str) -> list[str]:
    """A signal, and where a question names its channel, the signal with each of them."""
    label = SignalKind(kind).label
    if kind == SignalKind.UNSUBSCRIBED:  # with a channel it asks what a channel opt-out asks
        return [label]
    said = [name for name in CHANNELS_NAMED if said_of(kind, name)]
    return [label, *[f"{label}: {name}" for name in said]]


def variants_of(persona: Persona, roles: Mapping[str, list[str]]) -> Variants:
    """The facts that can be said of this persona's customers."""
    if persona.is_fixed:  # for customers that no other persona takes: nothing is said of them
        return Variants(1, True, [], [])
    return variants(persona.conditions.all(), persona.match, roles)


def count_at_present(wording: Wording, *, only: int | None = None) -> QuestionCount:
    """Count by the rules, personas and attribute names as they are stored, in four queries.

    only: the key of the one persona to count.
    """
    personas = Persona.objects.in_use().prefetch_related("conditions")
    if only is not None:
        personas = personas.filter(pk=only)
    return count(personas, asked_kinds(), roles(), says_facts="facts" in wording.variables)


def asked_kinds() -> list[str]:
    """The kinds of signal for which an active rule opens a brief, in the rules' order."""
    rules = SignalRule.objects.filter(is_active=True, effect=Effect.OPENS_BRIEF)
    return list(dict.fromkeys(rules.values_list("kind", flat=True)))


def roles() -> dict[str, list[str]]:
    return {item.role: item.name_list for item in AttributeName.objects.all()}


def too_long(wording: Wording) -> list[str]:
    """Which questions would be too long to be sent, one sentence for each, the longest first.

    Tries every kind of signal with the longest facts of every persona that buys research.
    """
    asker, names = Asker(wording), roles()
    excesses = [
        _excess(asker, persona, variants_of(persona, names).longest)
        for persona in Persona.objects.in_use().prefetch_related("conditions")
        if persona.buys_research
    ]
    found = sorted((excess for excess in excesses if excess[0] > 0), key=lambda one: -one[0])
    return [words for _, words in found[:FAULTS_SHOWN]]


def too_long_for(persona: Persona) -> str:
    """Why this persona's longest question, in the wording in use, is too long; empty if it is not.

    A persona that is not saved yet has no conditions, so no facts.
    """
    if not persona.buys_research:
        return ""
    facts = variants_of(persona, roles()).longest if persona.pk else []
    excess, words = _excess(Asker.load(), persona, facts)
    return words if excess > 0 else ""


def _excess(asker: Asker, persona: Persona, facts: list[str]) -> tuple[int, str]:
    """How many characters too many the longest question has, and that in words."""
    lengths = {
        titled(kind.label, detail): len(asker.question_for(persona, kind, facts, detail).text)
        for kind in SignalKind
        for detail in ("", *[name for name in CHANNELS_NAMED if said_of(kind, name)])
    }
    label = max(lengths, key=lambda one: lengths[one])
    excess = lengths[label] - MAX_QUESTION
    return (
        excess,
        f"For “{persona}” and “{label}” the question would have {lengths[label]:,} characters, "
        f"{excess:,} more than the {MAX_QUESTION:,} that are sent at most. Shorten the text, or "
        "this persona's description, focus or conditions.",
    )
