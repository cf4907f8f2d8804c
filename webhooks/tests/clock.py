"""Sets the clocks that a test sees: Python's, and the database's, which stamps every row.

Time goes on from the moment that is set, for all threads of this process; other processes keep
the real time. In SQLite, each connection takes the time from Python. In PostgreSQL, a second
statement_timestamp() is found before the built-in one. It is created before the tables, so the
defaults of columns use it as well.
"""

import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from django.apps import apps
from django.db import connection, connections
from django.db.backends.signals import connection_created
from django.db.models.signals import pre_migrate

_STATEMENT_TIMESTAMP = """
    CREATE OR REPLACE FUNCTION public.statement_timestamp() RETURNS timestamptz
    LANGUAGE sql STABLE AS $$
        SELECT pg_catalog.statement_timestamp()
            + coalesce(current_setting('tests.ahead', true), '0')::interval
    $$
"""


class Clock:
    def __init__(self) -> None:
        self._travel = ExitStack()
        self._ahead = timedelta(0)

    def set(self, moment: str | datetime) -> None:
        """Set the clocks to this moment (UTC if it names no zone) until the test ends.

        On PostgreSQL, a connection that another thread has open already keeps its time.
        """
        self._travel.close()
        self._travel.enter_context(time_machine.travel(_aware(moment).timestamp()))
        time.time()  # the clock starts to run at its first reading
        self._ahead = datetime.now(UTC) - time_machine.escape_hatch.datetime.datetime.now(UTC)
        self._tell_open_connections()

    def put_right(self) -> None:
        """Set the clocks back to the real time."""
        if self._ahead:
            self._travel.close()
            self._ahead = timedelta(0)
            self._tell_open_connections()

    def tell(self, connection: Any) -> None:
        """Let this open connection take the time from this clock."""
        if connection.vendor == "sqlite":
            connection.connection.create_function("strftime", 2, _strftime, deterministic=True)
        else:
            connection.connection.execute(
                "SELECT set_config('search_path', 'public, pg_catalog', false),"
                " set_config('tests.ahead', %s, false)",
                [f"{self._ahead.total_seconds():.6f} seconds"],
            )

    def _tell_open_connections(self) -> None:
        for opened in connections.all(initialized_only=True):
            if opened.vendor == "postgresql" and opened.connection is not None:
                self.tell(opened)


clock = Clock()


def _aware(moment: str | datetime) -> datetime:
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _strftime(form: str, moment: str) -> str:
    """Replaces SQLite's strftime, which our code calls only for the present moment."""
    assert moment == "NOW", moment
    now = datetime.now(UTC)
    return now.strftime(form.replace("%f", f"%S.{now.microsecond // 1000:03}"))


def _tell_new_connection(connection: Any, **kw: Any) -> None:
    clock.tell(connection)


def _create_function(**kw: Any) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_STATEMENT_TIMESTAMP)


def install() -> None:
    """From now on each new connection of this process takes its time from this clock."""
    connection_created.connect(_tell_new_connection)
    pre_migrate.connect(_create_function, sender=apps.get_app_config("webhooks"))
