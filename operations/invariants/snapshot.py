"""One moment of the database, read-only: so what goes on meanwhile is seen whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from webhooks.clock import database_now


@contextmanager
def snapshot() -> Iterator[datetime]:
    """Whatever is read within it is of one moment, which it yields. Nothing can be written.

    Within a transaction of the caller it is that transaction, as it is.
    """
    if connection.in_atomic_block:
        yield database_now()
    elif connection.vendor == "postgresql":
        with transaction.atomic():
            _execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield database_now()
    else:
        with _deferred(), transaction.atomic():
            yield database_now()


@contextmanager
def _deferred() -> Iterator[None]:
    """Our transactions on SQLite take the lock of the only writer as they begin: this one not."""
    wrapper: Any = connection  # of Django's backend for SQLite, which alone has a mode
    _execute("PRAGMA query_only = ON")  # it may connect anew, which sets the mode as well
    before, wrapper.transaction_mode = wrapper.transaction_mode, "DEFERRED"
    try:
        yield
    finally:
        _execute("PRAGMA query_only = OFF")
        wrapper.transaction_mode = before


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
