"""The committer: which rows share a statement, which wait, and which requests are told to fail."""

import threading
from types import SimpleNamespace

import psycopg
import pytest
from django.db import DataError, OperationalError

from webhooks import storing
from webhooks.models import DeliveryRow
from webhooks.models.events import EventQuerySet
from webhooks.parsing import ParsedEvent
from webhooks.storing import Committer, DiskFull, NotStored, Pending, ValuesRefused, Writer


def row(event_id="e1", body=b"{}"):
    event = ParsedEvent(event_id, "email", "sent", None)
    return DeliveryRow(event, body, len(body), {}, True)


@pytest.fixture
def database(monkeypatch):
    """A stand-in for the statement: remembers its batches and does as `behave` says."""

    class Database:
        def __init__(self):
            self.batches = []
            self.behave = lambda ids: None
            self.hanging = threading.Semaphore(0)  # one for each statement that hangs
            self.is_over = threading.Event()

        def record(self, rows):
            ids = [row.event.event_id for row in rows]
            self.batches.append(ids)
            self.behave(ids)
            return dict.fromkeys(ids, 1)

        def hang(self, ids):
            """To the end of the test."""
            self.hanging.release()
            self.is_over.wait(120)

    database = Database()
    monkeypatch.setattr(EventQuerySet, "record", lambda self, rows: database.record(rows))
    connected = SimpleNamespace(connection=object(), vendor="any", close=lambda: None)
    monkeypatch.setattr(storing, "connection", connected)
    monkeypatch.setattr(storing, "WAIT_SECONDS", 60.0)
    yield database
    database.is_over.set()


@pytest.fixture
def nothing_remembered(monkeypatch):
    """A writer may be replaced as soon as it hangs, and no request fails for the one before it."""
    monkeypatch.setattr(storing, "STUCK_SECONDS", 0.0)
    monkeypatch.setattr(storing, "FAIL_FAST_SECONDS", 0.0)


def test_rows_that_wait_share_one_statement(database):
    writer = Writer()
    waiting = [Pending(row(f"e{number}")) for number in range(5)]
    for pending in waiting:
        writer.put(pending)

    writer.commit(writer._gather())

    assert database.batches == [["e0", "e1", "e2", "e3", "e4"]]
    assert all(pending.is_new for pending in waiting)


def test_no_statement_holds_an_event_twice_and_none_is_forgotten(database, monkeypatch):
    monkeypatch.setattr(storing, "BATCH_SIZE", 2)
    writer = Writer()
    waiting = [Pending(row(event_id)) for event_id in "aaabbc"]
    for pending in waiting:
        writer.put(pending)

    while not all(pending.done.is_set() for pending in waiting):
        writer.commit(writer._gather())

    written = [event_id for batch in database.batches for event_id in batch]
    assert sorted(written) == list("aaabbc")
    assert all(len(batch) == len(set(batch)) for batch in database.batches)


def test_row_whose_request_gave_up_is_not_written(database):
    writer = Writer()
    abandoned, waiting = Pending(row("old")), Pending(row("new"))
    abandoned.give_up()
    writer.put(abandoned)
    writer.put(waiting)

    writer.commit(writer._gather())

    assert database.batches == [["new"]]


def test_row_that_the_database_refuses_stops_no_other_row(database):
    def refuse(ids):
        if "bad" in ids:
            raise DataError("no")

    database.behave = refuse
    good, bad = Pending(row("good")), Pending(row("bad"))

    Writer().commit([good, bad])

    assert good.error is None
    assert isinstance(bad.error, ValuesRefused)


def test_connection_that_was_dropped_while_idle_is_replaced_once(database):
    def fail_once(ids):
        if len(database.batches) == 1:
            raise OperationalError("server closed the connection unexpectedly")

    database.behave = fail_once
    pending = Pending(row())

    Writer().commit([pending])

    assert pending.error is None
    assert len(database.batches) == 2


def test_any_other_failure_reaches_every_request(database):
    def fail(ids):
        raise MemoryError

    database.behave = fail
    waiting = [Pending(row("a")), Pending(row("b"))]

    Writer().commit(waiting)

    assert all(isinstance(pending.error, NotStored) for pending in waiting)


def test_request_waits_no_longer_than_its_limit_and_the_next_not_at_all(database, monkeypatch):
    monkeypatch.setattr(storing, "WAIT_SECONDS", 0.1)
    monkeypatch.setattr(storing, "FAIL_FAST_SECONDS", 60.0)
    database.behave = database.hang
    committer = Committer()

    with pytest.raises(NotStored, match="in time"):
        committer.record(row("a"))
    with pytest.raises(NotStored, match="a moment ago"):
        committer.record(row("b"))


def test_writer_that_hangs_is_replaced_and_the_next_one_works(
    database, nothing_remembered, monkeypatch
):
    database.behave = database.hang
    committer = Committer()
    committer.submit(Pending(row("a")))
    assert database.hanging.acquire(timeout=60)
    with monkeypatch.context() as patch:
        patch.setattr(storing, "WAIT_SECONDS", 0.1)
        with pytest.raises(NotStored, match="in time"):
            committer.record(row("b"))
    database.behave = lambda ids: None

    assert committer.record(row("c"))


def test_locked_row_stops_no_other_row(database):
    class LockNotAvailable(Exception):
        """Has the name of psycopg's error, by which our code recognises it."""

    def hold(ids):
        if "held" in ids:
            raise OperationalError("locked") from LockNotAvailable()

    database.behave = hold
    free, held = Pending(row("free")), Pending(row("held"))

    Writer().commit([free, held])

    assert free.error is None
    assert isinstance(held.error, NotStored)


def test_writers_that_hang_are_replaced_a_few_times_only(database, nothing_remembered, monkeypatch):
    monkeypatch.setattr(storing, "WAIT_SECONDS", 0.01)
    database.behave = database.hang
    committer = Committer()
    writers = set()

    for number in range(8):
        writer = committer.submit(Pending(row(f"e{number}")))
        assert writer in writers or database.hanging.acquire(timeout=60)
        writers.add(writer)
        with pytest.raises(NotStored, match="in time"):
            committer.record(row(f"next{number}"))

    assert len(writers) == storing.MOST_ABANDONED + 1


# A full disk --------------------------------------------------------------------------------------


def disk_full(ids):
    raise OperationalError("could not extend file") from psycopg.errors.DiskFull()


def test_full_disk_is_called_so_and_remembered_until_an_event_is_stored(
    database, monkeypatch, caplog
):
    monkeypatch.setattr(storing, "FAIL_FAST_SECONDS", 0.0)
    committer = Committer()
    database.behave = disk_full

    with pytest.raises(DiskFull):
        committer.record(row("a"))

    assert "1 events not stored: the disk of the database is full" in caplog.text
    assert committer.is_disk_full
    database.behave = lambda ids: None
    assert committer.record(row("a"))
    assert not committer.is_disk_full


def test_another_failure_is_no_full_disk(database):
    def fail(ids):
        raise OperationalError("server closed the connection unexpectedly")

    database.behave = fail
    committer = Committer()

    with pytest.raises(NotStored) as caught:
        committer.record(row("a"))

    assert (type(caught.value), committer.is_disk_full) == (NotStored, False)


def test_full_disk_is_remembered_for_a_while_only(database, monkeypatch):
    monkeypatch.setattr(storing, "FULL_SECONDS", 0.0)
    database.behave = disk_full
    committer = Committer()

    with pytest.raises(DiskFull):
        committer.record(row("a"))

    assert not committer.is_disk_full
