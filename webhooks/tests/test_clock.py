"""The clocks of Python and of the database, set by a test."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now, TruncMonth
from django.utils import timezone

from briefs.tests.factories import make_event
from webhooks.clock import database_now
from webhooks.models import Answer, Tally, WebhookEvent
from webhooks.tests.clock import clock
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db

MOMENT = datetime(2032, 2, 29, 23, 59, tzinfo=UTC)


def is_about(at, moment=MOMENT):
    """Within the seconds that a test may take; SQLite knows milliseconds only."""
    return moment - timedelta(milliseconds=1) <= at < moment + timedelta(seconds=60)


def test_all_who_tell_the_time_agree():
    clock.set(MOMENT)

    Tally.objects.all().add({Answer.STORED: 1})  # raw SQL

    tally, event = Tally.objects.get(), make_event()  # whose column has a default
    told = WebhookEvent.objects.annotate(at=Now(), month=TruncMonth(Now())).get()
    moments = [timezone.now(), database_now(), event.received_at, tally.last_at, told.at]
    assert all(is_about(at) for at in moments), moments
    assert tally.hour == datetime(2032, 2, 29, 23, tzinfo=UTC)
    assert told.month == datetime(2032, 2, 1, tzinfo=UTC)


@pytest.mark.begins_at("2032-02-29T23:59")
def test_marker_sets_the_clock_before_the_test_begins():
    assert is_about(timezone.now())
    assert is_about(database_now())


def test_clock_is_set_again_and_goes_on():
    clock.set(MOMENT)
    clock.set("2027-01-01T00:00")

    before = database_now()

    assert is_about(before, datetime(2027, 1, 1, tzinfo=UTC))
    assert before < timezone.now()


def test_connection_that_is_opened_later_has_the_same_clock(threaded_db):
    clock.set(MOMENT)

    [told] = at_once(1, lambda number: database_now())

    assert is_about(told)


def test_clock_is_right_again_after_a_test():
    clock.set(MOMENT)

    clock.put_right()

    assert not is_about(timezone.now())
    assert not is_about(database_now())


def test_statement_has_one_moment_for_all_its_rows():
    for _ in range(100):
        make_event()

    WebhookEvent.objects.update(finished_at=Now())

    assert WebhookEvent.objects.values("finished_at").distinct().count() == 1
