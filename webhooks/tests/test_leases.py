"""Leases: who may work on an event, for how long, and what a worker that lost it can still do."""

import itertools
import json
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from webhooks.models import LEASE, SMALL_BODY, WebhookEvent
from webhooks.parsing import parse
from webhooks.tests.threads import Aside, at_once

pytestmark = pytest.mark.django_db
needs_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)
_numbers = itertools.count(1)


def make_event(**fields):
    body = json.dumps({"event_id": f"lease-{next(_numbers)}"}).encode()
    return WebhookEvent.objects.create(
        **{
            "event_id": json.loads(body)["event_id"],
            "body": body,
            "body_size": len(body),
            "is_verified": True,
            **fields,
        }
    )


def batch(size=100):
    return WebhookEvent.objects.all().claim_batch(size)


def alone():
    return WebhookEvent.objects.all().claim_one_alone()


def hold(claim):
    with transaction.atomic():
        return claim.hold()


def expire(**filters):
    """Let the leases of these events run out, as after a crash or a long pause of their worker."""
    past = timezone.now() - timedelta(seconds=1)
    WebhookEvent.objects.filter(**filters).update(lease_until=past)


def reload(event):
    event.refresh_from_db()
    return event


# Claims -------------------------------------------------------------------------------------------


def test_batch_leases_the_oldest_due_events_and_counts_the_try():
    events = [make_event() for _ in range(3)]
    before = timezone.now()

    claim = batch(2)

    assert claim.events == events[:2]
    for event in events[:2]:
        reload(event)
        assert (event.lease_token, event.tries) == (claim.token, 1)
        assert before + LEASE - timedelta(seconds=1) < event.lease_until
    assert [event.tries for event in claim.events] == [1, 1]
    assert reload(events[2]).lease_token is None


def test_leased_event_is_not_claimed_again():
    make_event()

    assert batch()
    assert not batch()
    assert not alone()


def test_every_claim_has_a_token_of_its_own():
    make_event(), make_event()

    assert batch(1).token != batch(1).token


@pytest.mark.parametrize("status", ["processed", "ignored", "quarantined", "dead"])
def test_ended_event_is_not_claimed(status):
    make_event(status=status)
    make_event(status=status, tries=1)

    assert not batch()
    assert not alone()


def test_event_put_off_is_claimed_when_its_time_has_come():
    event = make_event(tries=1, available_at=timezone.now() + timedelta(seconds=60))
    assert not alone()

    WebhookEvent.objects.update(available_at=timezone.now() - timedelta(milliseconds=5))

    assert alone().events == [event]


def test_event_that_was_tried_before_is_claimed_alone():
    tried, untried = make_event(tries=1), make_event()
    make_event(tries=1)

    assert batch().events == [untried]
    assert alone().events == [tried]


def test_large_body_is_claimed_alone():
    small = make_event(body_size=SMALL_BODY)
    large = make_event(body_size=SMALL_BODY + 1)

    assert batch().events == [small]
    assert alone().events == [large]
    assert not alone()


def test_least_tried_event_is_claimed_alone_first():
    make_event(tries=3)
    least = make_event(tries=1)

    assert alone().events == [least]


def test_expired_lease_is_claimed_anew_and_alone():
    event = make_event()
    first = batch()
    expire()

    assert not batch()
    second = alone()

    assert second.events == [event]
    assert second.token != first.token
    assert second.events[0].tries == reload(event).tries == 2


def test_claim_of_nothing_is_false():
    assert not batch()
    assert hold(batch()) == []


# What the holder may write ------------------------------------------------------------------------


def test_holder_holds_what_it_claimed():
    make_event(), make_event()
    claim = batch()

    assert hold(claim) == claim.events


def test_worker_that_lost_some_of_its_leases_holds_the_rest():
    lost, kept = make_event(), make_event()
    claim = batch()
    expire(pk=lost.pk)
    alone()

    assert hold(claim) == [kept]


def test_worker_whose_lease_ran_out_holds_it_until_somebody_else_claims():
    make_event()
    claim = batch()
    expire()

    assert hold(claim) == claim.events


def test_each_event_ends_with_a_reason_of_its_own():
    first, second = make_event(), make_event()
    claim = batch()

    WebhookEvent.objects.all().finish_each(
        claim.token, [(first.pk, "processed", "opened"), (second.pk, "ignored", "no 100% signal")]
    )

    assert (reload(first).status, first.status_reason) == ("processed", "opened")
    assert (reload(second).status, second.status_reason) == ("ignored", "no 100% signal")
    for event in (first, second):
        assert (event.lease_token, event.lease_until) == (None, None)
        assert abs(event.finished_at - timezone.now()) < timedelta(minutes=1)


def test_worker_that_lost_its_lease_ends_nothing():
    event = make_event()
    frozen = batch()
    expire()
    other = alone()

    WebhookEvent.objects.all().finish_each(frozen.token, [(event.pk, "processed", "late")])
    assert not WebhookEvent.objects.held_by(frozen.token).finish(WebhookEvent.Status.DEAD, "late")
    assert not WebhookEvent.objects.held_by(frozen.token).put_back(timedelta(0), "late")

    reload(event)
    assert (event.status, event.status_reason, event.lease_token) == ("pending", "", other.token)


def test_ended_event_is_not_ended_again():
    event = make_event()
    claim = batch()
    WebhookEvent.objects.all().finish_each(claim.token, [(event.pk, "processed", "first")])

    WebhookEvent.objects.all().finish_each(claim.token, [(event.pk, "ignored", "second")])

    assert (reload(event).status, event.status_reason) == ("processed", "first")
    assert hold(claim) == []


def test_event_that_is_not_in_the_claim_is_not_ended():
    event, other = make_event(), make_event()
    claim = batch(1)

    WebhookEvent.objects.all().finish_each(
        claim.token, [(event.pk, "processed", ""), (other.pk, "processed", "")]
    )

    assert (reload(event).status, reload(other).status) == ("processed", "pending")


def test_event_put_back_is_due_after_its_delay():
    event = make_event()
    claim = batch()

    put_back = WebhookEvent.objects.held_by(claim.token).put_back(timedelta(minutes=1), "try 1")

    assert put_back == 1
    reload(event)
    assert (event.status, event.status_reason, event.tries) == ("pending", "try 1", 1)
    assert (event.lease_token, event.lease_until) == (None, None)
    wait = event.available_at - timezone.now()
    assert timedelta(seconds=0) < wait <= timedelta(seconds=60)
    assert not alone()


def test_event_put_back_without_a_delay_is_due_at_once_and_alone():
    event = make_event()
    WebhookEvent.objects.held_by(batch().token).put_back(timedelta(0), "the batch failed")

    assert not batch()
    assert alone().events == [event]


def test_unknown_status_is_refused_by_the_database():
    with pytest.raises(IntegrityError, match="event_status_known"), transaction.atomic():
        make_event(status="lost")


# Replay -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["processed", "ignored", "dead"])
def test_ended_event_can_be_replayed_and_remembers_how_it_ended(status):
    ended = timezone.now()
    event = make_event(status=status, status_reason="because", tries=5, finished_at=ended)

    assert event.replay()

    reload(event)
    assert (event.status, event.status_reason, event.tries) == ("pending", "", 0)
    assert event.finished_at is None
    assert event.history == [
        {"status": status, "reason": "because", "tries": 5, "finished_at": ended.isoformat()}
    ]
    assert batch().events == [event]


def test_every_replay_adds_to_the_history():
    event = make_event(status="dead", status_reason="first")
    event.replay()
    WebhookEvent.objects.held_by(batch().token).finish(WebhookEvent.Status.IGNORED, "second")

    assert reload(event).replay()

    assert [past["reason"] for past in reload(event).history] == ["first", "second"]


@pytest.mark.parametrize("status", ["pending", "quarantined"])
def test_waiting_and_quarantined_events_are_not_replayed(status):
    event = make_event(status=status, tries=2)

    assert not event.replay()
    assert (reload(event).status, event.tries, event.history) == (status, 2, [])


def test_event_that_somebody_else_replayed_meanwhile_is_not_replayed_again():
    event = make_event(status="dead")
    WebhookEvent.objects.get().replay()

    assert not event.replay()
    assert len(reload(event).history) == 1


def test_quarantined_event_is_released_with_what_its_body_turned_out_to_say():
    event = make_event(
        event_id="sha256:0",
        status="quarantined",
        status_reason="unreadable then",
        reason_code="signed_test",
    )
    parsed = parse(b'{"event_id": "e1", "object_type": "email", "metric": "bounced"}')

    assert event.release(parsed)

    reload(event)
    assert (event.status, event.event_id, event.kind) == ("pending", "e1", "email bounced")
    assert event.history[0]["reason"] == "unreadable then"
    assert event.reason_code is None
    assert batch().events == [event]


@pytest.mark.parametrize("status", ["pending", "processed", "dead"])
def test_only_a_quarantined_event_is_released(status):
    event = make_event(status=status)

    assert not event.release(parse(b'{"event_id": "e1"}'))
    assert reload(event).event_id != "e1"


# Several workers ----------------------------------------------------------------------------------


def test_claimers_at_once_get_disjoint_events(threaded_db):
    for _ in range(40):
        make_event()

    claims = at_once(8, lambda number: batch(10))

    claimed = [event.pk for claim in claims for event in claim.events]
    assert len(claimed) == len(set(claimed))
    assert set(WebhookEvent.objects.values_list("tries", flat=True)) <= {0, 1}
    while rest := batch(10):
        claimed += [event.pk for event in rest.events]
    assert len(claimed) == len(set(claimed)) == 40


def test_of_many_that_claim_one_event_alone_one_gets_it(threaded_db):
    event = make_event(tries=1)

    claims = at_once(8, lambda number: alone())

    assert [claim.events for claim in claims if claim] == [[event]]
    assert reload(event).tries == 2


@needs_postgres
def test_claimer_steps_over_what_another_is_about_to_claim(threaded_db):
    first, second = make_event(), make_event()

    with transaction.atomic():
        WebhookEvent.objects.select_for_update().get(pk=first.pk)
        claim = Aside(batch).result

    assert claim.events == [second]


@needs_postgres
def test_event_that_is_being_ended_is_not_claimed_though_its_lease_ran_out(threaded_db):
    make_event()
    slow = batch()
    expire()

    with transaction.atomic():
        slow.hold()
        assert not Aside(alone).result


@needs_postgres
def test_held_event_is_locked_until_the_transaction_ends(threaded_db):
    event = make_event()
    slow = batch()
    expire()

    with transaction.atomic():
        assert slow.hold() == [event]
        deletion = Aside(WebhookEvent.objects.filter(pk=event.pk).delete)
        deletion.wait_until_blocked()
        WebhookEvent.objects.all().finish_each(slow.token, [(event.pk, "processed", "in time")])

    assert deletion.result[0] == 1
