"""Rules are edited while events are processed: each reason agrees with the version it names."""

import pytest

from briefs.models import Brief, Signal
from briefs.pipeline import draining, understanding
from briefs.tests.factories import make_customer, make_event, make_payload
from personas import starter
from personas.models import Persona, PersonaCondition, RuleVersion, SignalRule
from personas.rules import versions
from personas.rules.rulebook import Rulebook
from webhooks.models import WebhookEvent
from webhooks.tests.threads import Aside, at_once

pytestmark = pytest.mark.django_db(transaction=True)

EDITS = 20
PLANS = ("enterprise", "business", "pro", "free")


@pytest.fixture
def many(threaded_db, request):
    """Customers who were looked up, and an event of each; returns their number."""
    starter.load_if_empty()
    count = getattr(request, "param", 1_000)
    for number in range(count):
        attributes = {"plan": PLANS[number % 4], "usage_tier": ("low", "high")[number % 2]}
        customer = make_customer(external_id=f"p{number}", attributes=attributes)
        identifiers = {"id": f"p{number}", "cio_id": customer.cio_id}
        make_event(make_payload(data={"identifiers": identifiers}))
    return count


def edit(number):
    """Each edit changes names, places and a value, in rows of two tables."""
    with versions.change(None, f"Edit {number}"):
        for place, persona in enumerate(Persona.objects.filter(is_default=False, is_unknown=False)):
            persona.name = f"{persona.name.partition(' (')[0]} ({number})"
            persona.position = (place * 7 + number) % 12
            persona.save()
        condition = PersonaCondition.objects.get(field="usage", persona__name__startswith="Bus")
        condition.value = ("high", "low")[number % 2]
        condition.save()
        rule = SignalRule.objects.get(kind="unsubscribed", level="person")
        rule.name = f"Unsubscribed ({number})"
        rule.save()


def check(count):
    """Every signal and brief of so many events, against the rules of the version that it names."""
    books = {version.number: Rulebook.of(version.document) for version in RuleVersion.objects.all()}
    signals = list(Signal.objects.select_related("customer", "event", "brief"))
    assert len(signals) == count
    for signal in signals:
        book, event = books[signal.rules_version], signal.event
        rule = book.rule_for(event.object_type, event.metric, event.data)
        persona = book.persona_for(signal.customer)
        assert signal.why == f"{rule.why} · {persona.why}"
        if signal.brief:
            assert signal.brief.rules_version == signal.rules_version
            assert signal.brief.persona_why == persona.why
    return {signal.rules_version for signal in signals}


# All kinds of customers in each batch, and a batch after the last edit.
@pytest.mark.parametrize("many", [200], indirect=True)
def test_reason_agrees_with_the_version_it_names_though_rules_change_meanwhile(many, monkeypatch):
    numbers = iter(range(EDITS))
    understand = understanding.understand

    def edited_meanwhile(events, rulebook):
        number = next(numbers, None)
        if number is not None:
            _ = Aside(lambda: edit(number)).result
        return understand(events, rulebook)

    monkeypatch.setattr(understanding, "understand", edited_meanwhile)
    monkeypatch.setattr(draining, "BATCH_SIZE", 9)

    while WebhookEvent.objects.filter(status="pending").exists():  # a drain ends after some seconds
        draining.drain()

    assert next(numbers, None) is None
    assert len(check(many)) == EDITS + 1
    assert Brief.objects.exists()


@pytest.mark.on_postgresql
@pytest.mark.long  # takes two cores for ten seconds to show by chance what the test above arranges
def test_two_workers_and_an_editor_at_once(many, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_SIZE", 20)

    def work(number):
        if number == 0:
            for count in range(EDITS):
                edit(count)
        else:
            draining.drain()

    at_once(3, work)

    while WebhookEvent.objects.filter(status="pending").exists():
        draining.drain()
    check(many)
