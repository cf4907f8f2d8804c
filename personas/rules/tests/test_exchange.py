"""Rules that were exported, wiped and imported decide as before, about anybody and anything."""

import random

import pytest
from django.utils import timezone

from personas import starter
from personas.models import Customer, FirstStep
from personas.rules import documents, restoring, versions
from personas.rules.parts import PARTS
from personas.rules.rulebook import Rulebook

pytestmark = pytest.mark.django_db

STRANGE = ["", " ", "null", "0", "1.5", "12%", "$1,200", "yes", "Nobody", '["a", "b"]',
           '{"plan": "x"}']  # fmt: skip


def wipe():
    """As a second installation is: no row is left."""
    steps = FirstStep.objects.all()
    steps._raw_delete(steps.db)
    for one in PARTS:
        one.model.objects.all().delete()


def words_of(document, key):
    """All values that conditions of a part compare with."""
    values = [
        one.get("value", "")
        for row in documents.rows(document, key)
        for one in row.get("conditions", [])
    ]
    return [word for value in values for word in (value if isinstance(value, list) else [value])]


def customer(made_up, document):
    names = [name for row in document["attribute_names"] for name in row["names"]]
    words = [*words_of(document, "personas"), *STRANGE]
    chosen = made_up.sample(names, made_up.randint(0, 6))
    attributes = {name: made_up.choice(words) for name in chosen}
    return Customer(attributes=attributes, fetched_at=timezone.now())


def event(made_up, document):
    rules = documents.rows(document, "signal_rules")
    kinds = [kind for row in rules for kind in row.get("object_types", [])] + ["customer"]
    metrics = [metric for row in rules for metric in row["metrics"]] + ["opened"]
    fields = [one["field"] for row in rules for one in row.get("conditions", [])]
    words = [*words_of(document, "signal_rules"), *STRANGE]
    data = {name: made_up.choice(words) for name in made_up.sample(fields, made_up.randint(0, 4))}
    found_out = {name: data.pop(name) for name in ("preferences", "reached") if name in data}
    return made_up.choice(kinds), made_up.choice(metrics), data, found_out


def decisions(book, number, document):
    made_up = random.Random(number)
    one, (kind, metric, data, found_out) = customer(made_up, document), event(made_up, document)
    match = book.rule_for(kind, metric, data, **found_out)
    return book.persona_for(one).why, match and match.why


@pytest.mark.parametrize(
    "number",
    [200, pytest.param(10_000, marks=pytest.mark.long)],  # a core for half a minute
)
@pytest.mark.parametrize("pack", ["saas", "ecommerce"])
def test_second_installation_decides_as_the_first(pack, number):
    starter.choose(pack)
    before, document = Rulebook.load(), documents.take()
    file = documents.written(document)
    with versions.change(None, "Wiped"):
        wipe()
    assert not any(documents.rows(documents.take(), one.key) for one in PARTS)

    restoring.put_in_place(documents.read(file), None, "Imported")

    after = Rulebook.load()
    assert documents.take() == document
    for seed in range(number):
        assert decisions(after, seed, document) == decisions(before, seed, document), seed


def test_made_up_customers_and_events_reach_most_rules(starter):
    book, document = Rulebook.load(), documents.take()
    reached = {name for seed in range(1_000) for name in decisions(book, seed, document) if name}

    named = [row["name"] for row in [*document["personas"], *document["signal_rules"]]]
    found = [name for name in named if any(f"“{name}”" in why for why in reached)]

    assert len(found) > 0.6 * len(named)
