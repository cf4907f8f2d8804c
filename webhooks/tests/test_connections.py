"""What a connection to PostgreSQL is told, and that a pooler's connections stay as they were."""

import pytest
from django.contrib.sessions.models import Session
from django.db import Error, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from webhooks.connections import is_ours_alone
from webhooks.models import DeliveryRow, WebhookEvent
from webhooks.parsing import ParsedEvent
from webhooks.storing import NotStored, Pending, Writer
from webhooks.tests.pooler import behind_pgbouncer, needs_pgbouncer

pytestmark = pytest.mark.on_postgresql


@pytest.fixture
def fresh(db):
    """A connection that is made for this test, with what the settings say now."""
    made = connection.copy()
    yield made
    made.close()


@pytest.fixture
def pooled(transactional_db):
    with behind_pgbouncer() as wrapper:
        yield wrapper


def delivered(event_id):
    event = ParsedEvent(event_id, "email", "sent", None)
    return Pending(DeliveryRow(event, b"{}", 2, {}, True))


def shown(wrapper, name):
    with wrapper.cursor() as cursor:
        cursor.execute(f"SHOW {name}")
        return cursor.fetchone()[0]


def test_process_paused_in_a_transaction_is_not_waited_for_for_ever(fresh):
    assert shown(fresh, "idle_in_transaction_session_timeout") == "1min"
    assert shown(fresh, "statement_timeout") == "0"
    assert is_ours_alone(fresh)


def test_statement_of_a_page_waits_less_than_a_request_may(fresh, settings):
    settings.DATABASE_SESSION = settings.WEB_DATABASE_SESSION

    assert shown(fresh, "statement_timeout") == "2500ms"
    assert shown(fresh, "lock_timeout") == "1s"


def test_connection_that_cannot_be_told_its_limits_is_not_used(fresh, settings):
    settings.DATABASE_SESSION = {"statement_timeout": "no number"}

    with pytest.raises(Error, match="statement_timeout"):
        fresh.cursor()

    assert fresh.connection is None


@pytest.mark.django_db(transaction=True)
def test_event_is_one_statement_on_a_connection_of_our_own():
    Writer().commit([delivered("one")])

    with CaptureQueriesContext(connection) as queries:
        Writer().commit([delivered("two")])

    assert len(queries) == 1


@pytest.mark.django_db(transaction=True)
def test_new_connection_of_the_writer_has_its_limits():
    connection.close()

    Writer().commit([delivered("one")])

    assert shown(connection, "statement_timeout") == "2s"
    assert shown(connection, "lock_timeout") == "500ms"
    connection.close()


# Behind a pooler ---------------------------------------------------------------------------------


@needs_pgbouncer
def test_pooler_is_recognised_and_told_nothing(pooled, settings):
    settings.DATABASE_SESSION = settings.WEB_DATABASE_SESSION

    assert shown(pooled, "statement_timeout") == "0"
    assert not is_ours_alone(pooled)


@needs_pgbouncer
def test_event_is_stored_and_its_limits_do_not_stay(pooled):
    pending = delivered("one")

    Writer().commit([pending])

    assert pending.error is None
    assert WebhookEvent.objects.get().event_id == "one"
    assert shown(pooled, "statement_timeout") == "0"
    assert shown(pooled, "lock_timeout") == "0"


@needs_pgbouncer
def test_rows_are_read_to_the_end_when_another_client_gets_our_connection(transactional_db):
    for key in "abc":
        Session.objects.create(session_key=key, expire_date=timezone.now())
    with behind_pgbouncer(size=2) as pooled:
        rows = Session.objects.iterator(chunk_size=1)
        first, another = next(rows), pooled.copy()
        another.set_autocommit(False)
        another.cursor().execute("SELECT 1")  # and stays in its transaction

        assert len([first, *rows]) == 3

        another.close()


@needs_pgbouncer
def test_event_whose_row_is_locked_is_refused_in_time(transactional_db):
    Writer().commit([delivered("one")])
    with transaction.atomic():
        WebhookEvent.objects.select_for_update().get()

        with behind_pgbouncer():
            again = delivered("one")
            Writer().commit([again])

    assert isinstance(again.error, NotStored)
