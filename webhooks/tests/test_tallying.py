"""How answers are counted: in memory by the request, in rows every few seconds."""

import time
from datetime import UTC, datetime

import pytest
from django.db import OperationalError
from django.test import Client

from webhooks import views
from webhooks.models import Answer, Tally
from webhooks.models.tallies import TallyQuerySet
from webhooks.storing import NotStored
from webhooks.tallying import Tallying
from webhooks.tests.clock import clock
from webhooks.tests.sending import URL, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("threadless_receiver")]

EVENT = {"event_id": "e1", "object_type": "email", "metric": "sent", "timestamp": 1613063089}


def counted():
    """What the receiver has counted, once it is written down."""
    assert views.tallying.flush()
    return dict(Tally.objects.values_list("answer", "count"))


def test_each_answer_is_counted_under_its_name(settings):
    post(EVENT)
    post(EVENT)
    post(EVENT)
    post(b"not JSON")
    post(EVENT, secret="somebody else's", timestamp=str(int(time.time())))
    Client().post(URL, b"{}", content_type="application/json")

    assert counted() == {"stored": 1, "duplicate": 2, "quarantined": 1,
                         "wrong_signature": 1, "unsigned": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (EVENT, {"X_CIO_Timestamp": "1"}),
        (EVENT, {"X_CIO_Timestamp": "9999999999"}),
        (EVENT, {"X_CIO_Timestamp": "yesterday"}),
        (EVENT, {"X_CIO_Signature": "admin"}),
        (b"a=1&b=2", {}),
        ([EVENT], {}),
        ({"user": "admin"}, {}),
    ],
)
def test_wrong_signature_that_is_not_made_as_the_senders_is_counted_as_none(body, headers):
    post(body, secret="a stranger's", timestamp=str(int(time.time())), **headers)

    assert counted() == {"unsigned": 1}


def test_retry_of_a_week_ago_looks_like_the_senders():
    post(EVENT, secret="the key of before", timestamp=str(int(time.time()) - 7 * 86_400))

    assert counted() == {"wrong_signature": 1}


def test_a_body_over_the_limit_is_counted(monkeypatch):
    monkeypatch.setattr(views, "REFUSED_ABOVE", 10)

    post(EVENT)

    assert counted() == {"too_large": 1}


def test_an_old_timestamp_is_counted_apart_from_a_wrong_signature(settings):
    settings.CIO_MAX_AGE_SECONDS = 300

    post(EVENT)

    assert counted() == {"too_old": 1}


def test_what_cannot_be_stored_is_counted(monkeypatch):
    def fail(row):
        raise NotStored

    monkeypatch.setattr(views.committer, "record", fail)

    post(EVENT)

    assert counted() == {"not_stored": 1}


def test_counting_touches_no_database(django_assert_num_queries):
    with django_assert_num_queries(0):
        Tallying().count(Answer.UNSIGNED)


def test_a_flood_of_refusals_is_one_row_and_one_statement(django_assert_num_queries):
    tallying = Tallying()
    for _ in range(1000):
        tallying.count(Answer.UNSIGNED)

    with django_assert_num_queries(1):
        tallying.flush()

    assert Tally.objects.get().count == 1000


def test_counts_are_added_to_those_of_the_hour():
    Tally.objects.all().add({"stored": 2})
    first = Tally.objects.get().last_at

    Tally.objects.all().add({"stored": 3})

    tally = Tally.objects.get()
    assert tally.count == 5
    assert tally.last_at >= first


def test_a_tally_belongs_to_its_full_hour():
    for moment in ("2026-12-31T23:59", "2027-01-01T00:00"):
        clock.set(moment)
        Tally.objects.all().add({"stored": 1})

    hours = Tally.objects.order_by("hour").values_list("hour", flat=True)
    assert list(hours) == [datetime(2026, 12, 31, 23, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)]


def test_nothing_is_written_when_nothing_was_counted(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Tallying().flush()


def test_counts_outlive_a_database_that_is_away(monkeypatch):
    tallying = Tallying()
    tallying.count(Answer.NOT_STORED)

    def down(self, counts):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(TallyQuerySet, "add", down)
        patch.setattr("webhooks.tallying.connection.close", lambda: None)
        assert not tallying.flush()
    tallying.count(Answer.NOT_STORED)

    assert tallying.flush()
    assert Tally.objects.get().count == 2
