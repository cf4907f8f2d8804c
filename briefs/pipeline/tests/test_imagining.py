"""What is imagined of an event is what happens when it is processed, and leaves no trace."""

import json
from datetime import UTC, datetime

import pytest

from briefs.models import Brief, Research, Signal
from briefs.pipeline import draining
from briefs.pipeline.imagining import imagine, imagine_rule
from briefs.reading.first_steps import FirstSteps
from briefs.tests.factories import (
    make_customer,
    make_event,
    make_payload,
    make_signal,
    make_threshold,
)
from personas.models import Customer, SignalRule, Terms
from personas.rules.rulebook import Rulebook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

KNOWN = {"topics": {"topic_1": True, "topic_2": True}, "channels": {"email": True, "sms": True}}
SMS_OFF = json.dumps({**KNOWN, "channels": {"email": True, "sms": False}})
TOPICS_OFF = json.dumps({"topics": {"topic_1": False, "topic_2": False}})
MESSAGE = {"recipient": "ada@example.com", "subject": "Spring"}
PREFERENCES = "cio_subscription_preferences_changed"
EVENTS = [
    ("customer", "unsubscribed", {}),
    ("customer", "subscribed", {}),
    ("email", "unsubscribed", MESSAGE),
    ("push", "unsubscribed", {"recipient": "device", "subject": ""}),
    ("email", "spammed", MESSAGE),
    ("email", "bounced", {**MESSAGE, "failure_message": "550 5.1.1 user unknown"}),
    ("email", "bounced", {**MESSAGE, "failure_message": "452 4.2.2 mailbox full"}),
    ("email", "bounced", {"recipient": "else@example.com", "failure_message": "550 5.1.1 gone"}),
    ("email", "dropped", MESSAGE),
    ("email", "converted", MESSAGE),
    ("email", "opened", MESSAGE),
    ("customer", PREFERENCES, {"content": SMS_OFF}),
    ("customer", PREFERENCES, {"content": TOPICS_OFF}),
    ("customer", PREFERENCES, {}),
]


def make_ada(**attributes) -> Customer:
    known = {"plan": "enterprise", "usage_tier": "low", "mrr": "4200", **attributes}
    names = {"email": "ada@example.com", "phone": "+442079460000"}
    worth = Terms.load().read(known)
    return make_customer(**names, attributes=known, preferences=KNOWN, **worth)


def event_of(customer, object_type, metric, data):
    named = {"id": customer.external_id}
    data = {"identifiers": named, **data}
    return make_event(make_payload(object_type=object_type, metric=metric, data=data))


def imagined_of(event, customer):
    return imagine(event, Customer.objects.get(pk=customer.pk), Rulebook.load())


def told(row, *names):
    return [getattr(row, name) for name in names] if row else None


@pytest.mark.parametrize(("object_type", "metric", "data"), EVENTS)
@pytest.mark.parametrize("plan", ["enterprise", "free"])
def test_what_is_imagined_happens(plan, object_type, metric, data):
    make_threshold(top_from=4000)
    customer = make_ada(plan=plan)
    event = event_of(customer, object_type, metric, data)

    imagined = imagined_of(event, customer)
    assert [model.objects.count() for model in (Brief, Signal, Research)] == [0, 0, 0]
    draining.drain()

    signal, brief = Signal.objects.first(), Brief.objects.first()
    of_signal = ("kind", "detail", "effect", "severity", "level", "message", "why")
    assert told(imagined.signal, *of_signal) == told(signal, *of_signal)
    of_brief = ("persona", "kind", "detail", "priority", "priority_reasons", "question_facts",
                "value_amount", "value_month", "value_currency")  # fmt: skip
    if brief:
        brief.refresh_from_db()
        imagined_step = FirstSteps([imagined.brief], [imagined.signal]).of(imagined.brief)
        assert imagined_step == FirstSteps([brief]).of(brief)
        assert imagined.question.hash == brief.research.question_hash
    assert told(imagined.brief, *of_brief) == told(brief, *of_brief)
    if not brief:
        event.refresh_from_db()
        assert imagined.why_no_brief.split(" · ")[0] in event.status_reason


def test_rule_and_persona_explained_are_those_that_decided():
    customer = make_ada()
    event = event_of(customer, "customer", "unsubscribed", {})

    imagined = imagined_of(event, customer)

    assert imagined.explanation.rule == imagined.draft.rule
    assert imagined.explanation.persona == imagined.brief.persona


def test_delivery_counts_only_where_messages_did_not_arrive_before():
    customer = make_ada()
    event = event_of(customer, "email", "delivered", MESSAGE)

    before = imagined_of(event, customer)
    make_signal(customer=customer, kind="address_gone", event=None, happened_at=event.occurred_at)
    Signal.objects.update(happened_at="2026-01-01T00:00Z")
    after = imagined_of(event, customer)

    assert before.explanation.rules == []
    assert after.explanation.rule.name == "Reached again after the address was gone"


def test_of_an_event_that_no_rule_is_about_each_rule_says_what_it_is_about():
    customer = make_ada()

    imagined = imagined_of(event_of(customer, "email", "opened", MESSAGE), customer)

    lines = imagined.explanation.rules
    assert lines
    assert all(line.is_about_other_events for line in lines)


def test_customer_of_whom_nothing_is_known_gets_the_unknown_persona_and_no_question():
    event = make_event()

    imagined = imagine(event, Customer(external_id="new"), Rulebook.load())

    assert imagined.brief.persona.is_unknown
    assert imagined.question is None
    assert not Customer.objects.exists()


def test_event_that_names_nobody_opens_no_brief():
    event = make_event(make_payload(data={}))

    imagined = imagine(event, None, Rulebook.load())

    assert imagined.why_no_brief.startswith("no brief: the event names no person")


def test_customer_is_unsubscribed_since_the_event():
    customer = make_ada()
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    Customer.objects.update(is_unsubscribed=True, subscription_changed_at=long_ago)
    event = event_of(customer, "customer", "unsubscribed", {})

    imagined = imagined_of(event, customer)

    assert imagined.brief.customer.subscription_changed_at == event.occurred_at
    assert Customer.objects.get().subscription_changed_at == long_ago


def test_rule_that_is_supposed_to_decide_makes_its_brief():
    rule = SignalRule.objects.get(name="Spam complaint")

    imagined = imagine_rule(rule, make_ada(), Rulebook.load())

    assert imagined.brief.kind == "spam_complaint"
    assert imagined.explanation.rules == []


def test_nobody_is_looked_up(sandbox):
    customer = make_customer(external_id="enterprise-logistics-low-1", fetched_at=None)

    imagined_of(event_of(customer, "customer", PREFERENCES, {"content": SMS_OFF}), customer)

    assert not sandbox.requests
