"""Meters: each thing is counted once and stays counted, so that rates of Prometheus are right."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import MaveCall, Notification, Research
from briefs.notifying.tests.listener import make_notification
from briefs.tests.factories import make_brief, make_event, make_research, make_signal
from operations.metrics import counting
from operations.metrics.tests.scraping import scrape
from webhooks.models import Answer, Meter, ServiceBeat, Tally

pytestmark = pytest.mark.django_db


def ago(**length):
    return timezone.now() - timedelta(**length)


@pytest.fixture
def _counting(db):
    """The meters have counted until an hour ago."""
    Meter.objects.create(pk=1, counted_until=ago(hours=1))


def tally(answer, count, hours):
    at = ago(hours=hours).replace(minute=0, second=0, microsecond=0)
    return Tally.objects.create(hour=at, answer=answer, count=count, last_at=at)


def make_lagging_brief(received, **kw):
    event = make_event(received_at=received, status="processed", **kw.pop("event", {}))
    return make_signal(brief=make_brief(**kw), event=event).brief


def lags(found, name):
    """How many are below each bound that counted any, and the sum."""
    buckets = [
        (sample.labels["le"], sample.value)
        for sample in found.samples
        if sample.name == f"savedesk_{name}_lag_seconds_bucket" and sample.value
    ]
    return buckets[0] if buckets else None, found.value(f"savedesk_{name}_lag_seconds_sum")


def test_answers_are_told_at_once_and_stay_when_their_hours_are_deleted(client):
    tally(Answer.STORED, 70, hours=30)
    tally(Answer.STORED, 5, hours=0)
    assert scrape(client).value("savedesk_receiver_answers_total", answer="stored") == 75

    counting.count()
    counting.count()
    Meter.objects.update(counted_until=ago(minutes=10))
    counting.count()
    Tally.objects.filter(hour__lt=ago(hours=20)).delete()
    tally(Answer.NOT_STORED, 2, hours=0)

    found = scrape(client)
    assert found.value("savedesk_receiver_answers_total", answer="stored") == 75
    assert found.value("savedesk_receiver_answers_total", answer="not_stored") == 2


@pytest.mark.usefixtures("_counting")
def test_lags_of_a_brief_are_counted_once_and_outlive_its_rows(client):
    received = ago(minutes=30)
    brief = make_lagging_brief(
        received,
        created_at=received + timedelta(seconds=4),
        researched_at=received + timedelta(seconds=90),
        first_touch_at=received + timedelta(minutes=20),
    )

    counting.count()
    counting.count()
    brief.signals.all().delete()
    brief.delete()
    counting.count()

    found = scrape(client)
    assert lags(found, "brief") == (("5", 1), pytest.approx(4))
    assert lags(found, "research") == (("120", 1), pytest.approx(90))
    assert lags(found, "touch") == (("1800", 1), pytest.approx(1200))
    assert found.value("savedesk_brief_lag_seconds_bucket", le="+Inf") == 1
    assert found.value("savedesk_brief_lag_seconds_bucket", le="2.5") == 0


@pytest.mark.usefixtures("_counting")
def test_lag_is_that_of_the_first_event_and_not_of_a_replayed_one(client):
    received = ago(minutes=30)
    twice = make_lagging_brief(received, created_at=received + timedelta(seconds=4))
    make_signal(brief=twice, event=make_event(received_at=received + timedelta(seconds=3)))
    make_lagging_brief(ago(days=90), created_at=received, event={"history": [{"status": "dead"}]})

    counting.count()

    assert lags(scrape(client), "brief") == (("5", 1), pytest.approx(4))


@pytest.mark.usefixtures("_counting")
def test_answer_that_a_person_bought_anew_is_no_first_answer(client, django_user_model):
    agent = django_user_model.objects.create(username="agent")
    fresh = make_research(status=Research.Status.DONE, asked_by=agent)
    make_lagging_brief(ago(days=20), research=fresh, researched_at=ago(minutes=20))

    counting.count()

    assert lags(scrape(client), "research") == (None, 0)


@pytest.mark.usefixtures("_counting")
def test_what_was_just_done_is_counted_two_minutes_later(client):
    make_event(status="processed", finished_at=ago(minutes=1))
    make_event(status="ignored", finished_at=ago(minutes=3))

    counting.count()

    found = scrape(client)
    assert found.value("savedesk_events_total", outcome="processed") == 0
    assert found.value("savedesk_events_total", outcome="ignored") == 1


@pytest.mark.usefixtures("_counting")
def test_call_counts_for_each_outcome_that_it_came_to_and_never_less(client):
    call = MaveCall.objects.create(
        outcome="unknown", credits=75, started_at=ago(minutes=30), finished_at=ago(minutes=28)
    )
    counting.count()
    call.settle(MaveCall.Outcome.ANSWERED, credits=30)
    Meter.objects.update(counted_until=ago(minutes=10))
    MaveCall.objects.update(finished_at=ago(minutes=5))

    counting.count()

    found = scrape(client)
    calls = {"purpose": "chat"}
    assert found.value("savedesk_mave_calls_total", outcome="unknown", **calls) == 1
    assert found.value("savedesk_mave_calls_total", outcome="answered", **calls) == 1
    assert found.value("savedesk_mave_credits_total") == 30


@pytest.mark.usefixtures("_counting")
def test_messages_that_are_deleted_stay_counted(client):
    make_notification(status="sent", created_at=ago(minutes=9), finished_at=ago(minutes=8))
    counting.count()
    Notification.objects.all().delete()

    counting.count()

    assert scrape(client).value("savedesk_notifications_total", outcome="sent") == 1


@pytest.mark.usefixtures("_counting")
def test_message_that_is_sent_again_long_after_it_failed_is_counted(client):
    moments = {
        "created_at": ago(days=5),
        "started_at": ago(minutes=30),
        "finished_at": ago(minutes=30),
    }
    make_notification(status=Notification.Status.SENT, **moments)

    counting.count()

    assert scrape(client).value("savedesk_notifications_total", outcome="sent") == 1


def test_first_count_begins_now_and_not_with_years_of_history(client):
    make_event(status="processed", finished_at=ago(days=400))

    counting.count()
    counting.count()

    assert scrape(client).value("savedesk_events_total", outcome="processed") == 0


def test_hosts_that_are_gone_for_a_day_are_forgotten():
    for host, hours in (("old", 25), ("new", 1)):
        ServiceBeat.objects.create(host=host, service="queue", workers=2, at=ago(hours=hours))

    counting.count()

    assert list(ServiceBeat.objects.values_list("host", flat=True)) == ["new"]
