"""Events that break a promise are told."""

import pytest

from briefs.tests.factories import make_customer, make_event, make_signal
from operations.invariants import events
from operations.invariants.tests.breaking import LEASED, LONG_AGO, execute, told, without_checks

pytestmark = pytest.mark.django_db
ENDED = f"status_reason = 'so', finished_at = '{LONG_AGO}'"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (f"status = 'ignored', {ENDED}, {LEASED}", "it has a lease, and does not wait"),
        ("lease_until = '2126-01-01'", "its lease has a token or an end, and not both"),
        ("status = 'ignored', status_reason = 'so'", "it ended, and no time says when"),
        (f"finished_at = '{LONG_AGO}'", "it waits, and a time says when it ended"),
        (f"put_off_at = '{LONG_AGO}'", "it was put off, and no time says until when"),
        ("tries = 6", "it waits for a try after 5"),
        ("status = 'quarantined'", "no reason says why it ended so"),
    ],
)
def test_event_whose_row_contradicts_its_state_is_told(values, words):
    event, _ = make_event(), make_event()

    execute(f"UPDATE webhooks_webhookevent SET {values} WHERE id = {event.pk}")

    assert told(events.event_is_in_one_state) == [f"event {event.pk}: {words}"]


def test_event_in_an_unknown_state_is_told():
    without_checks("webhooks_webhookevent", "event_status_known")
    event = make_event()

    execute("UPDATE webhooks_webhookevent SET status = 'lost'")

    words = f"event {event.pk}: its state is none that we know"
    assert told(events.event_is_in_one_state) == [words]


def test_processed_event_without_a_signal_is_told_unless_its_person_was_erased():
    lost, erased = make_event(), make_event()

    execute("UPDATE webhooks_webhookevent SET status = 'processed'")
    execute(f"UPDATE webhooks_webhookevent SET identifiers = '{{}}' WHERE id = {erased.pk}")

    words = f"event {lost.pk}: it is processed without a signal"
    assert told(events.event_has_its_effect) == [words]


def test_ignored_event_with_a_signal_is_told():
    event = make_signal().event

    execute("UPDATE webhooks_webhookevent SET status = 'ignored'")

    words = f"event {event.pk}: it is ignored, and has a signal"
    assert told(events.event_has_its_effect) == [words]


@pytest.mark.on_postgresql  # SQLite drops no unique key of a column
def test_event_with_two_signals_is_told():
    execute("ALTER TABLE briefs_signal DROP CONSTRAINT briefs_signal_event_id_key")
    event, customer = make_event(), make_customer()

    make_signal(event=event, customer=customer)
    make_signal(event=event, customer=customer)

    assert told(events.event_has_one_signal) == [f"event {event.pk}: it has 2 signals"]


def test_lease_that_ended_long_ago_is_told():
    left, _ = make_event(), make_event()

    execute(
        f"UPDATE webhooks_webhookevent SET {LEASED.replace('2126', '2026')} WHERE id = {left.pk}"
    )

    words = f"event {left.pk}: its lease ended long ago, and nobody claimed it again"
    assert told(events.lease_on_an_event_ends) == [words]
