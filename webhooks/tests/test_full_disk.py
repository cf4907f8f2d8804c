"""Which errors say that a disk is full: those of SQLite, of PostgreSQL and of the system."""

import errno
import sqlite3

import psycopg
import pytest
from django.db import OperationalError, connection

from webhooks import full_disk
from webhooks.models import DeliveryRow, WebhookEvent
from webhooks.parsing import ParsedEvent


def error_of(work):
    """What it raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - of any kind
        work()
    return caught.value


def from_cause(cause):
    error = OperationalError("words of the driver")
    error.__cause__ = cause
    return error


@pytest.mark.usefixtures("threaded_db")
def test_sqlite_without_room_says_so_through_django():
    if connection.vendor != "sqlite":
        pytest.skip("a fault of an SQLite file")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA page_count")
        cursor.execute(f"PRAGMA max_page_count = {cursor.fetchone()[0]}")

    body = b"x" * 10**6
    row = DeliveryRow(ParsedEvent("e1", "email", "sent", None), body, len(body), {}, True)

    error = error_of(lambda: WebhookEvent.objects.all().record([row]))

    assert isinstance(error, OperationalError)
    assert full_disk.why(error) == "the disk of the database is full"


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.errors.DiskFull("could not extend file"),
        psycopg.OperationalError("FATAL: could not write init file: No space left on device"),
        OSError(errno.ENOSPC, "no matter which words"),
        OSError(errno.EDQUOT, "the user's share is used up"),
    ],
)
def test_full_disk_is_recognised_behind_django_s_error(cause):
    assert full_disk.is_full(from_cause(cause))


def test_full_disk_is_recognised_where_the_second_try_failed_otherwise():
    error = OperationalError("the connection is closed")
    error.__context__ = from_cause(psycopg.errors.DiskFull())

    assert full_disk.is_full(error)


@pytest.mark.parametrize(
    "cause",
    [
        psycopg.errors.ConnectionDoesNotExist(),
        psycopg.errors.OutOfMemory(),
        sqlite3.OperationalError("database is locked"),
        OSError(errno.EIO, "a broken disk"),
        None,
    ],
)
def test_other_failures_keep_their_kind(cause):
    assert full_disk.why(from_cause(cause)) == "OperationalError"


def test_error_that_leads_to_itself_ends():
    one, other = ValueError(), KeyError()
    one.__context__, other.__context__ = other, one

    assert not full_disk.is_full(one)


@pytest.mark.usefixtures("threaded_db")
def test_free_room_is_known_of_a_file_only(monkeypatch):
    monkeypatch.setattr(full_disk.shutil, "disk_usage", lambda path: type("", (), {"free": 7}))

    assert full_disk.free_bytes() == (7 if connection.vendor == "sqlite" else None)
