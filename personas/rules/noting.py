"""Notes on a persona as it is stored, for whoever edits it: see `checking`."""

from collections.abc import Collection, Iterable, Iterator

from personas.models import Customer, Persona, shapes
from personas.rules import checking
from personas.rules.rulebook import Rulebook
from personas.rules.serving import SAMPLE_FOR_NAMES, recently_fetched

SERVES = "serves"  # what a persona does
DECIDES = "decides for"  # what a signal rule does


def of_persona(persona: Persona) -> Iterator[str]:
    """In sentences: contradictions, shadows, and what none of the latest customers has."""
    try:
        rulebook = Rulebook.load()
    except LookupError:  # the starter personas are missing: said elsewhere
        return
    key = checking.by_role(rulebook.roles)
    stored = next((one for one in rulebook.personas if one.name == persona.name), None)
    if stored is None:  # default and unknown have no conditions
        return
    yield from checking.contradictions(stored, key, SERVES)
    yield from checking.shadows(stored, rulebook.personas, key, SERVES)
    if stored.condition_list:
        customers = recently_fetched(SAMPLE_FOR_NAMES)
        facts = [rulebook.facts_of(customer) for customer in customers]
        known = {*rulebook.roles, *_names(customers)}
        yield from checking.unseen(stored, facts, known, key, "customers")


def faults(rulebook: Rulebook) -> list[str]:
    """What can be said of all rules without looking at customers and events."""
    of_personas = checking.faults(rulebook.personas, checking.by_role(rulebook.roles), SERVES)
    return [*checking.faults(rulebook.rules, checking.of_event, DECIDES), *of_personas]


def _names(customers: Iterable[Customer]) -> Collection[str]:
    """The attributes of these customers, and the members of objects in them."""
    found = set()
    for customer in customers:
        for name, value in customer.attributes.items():
            if not shapes.is_missing(str(value)):
                found.add(name)
                found.update(f"{name}.{member}" for member in shapes.fields(str(value)))
    return found
