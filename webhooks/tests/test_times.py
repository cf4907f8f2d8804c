"""When a stored event happened: never after it was received, and when it says, if that can be."""

import json
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock

import pytest

from briefs.tests.factories import make_event, make_payload
from webhooks.models import WebhookEvent, deliveries
from webhooks.parsing import SKEW, bounded
from webhooks.replay import replay
from webhooks.tests.sending import post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("threadless_receiver")]

NOW = datetime(2028, 3, 1, 12, 0, tzinfo=UTC)


def received(timestamp):
    post({**make_payload(), "timestamp": timestamp})
    return WebhookEvent.objects.get()


def epoch(at, factor=1):
    return int(at.timestamp() * factor)


@pytest.mark.parametrize("factor", [1, 1_000, 1_000_000])
def test_a_moment_of_the_past_is_believed_in_any_unit(factor):
    event = received(epoch(datetime(2026, 11, 27, tzinfo=UTC), factor))

    assert event.occurred_at == datetime(2026, 11, 27, tzinfo=UTC)
    assert event.stated_time is None


@pytest.mark.begins_at("2028-03-01T12:00")
@pytest.mark.parametrize("ahead", [timedelta(seconds=2), SKEW - timedelta(seconds=5)])
def test_a_clock_that_is_a_little_ahead_makes_the_receipt_the_moment(ahead):
    event = received(epoch(NOW + ahead) + 1)

    assert timedelta(0) <= event.received_at - event.occurred_at < timedelta(minutes=1)
    assert event.stated_time is None


@pytest.mark.begins_at("2028-03-01T12:00")
@pytest.mark.parametrize(
    ("timestamp", "said"),
    [
        (0, "0"),
        (-1, "-1"),
        ("0", "0"),
        (1, "1"),
        ("2001-01-01T00:00:00Z", "2001-01-01T00:00:00Z"),
        (epoch(NOW + SKEW) + 60, str(epoch(NOW + SKEW) + 60)),
        (epoch(datetime(2031, 1, 1, tzinfo=UTC), 1000), "1924992000000"),
        ("2031-01-01", "2031-01-01"),
        (10**30, "1" + "0" * 30),
        ("soon", "soon"),
        ({"seconds": 1}, "an object"),
    ],
)
def test_what_cannot_be_is_kept_in_words_and_the_receipt_counts(timestamp, said):
    event = received(timestamp)

    assert (event.occurred_at, event.stated_time) == (None, said)


def test_a_host_whose_clock_is_ahead_stores_no_future(monkeypatch):
    hour = timedelta(hours=1)
    ahead = Mock(now=lambda zone: datetime.now(zone) + hour)
    monkeypatch.setattr(deliveries, "datetime", ahead)

    event = received(epoch(datetime.now(UTC) + hour / 2))

    assert timedelta(0) <= event.received_at - event.occurred_at < timedelta(minutes=1)


@pytest.mark.parametrize("timestamp", [None, ""])
def test_an_event_that_says_nothing_of_its_time_says_nothing(timestamp):
    event = received(timestamp)

    assert (event.occurred_at, event.stated_time) == (None, None)


@pytest.mark.begins_at("2028-03-01T12:00")
@pytest.mark.parametrize("seconds", [-86_400, -1, 1, 60, 290, 310, 86_400, 10**8])
def test_a_replay_bounds_the_time_like_the_receiver(seconds):
    event = received(epoch(NOW) + seconds)
    occurred_at, stated_time = event.occurred_at, event.stated_time
    WebhookEvent.objects.update(status="ignored", occurred_at=NOW, stated_time="another")

    replay(WebhookEvent.objects.all())

    event.refresh_from_db()
    assert event.stated_time == stated_time
    if occurred_at is None:
        assert event.occurred_at is None
    else:  # a clock that is asked twice within one statement may tell two milliseconds
        bound = min(NOW + timedelta(seconds=seconds), event.received_at)
        assert abs(event.occurred_at - bound) < timedelta(milliseconds=100)


def test_what_an_earlier_version_misread_is_read_anew_by_a_replay():
    payload = make_payload(object_type="email", metric="bounced")
    payload["data"] = {"identifiers": {"id": None}, "recipient": "Ann <ann@example.com>"}
    body = json.dumps({**payload, "timestamp": 1_795_780_800_000}).encode()
    event = make_event(
        payload,
        status="ignored",
        body=body,
        occurred_at=None,
        identifiers={"email": "Ann <ann@example.com>"},
        received_at=datetime(2026, 11, 28, tzinfo=UTC),
    )

    replay(WebhookEvent.objects.all())

    event.refresh_from_db()
    assert event.occurred_at == datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    assert event.identifiers == {"email": "ann@example.com"}


def test_without_its_body_an_event_keeps_who_it_is_about_and_its_time_is_bounded():
    late, lost = datetime(2031, 1, 1, tzinfo=UTC), {"id": "42"}
    event = make_event(status="ignored", occurred_at=late, identifiers=lost, body=b"")

    replay(WebhookEvent.objects.all())

    event.refresh_from_db()
    assert (event.occurred_at, event.stated_time) == (None, "2031-01-01T00:00:00Z")
    assert event.identifiers == lost


def test_a_quarantined_event_is_bounded_by_when_it_was_received_not_by_today():
    body = json.dumps({**make_payload(), "timestamp": "2027-01-01"}).encode()
    event = make_event(
        status="quarantined",
        event_id="sha256:0",
        body=body,
        body_size=len(body),
        received_at=datetime(2026, 12, 1, tzinfo=UTC),
    )

    replay(WebhookEvent.objects.all())

    event.refresh_from_db()
    assert (event.status, event.occurred_at, event.stated_time) == ("pending", None, "2027-01-01")


def test_the_bounds_are_met_exactly():
    tick = timedelta(microseconds=1)

    assert bounded(NOW, "said", NOW) == (NOW, None)
    assert bounded(NOW - tick, "said", NOW) == (NOW - tick, None)
    assert bounded(NOW + SKEW, "said", NOW) == (NOW, None)
    assert bounded(NOW + SKEW + tick, "said", NOW) == (None, "said")
    assert bounded(None, "", NOW) == (None, None)
