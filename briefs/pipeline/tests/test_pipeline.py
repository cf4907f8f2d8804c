"""From stored event to brief, over HTTP with the sandbox."""

import secrets
import time
from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ

from briefs.models import Brief, Research, Signal
from briefs.pipeline import draining
from briefs.research.working import run_next
from briefs.tests.factories import make_customer, make_event, make_payload, make_threshold
from operations import sweeping
from personas.models import Customer
from webhooks import waking
from webhooks.models import Bell, WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


def event_of(person, metric="unsubscribed", object_type="customer", event=None, **data):
    return make_event(
        make_payload(
            object_type=object_type,
            metric=metric,
            data={"identifiers": {"id": person}, **data},
            **(event or {}),
        )
    )


def reason(event):
    event.refresh_from_db()
    return event.status_reason


def test_enterprise_unsubscribe_opens_an_urgent_brief_and_asks_for_research(sandbox):
    make_threshold()
    event = event_of("enterprise-logistics-low-1")

    draining.drain()

    brief = Brief.objects.get()
    assert brief.persona.name == "Enterprise, low usage"
    assert brief.get_priority_display() == "Urgent"
    assert brief.basis == "playbook"
    assert brief.research.status == "queued"
    assert brief.customer.external_id == "enterprise-logistics-low-1"
    assert brief.signals.get().event == event
    assert reason(event).startswith("opened a brief: rule “Unsubscribed”")
    assert "plan is “enterprise”" in event.status_reason
    assert "usage (attribute usage_tier) is “low”" in event.status_reason


def test_research_upgrades_the_brief_in_place(sandbox):
    event_of("enterprise-logistics-low-1")
    draining.drain()

    assert run_next()

    brief = Brief.objects.get()
    assert (brief.basis, brief.research.status) == ("new", "done")
    assert brief.researched_at
    assert "## First 24 hours" in brief.research.answer
    assert brief.research.sources[0]["url"].startswith("https://")
    call = brief.research.calls.get()
    assert (call.outcome, call.credits) == ("answered", brief.research.credits)


def test_same_question_is_asked_once_and_shared(sandbox):
    for number in range(5):
        event_of(f"enterprise-logistics-low-{number}")
    draining.drain()
    while run_next():
        pass
    event_of("enterprise-logistics-low-late")
    draining.drain()

    assert Research.objects.count() == 1
    assert [b.basis for b in Brief.objects.order_by("pk")] == ["new"] + ["shared"] * 5
    assert not any(brief.research is None for brief in Brief.objects.all())


def test_free_customer_gets_no_brief_and_the_reason_names_persona_and_attribute(sandbox):
    event = event_of("free-retail-high-1")

    draining.drain()

    assert not Brief.objects.exists()
    assert "persona “Free, heavy use” opens none" in reason(event)
    assert "plan is “free”" in event.status_reason
    assert event.status == "processed"
    assert Signal.objects.get().brief is None


def test_opt_in_is_good_news_without_a_look_up(sandbox):
    event = event_of("enterprise-logistics-low-1", metric="subscribed")

    draining.drain()

    assert not Brief.objects.exists()
    assert reason(event).startswith("good news, no brief")
    assert not sandbox.requests


def test_event_of_no_rule_is_ignored_in_words(sandbox):
    event = event_of("enterprise-logistics-low-1", metric="delivered", object_type="email")

    draining.drain()

    assert reason(event) == "no churn signal: no active rule speaks of “email delivered”"
    assert event.status == "ignored"
    assert not Customer.objects.exists()


def test_event_without_a_person_is_ignored_in_words(sandbox):
    event = make_event(make_payload(data={"identifiers": {"id": None}, "customer_id": ""}))

    draining.drain()

    assert "names no person" in reason(event)


def test_second_signal_joins_the_open_brief_and_raises_its_priority(sandbox):
    make_threshold()
    event_of(
        "enterprise-logistics-low-1",
        metric="bounced",
        object_type="email",
        failure_message="550 5.1.1 user unknown",
    )
    draining.drain()
    assert Brief.objects.get().get_priority_display() == "High"
    later = event_of("enterprise-logistics-low-1", metric="spammed", object_type="email")

    draining.drain()

    brief = Brief.objects.get()
    assert brief.get_priority_display() == "Urgent"
    assert brief.signals.count() == 2
    assert reason(later).startswith("joined the customer's open brief")


def test_after_closing_the_next_signal_opens_a_new_brief(sandbox):
    event_of("enterprise-logistics-low-1")
    draining.drain()
    Brief.objects.get().close("retained")
    event_of("enterprise-logistics-low-1", metric="spammed", object_type="email")

    draining.drain()

    assert Brief.objects.count() == 2
    assert Brief.objects.open().count() == 1


@pytest.mark.parametrize("person_first", [True, False])
def test_person_and_delivery_level_unsubscribe_of_one_act_are_one_entry(sandbox, person_first):
    def person():
        event_of("enterprise-logistics-low-1", email_address="x@example.com")

    def delivery():
        event_of(
            "enterprise-logistics-low-1",
            object_type="email",
            recipient="x@example.com",
            subject="Our news",
            delivery_id="d1",
        )

    for send in (person, delivery) if person_first else (delivery, person):
        send()
        draining.drain()

    brief = Brief.objects.get()
    first, echo = brief.signals.order_by("pk")
    assert echo.same_act_as == first
    assert brief.activities.count() == 1


def test_both_reports_of_one_act_in_one_batch_are_one_entry(sandbox):
    event_of("enterprise-logistics-low-1", email_address="x@example.com")
    event_of("enterprise-logistics-low-1", object_type="email", recipient="x@example.com")

    draining.drain()

    brief = Brief.objects.get()
    first, echo = brief.signals.order_by("pk")
    assert echo.same_act_as == first
    assert brief.activities.count() == 1


def test_preferences_that_changed_within_the_hour_are_looked_up_again(sandbox):
    topics = "cio_subscription_preferences"
    everything, nothing = '{"topics":{"a":true,"b":true}}', '{"topics":{"a":false,"b":false}}'
    person = {"plan": "enterprise", "usage_tier": "low"}
    sandbox.people.add("p1", attributes={**person, topics: everything})
    event_of("p1", metric="cio_subscription_preferences_changed")
    draining.drain()
    sandbox.people.add("p1", attributes={**person, topics: nothing})
    later = event_of("p1", metric="cio_subscription_preferences_changed")

    draining.drain()

    assert reason(later).startswith("opened a brief")
    assert Brief.objects.get().kind == "all_topics_off"


def test_questions_from_mave_are_no_research(sandbox):
    sandbox.faults.add("mave/chat", "clarify")
    event_of("enterprise-logistics-low-1")
    draining.drain()

    run_next()

    brief = Brief.objects.get()
    assert (brief.basis, brief.research.status) == ("playbook", "failed")
    assert brief.research.status_reason.startswith("Mave asked back")
    assert brief.research.reason_code == "asked_back"
    assert brief.research.answer
    assert brief.research.calls.get().outcome == "answered"


def test_echo_after_the_brief_was_closed_opens_no_second_one(sandbox):
    event_of("enterprise-logistics-low-1")
    draining.drain()
    Brief.objects.get().close("retained")
    event_of("enterprise-logistics-low-1", object_type="email", recipient="x@example.com")

    draining.drain()

    assert Brief.objects.count() == 1


def test_same_act_under_another_event_id_makes_no_second_brief(sandbox):
    sent = {"metric": "spammed", "object_type": "email", "delivery_id": "d1"}
    event_of("enterprise-logistics-low-1", **sent)
    draining.drain()
    Brief.objects.get().close("retained")
    again = event_of("enterprise-logistics-low-1", **sent)

    draining.drain()

    assert Brief.objects.count() == 1
    assert reason(again).startswith("the same act as reported by another event")


def test_complaint_about_another_delivery_is_another_act(sandbox):
    sent = {"metric": "spammed", "object_type": "email"}
    event_of("enterprise-logistics-low-1", delivery_id="d1", **sent)
    draining.drain()
    Brief.objects.get().close("retained")
    event_of("enterprise-logistics-low-1", delivery_id="d2", **sent)

    draining.drain()

    assert Brief.objects.count() == 2


def test_unsubscribing_that_was_undone_before_it_arrived_opens_no_brief(sandbox):
    at = {"timestamp": 1_700_000_500}
    event_of("enterprise-logistics-low-1", metric="subscribed", event=at)
    draining.drain()
    late = event_of("enterprise-logistics-low-1", event={"timestamp": 1_700_000_000})

    draining.drain()

    assert not Brief.objects.exists()
    assert "they have subscribed again since" in reason(late)


def test_text_that_no_database_takes_is_cleaned_and_stored(sandbox):
    event = event_of(
        "enterprise-logistics-low-1",
        metric="bounced",
        object_type="email",
        failure_message="5.1.1 \ud800 user\0 unknown",
        subject="\udfff",
    )

    draining.drain()

    assert reason(event).startswith("opened a brief")


def test_deleted_person_gets_a_low_brief_and_no_research(sandbox):
    event_of("deleted-4711")

    draining.drain()

    brief = Brief.objects.get()
    assert brief.get_priority_display() == "Low"
    assert "deleted in Customer.io" in brief.persona_why
    assert brief.research is None


def test_failed_look_up_waits_for_the_profile_and_buys_nothing(sandbox):
    sandbox.faults.add("customers/attributes", "500", count=9)
    event_of("enterprise-logistics-low-1")

    draining.drain()

    brief = Brief.objects.get()
    assert brief.is_waiting_for_profile
    assert brief.persona.is_unknown
    assert brief.research is None
    assert not Brief.objects.in_inbox().exists()


def test_waiting_brief_is_mapped_when_the_profile_arrives(sandbox):
    make_threshold()
    sandbox.faults.add("customers/attributes", "500", count=1)
    event_of("enterprise-logistics-low-1")
    draining.drain()
    _open_breaker()

    sweeping.sweep()

    brief = Brief.objects.get()
    assert not brief.is_waiting_for_profile
    assert brief.persona.name == "Enterprise, low usage"
    assert brief.get_priority_display() == "Urgent"
    assert brief.research.status == "queued"


def test_waiting_brief_is_withdrawn_when_its_persona_opens_none(sandbox):
    sandbox.faults.add("customers/attributes", "500", count=1)
    event_of("free-retail-high-1")
    draining.drain()
    _open_breaker()

    sweeping.sweep()

    brief = Brief.objects.get()
    assert (brief.state, brief.outcome) == ("closed", "withdrawn")
    assert "Free, heavy use" in brief.closing_note


def test_waiting_brief_that_somebody_took_is_not_withdrawn(sandbox, user):
    sandbox.faults.add("customers/attributes", "500", count=1)
    event_of("free-retail-high-1")
    draining.drain()
    Brief.objects.get().assign(user, user)
    _open_breaker()

    sweeping.sweep()

    assert Brief.objects.get().is_open


def _open_breaker():
    from personas.models import AppApiHealth

    AppApiHealth.objects.update(retry_at=None)


def test_failed_look_up_uses_stale_attributes(sandbox):
    sandbox.faults.add("customers/attributes", "500", count=9)
    make_customer(
        external_id="old", cio_id=None, fetched_at=timezone.now() - timezone.timedelta(days=3)
    )
    event_of("old")

    draining.drain()

    brief = Brief.objects.get()
    assert brief.persona.name == "Enterprise, low usage"
    assert not brief.is_waiting_for_profile


def test_profile_without_any_mapped_attribute_is_unknown_but_not_hidden(sandbox):
    make_customer(external_id="odd", attributes={"favourite_colour": "green"})
    event_of("odd")

    draining.drain()

    brief = Brief.objects.in_inbox().get()
    assert brief.persona.is_unknown
    assert "none of the mapped attributes" in brief.persona_why


def test_without_an_app_key_the_brief_is_in_the_inbox():
    event_of("anybody")

    draining.drain()

    assert (
        Brief.objects.in_inbox()
        .get()
        .persona_why.endswith("App API of Customer.io is not connected")
    )


def test_blast_is_looked_up_in_batches_of_a_hundred(sandbox):
    for number in range(150):
        event_of(f"enterprise-logistics-low-{number}")

    draining.drain()

    assert Brief.objects.count() == 150
    assert len(sandbox.requests) == 2


def test_late_unsubscribe_does_not_undo_a_newer_subscription(sandbox):
    event_of("enterprise-logistics-low-1", metric="subscribed", event={"timestamp": 1_700_000_500})
    event_of("enterprise-logistics-low-1", event={"timestamp": 1_700_000_000})

    draining.drain()

    assert Customer.objects.get().subscription_changed_at.timestamp() == 1_700_000_500


def test_poison_event_fails_no_other_event_and_ends_dead(sandbox, monkeypatch):
    from briefs.pipeline import understanding

    poison, *_ = [event_of(f"enterprise-logistics-low-{n}") for n in range(4)]
    match = understanding._match_rule

    def fail_on_poison(draft, rulebook):
        if draft.event.pk == poison.pk:
            raise RuntimeError("poison")
        match(draft, rulebook)

    monkeypatch.setattr(understanding, "_match_rule", fail_on_poison)

    for _ in range(6):
        draining.drain()
        WebhookEvent.objects.filter(status="pending").update(available_at=None)

    assert Brief.objects.count() == 3
    assert reason(poison) == "failed 5 times, last with RuntimeError: poison"
    assert poison.status == "dead"


def test_batch_with_a_poison_event_is_halved_and_costs_the_others_no_try(monkeypatch):
    events = [event_of(f"enterprise-logistics-low-{n}") for n in range(64)]
    sizes = []
    read = draining.read

    def fail_on_poison(batch):
        sizes.append(len(batch))
        if events[20] in batch:
            raise RuntimeError("poison")
        return read(batch)

    monkeypatch.setattr(draining, "read", fail_on_poison)

    draining.process(WebhookEvent.objects.all().claim_batch(64))

    assert sorted(sizes, reverse=True) == [64, 32, 32, 16, 16, 8, 8, 4, 4, 2, 2, 1, 1]
    assert WebhookEvent.objects.filter(status="processed", tries=1).count() == 63
    assert reason(events[20]) == "try 1 failed: RuntimeError: poison"


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)  # else the failure would end the test's own transaction
def test_value_beyond_a_limit_of_the_database_costs_the_others_no_try(sandbox):
    events = [event_of(f"enterprise-logistics-low-{n}") for n in range(8)]
    signs = "".join(chr(0x20000 + secrets.randbelow(0xA000)) for _ in range(990))
    # As stored by a version that let it in: an index of PostgreSQL takes 2,704 bytes.
    WebhookEvent.objects.filter(pk=events[3].pk).update(identifiers={"id": signs})

    draining.process(WebhookEvent.objects.all().claim_batch(8))

    assert WebhookEvent.objects.filter(status="processed", tries=1).count() == 7
    assert reason(events[3]) == "try 1 failed: OperationalError"


def test_batch_is_not_halved_while_the_database_fails(monkeypatch):
    for number in range(8):
        event_of(f"enterprise-logistics-low-{number}")
    read = Mock(side_effect=OperationalError("the server closed the connection"))
    monkeypatch.setattr(draining, "read", read)

    assert draining.process(WebhookEvent.objects.all().claim_batch(8)) == 0

    assert read.call_count == 1
    assert WebhookEvent.objects.filter(status="pending", lease_token=None).count() == 8


def test_lease_that_was_taken_over_writes_nothing(sandbox):
    event_of("enterprise-logistics-low-1")
    frozen = WebhookEvent.objects.all().claim_batch(10)
    WebhookEvent.objects.update(lease_until=timezone.now() - timezone.timedelta(seconds=1))
    draining.drain()
    assert Brief.objects.count() == 1

    assert draining.process(frozen) == 0

    assert Signal.objects.count() == 1
    assert Brief.objects.get().signals.count() == 1


def test_drain_silences_the_bell_before_it_looks(sandbox):
    Bell.turn_on()

    draining.drain()

    assert Bell.turn_on()


def test_full_batch_wakes_another_worker(sandbox, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_SIZE", 2)
    for number in range(5):
        event_of(f"enterprise-logistics-low-{number}")
    received_a_while_ago()

    draining.drain()

    assert OrmQ.objects.filter(key="default").count() == 1
    assert not Bell.turn_on()


def received_a_while_ago():
    WebhookEvent.objects.update(received_at=timezone.now() - timedelta(minutes=1))


def test_while_events_arrive_no_second_worker_is_woken(sandbox, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_SIZE", 2)
    monkeypatch.setattr(draining, "_is_receiving", lambda: True)
    for number in range(5):
        event_of(f"enterprise-logistics-low-{number}")

    assert draining.drain() == 5

    assert not OrmQ.objects.filter(key="default").exists()


def test_batch_that_is_not_full_wakes_nobody(sandbox):
    event_of("enterprise-logistics-low-1")

    draining.drain()

    assert not OrmQ.objects.filter(key="default").exists()


def test_drain_goes_on_alone_when_the_broker_fails(sandbox, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_SIZE", 2)
    monkeypatch.setattr(waking, "async_task", Mock(side_effect=ConnectionError))
    for number in range(5):
        event_of(f"enterprise-logistics-low-{number}")
    received_a_while_ago()

    assert draining.drain() == 5

    assert Bell.turn_on()


@pytest.mark.parametrize("trouble", [None, ConnectionError])
def test_drain_whose_time_is_used_up_rings_and_raises_nothing_if_the_broker_fails(
    settings, monkeypatch, trouble
):
    settings.DRAIN_TIMEOUT_SECONDS = 0
    woken = Mock(side_effect=trouble)
    monkeypatch.setattr(waking, "async_task", woken)

    assert draining.drain() == 0

    assert woken.call_count == 1
    assert Bell.objects.get().is_rung == (trouble is None)


def test_events_to_be_claimed_alone_are_not_forgotten_beside_full_batches(sandbox, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_SIZE", 2)
    for number in range(8):
        event_of(f"enterprise-logistics-low-{number}")
    tried = WebhookEvent.objects.order_by("-pk").values_list("pk", flat=True)[:3]
    WebhookEvent.objects.filter(pk__in=list(tried)).update(tries=1)

    assert draining.drain() == 8

    assert not WebhookEvent.objects.waiting().exists()


@pytest.fixture
def pauses(monkeypatch):
    lengths = []
    monkeypatch.setattr(draining, "time", Mock(wraps=time, sleep=lengths.append))
    return lengths


def test_drain_pauses_for_the_receiver_while_events_arrive(pauses):
    event_of("enterprise-logistics-low-1")
    # However long the machine takes from here: it arrives just now.
    WebhookEvent.objects.update(received_at=timezone.now() + timedelta(hours=1))

    draining._pause_for_receiver(paused_at=time.monotonic())

    assert pauses[0] >= 0.1


def test_after_few_events_there_is_no_pause(sandbox, pauses, monkeypatch):
    monkeypatch.setattr(draining, "_is_receiving", lambda: True)
    event_of("enterprise-logistics-low-1")
    draining.drain()
    assert not any(pauses)

    monkeypatch.setattr(draining, "NO_PAUSE_UP_TO", 0)
    event_of("enterprise-logistics-low-2")
    draining.drain()
    assert any(pauses)


def test_drain_of_a_backlog_does_not_pause_after_every_batch(pauses):
    draining._pause_for_receiver(paused_at=time.monotonic() + 60)  # on a busy machine as well

    assert pauses == []


def test_sqlite_pauses_once_a_second_for_other_writers(pauses):
    draining._pause_for_receiver(paused_at=time.monotonic() - 1.1)

    assert pauses == ([0.12] if connection.vendor == "sqlite" else [])


def test_drain_wakes_research_workers(sandbox):
    event_of("enterprise-logistics-low-1")

    draining.drain()

    assert OrmQ.objects.filter(key="research").count() == 1


def test_replayed_event_leads_to_its_brief_and_doubles_nothing(sandbox):
    event = event_of("enterprise-logistics-low-1")
    draining.drain()
    event.refresh_from_db()
    assert event.replay()

    draining.drain()

    assert Brief.objects.count() == Signal.objects.count() == 1
    assert reason(event).startswith("already led to brief")
    assert event.history[0]["status"] == "processed"


def test_replay_after_a_rule_change_opens_the_brief_that_was_missing(sandbox):
    from personas.models import Persona

    event = event_of("free-retail-high-1")
    draining.drain()
    Persona.objects.filter(name="Free, heavy use").update(opens_brief=True)
    event.refresh_from_db()
    event.replay()

    draining.drain()

    assert Brief.objects.get().signals.get().event == event
