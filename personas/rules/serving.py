"""Whom a persona would serve: the rules applied to the customers that were looked up last."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from personas.models import AttributeName, Customer, Persona, privacy, shapes
from personas.models.attributes import CustomerFacts
from personas.rules.rulebook import Rulebook

SAMPLE = 2_000
SAMPLE_FOR_NAMES = 500
NAMES_SHOWN = 30
VALUES_SHOWN = 12  # of a field
ALIKE = 3  # customers: what fewer of them have may say who somebody is
LONGEST_VALUE = 60


@dataclass(slots=True)
class Reach:
    """How many sampled customers a persona serves, and how many an earlier persona takes."""

    sampled: int = 0
    served: int = 0
    taken: Counter[str] = field(default_factory=Counter)

    @property
    def words(self) -> str:
        if not self.sampled:
            return "No customer has been looked up yet, so there is nobody to try this on."
        return (
            f"Matches {self.served:,} of the {self.sampled:,} most recently fetched customers."
            f"{self._taken_words}"
        )

    @property
    def _taken_words(self) -> str:
        if not self.taken:
            return ""
        takers = ", ".join(f"“{name}” {number:,}" for name, number in self.taken.most_common())
        return (
            f" A further {self.taken.total():,} meet its conditions, but an earlier persona "
            f"takes them: {takers}."
        )


def filled_words(item: AttributeName) -> str:
    """For how many customers one of the role's attributes is filled in."""
    customers = recently_fetched(SAMPLE)
    filled = sum(
        bool(CustomerFacts(one.attributes, {item.role: item.name_list}).find(item.role).value)
        for one in customers
    )
    return (
        f"“{item.role}” is filled in for {filled:,} of the {len(customers):,} most recently "
        "fetched customers."
    )


def reach_words(persona: Persona) -> str:
    """How many customers the persona serves, in words, or why that is not known."""
    try:
        return reach(persona).words
    except LookupError as error:  # the starter personas are missing
        return f"Nothing can be said: {error}."


def reach(persona: Persona) -> Reach:
    """Apply the personas as they are stored to the customers that were looked up last.

    Raises LookupError where there is no default persona.
    """
    rulebook = Rulebook.load()
    personas = [*rulebook.personas, rulebook.default, rulebook.unknown]
    stored = next(item for item in personas if item.pk == persona.pk)
    result = Reach()
    customers = recently_fetched(SAMPLE)
    rulebook.read_memberships(customers)
    for customer in customers:
        result.sampled += 1
        serving = rulebook.persona_for(customer).persona
        if serving.pk == stored.pk:
            result.served += 1
        elif not stored.is_fixed and rulebook.meets(stored, customer):
            result.taken[serving.name] += 1
    return result


def recently_fetched(number: int) -> list[Customer]:
    """The customers with the newest attributes; only the fields that the rules need are loaded."""
    customers = Customer.objects.filter(fetched_at__isnull=False, is_deleted=False)
    fields = ("attributes", "cio_id", "fetched_at", "is_deleted")
    return list(customers.only(*fields).order_by("-fetched_at")[:number])


@dataclass(frozen=True, slots=True)
class ValuesSeen:
    """For each field its commonest values and their numbers of customers, of so many sampled."""

    fields: list[tuple[str, list[tuple[str, int]]]]
    sampled: int


def values_seen(fields: Iterable[str]) -> ValuesSeen:
    """Nothing of attributes that say who somebody is, and no value that few customers have."""
    roles = {item.role: item.name_list for item in AttributeName.objects.all()}
    facts = [CustomerFacts(c.attributes, roles) for c in recently_fetched(SAMPLE_FOR_NAMES)]
    return ValuesSeen([(name, _commonest(name, facts)) for name in fields], len(facts))


def _commonest(name: str, facts: list[CustomerFacts]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    for each in facts:
        found = each.find(name)
        if not privacy.is_private([name, found.name], found.value):
            seen.update(shapes.parts(found.value))
    common = (
        (value, number)
        for value, number in seen.most_common()
        if number >= ALIKE and len(value) <= LONGEST_VALUE and not privacy.found(value)
    )
    return list(islice(common, VALUES_SHOWN))


def names_seen() -> tuple[Counter[str], int]:
    """How many of the sampled customers have each attribute filled in, and how many there are."""
    customers = recently_fetched(SAMPLE_FOR_NAMES)
    seen = Counter(
        name
        for customer in customers
        for name, value in customer.attributes.items()
        if not shapes.is_missing(str(value))
    )
    return Counter(dict(seen.most_common(NAMES_SHOWN))), len(customers)
