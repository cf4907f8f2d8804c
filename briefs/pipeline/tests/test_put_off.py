"""A change of preferences that only the profile can explain, while profiles cannot be looked up."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from briefs.models import Brief
from briefs.pipeline import draining
from briefs.tests.factories import make_customer, make_event, make_payload
from personas.models import AppApiHealth, AppApiPace
from personas.people import lookups
from providers.customerio import LookupFailed
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

CHANGED = "cio_subscription_preferences_changed"
TOPICS = "cio_subscription_preferences"
BATCH = "customers/attributes"
PERSON = {"plan": "enterprise", "usage_tier": "low"}


def known(sandbox, person="p1", now='{"topics":{"a":false,"b":false}}'):
    """Somebody who had both topics on when last looked up, and has turned them off since."""
    sandbox.people.add(person, attributes={**PERSON, TOPICS: now})
    return make_customer(
        external_id=person,
        cio_id=None,
        fetched_at=timezone.now() - timedelta(days=3),
        preferences={"topics": {"a": True, "b": True}},
    )


def changed(person="p1", **data):
    return make_event(make_payload(metric=CHANGED, data={"identifiers": {"id": person}, **data}))


def unsubscribe(person):
    return make_event(make_payload(data={"identifiers": {"id": person}}))


@pytest.fixture
def outage(sandbox):
    sandbox.faults.add(BATCH, "503", count=None)
    return sandbox


def end(outage):
    outage.faults.clear()
    AppApiHealth.objects.update(retry_at=None)


def pass_time(**length):
    """Move the times of events that were put off that far into the past."""
    span = timedelta(**length)
    WebhookEvent.objects.update(available_at=F("available_at") - span)
    WebhookEvent.objects.update(put_off_at=F("put_off_at") - span)


def reload(event):
    event.refresh_from_db()
    return event


def test_opt_out_during_an_outage_is_decided_when_it_is_over(outage):
    known(outage)
    event = changed()

    draining.drain()
    assert reload(event).status == "pending"
    assert event.status_reason == (
        "waits: only the profile shows whether they opted out, and Customer.io's App API "
        "answered 503"
    )
    end(outage)
    pass_time(minutes=10)
    draining.drain()

    assert reload(event).status == "processed"
    assert Brief.objects.get().kind == "all_topics_off"


def test_waiting_uses_up_no_try_and_ends_the_lease(outage):
    known(outage)
    event = changed()

    for _ in range(10):
        draining.drain()
        pass_time(minutes=10)

    assert (reload(event).status, event.tries, event.lease_token) == ("pending", 0, None)


def test_event_that_was_put_off_is_not_tried_for_some_minutes(outage):
    known(outage)
    event = changed()

    draining.drain()
    left = reload(event).available_at - timezone.now()

    assert timedelta(minutes=4) < left < timedelta(minutes=11)
    assert not WebhookEvent.objects.all().due().exists()


def test_others_of_the_batch_are_not_delayed(outage):
    known(outage)
    waiting, other = changed(), unsubscribe("enterprise-retail-low-1")

    draining.drain()

    assert (reload(waiting).status, reload(other).status) == ("pending", "processed")


def test_later_try_compares_with_what_was_known_before_the_first_try(outage):
    """Another event of the same person brings the profile before the waiting one is due again."""
    customer = known(outage)
    event = changed()
    draining.drain()
    end(outage)
    lookups.refresh([customer])

    pass_time(minutes=10)
    draining.drain()

    assert reload(event).status == "processed"
    assert Brief.objects.get().kind == "all_topics_off"


def test_profile_that_was_read_while_it_waited_decides_though_the_next_look_up_fails(outage):
    customer = known(outage, now='{"topics":{"a":true,"b":true}}')
    event = changed()
    draining.drain()
    end(outage)
    lookups.refresh([customer])
    outage.faults.add(BATCH, "503", count=None)

    pass_time(minutes=10)
    WebhookEvent.objects.update(put_off_at=customer.fetched_at - timedelta(minutes=1))
    draining.drain()

    assert reload(event).status == "ignored"
    assert "turn on Body Content" in event.status_reason


def test_after_a_day_of_trouble_it_is_ignored_with_the_trouble_named(outage):
    known(outage)
    event = changed()
    draining.drain()

    pass_time(hours=25)
    draining.drain()

    assert reload(event).status == "ignored"
    assert "for a day it could not be looked up (Customer.io's App API answered 503)" in (
        event.status_reason
    )


def test_event_that_was_given_up_is_decided_rightly_when_it_is_replayed(outage):
    known(outage)
    event = changed()
    draining.drain()
    pass_time(hours=25)
    draining.drain()
    end(outage)

    reload(event).replay()
    draining.drain()

    assert Brief.objects.get().kind == "all_topics_off"


def test_replay_during_the_outage_waits_anew(outage):
    known(outage)
    event = changed()
    draining.drain()
    pass_time(hours=25)
    draining.drain()

    reload(event).replay()
    draining.drain()

    assert reload(event).status == "pending"


def test_event_that_says_what_changed_does_not_wait(outage):
    known(outage)
    event = changed(content='{"topics":{"a":false,"b":false}}')

    draining.drain()

    assert reload(event).status == "processed"


@pytest.mark.parametrize("preferences", [{}, {"topics": {}}])
def test_event_that_no_look_up_could_explain_does_not_wait(outage, preferences):
    customer = known(outage)
    type(customer).objects.update(preferences=preferences)
    event = changed()

    draining.drain()

    assert reload(event).status == "ignored"
    assert "turn on Body Content" in event.status_reason


def test_without_a_key_nothing_is_waited_for(sandbox, settings):
    settings.CIO_APP_KEY = ""
    known(sandbox)
    event = changed()

    draining.drain()

    assert reload(event).status == "ignored"


def test_our_own_limit_is_waited_out_too(sandbox):
    known(sandbox)
    AppApiPace.hold_back(60)
    event = changed()

    draining.drain()

    assert reload(event).status == "pending"
    assert "Customer.io asked for silence" in event.status_reason


def test_person_on_whom_the_app_api_fails_keeps_no_other_event_waiting(sandbox, monkeypatch):
    events = []
    for number in range(6):
        known(sandbox, f"p{number}")
        events.append(changed(f"p{number}"))
    find = lookups._find

    def fail_on_the_first(api, id_type, ids):
        if "p0" in ids:
            raise LookupFailed("Customer.io's App API answered 500")
        return find(api, id_type, ids)

    monkeypatch.setattr(lookups, "_find", fail_on_the_first)
    for _ in range(60):
        AppApiHealth.objects.update(retry_at=None)
        draining.drain()
        pass_time(minutes=1)

    statuses = [reload(event).status for event in events]
    assert statuses == ["pending", *["processed"] * 5]


def test_worker_that_lost_its_lease_puts_nothing_off(outage):
    known(outage)
    event = changed()
    claim = WebhookEvent.objects.all().claim_batch(10)
    WebhookEvent.objects.update(lease_token=None, lease_until=None)

    draining.process(claim)

    assert (reload(event).put_off_at, event.status_reason) == (None, "")
