"""Sets the clocks that a test sees: Python's, and the database's, which stamps every row.

Time goes on from the moment that is set, for all threads of this process; other processes keep
the real time. SQLite asks Python what time it is, in every connection. PostgreSQL has a second
statement_timestamp(), which is found before its own; columns take their defaults from it as well,
because it is there before the tables are.
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
        """Now it is this moment (UTC if it names no zone), until it is set anew or the test ends.

        Connections of other threads follow when they are opened.
        """
        self._travel.close()
        self._travel.enter_context(time_machine.travel(_aware(moment).timestamp()))
        time.time()  # Python's clock stands until it is asked for the first time
        self._ahead = datetime.now(UTC) - time_machine.escape_hatch.datetime.datetime.now(UTC)
        self._tell_open_connections()

    def put_right(self) -> None:
        """Now it is as late as it is."""
        if self._ahead:
            self._travel.close()
            self._ahead = timedelta(0)
            self._tell_open_connections()

    def tell(self, connection: Any) -> None:
        """Have an open connection take the time from here."""
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
    """SQLite's function of that name, as the code uses it: for nothing but the present moment."""
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
    """From now on every connection of this process takes its time from here."""
    connection_created.connect(_tell_new_connection)
    pre_migrate.connect(_create_function, sender=apps.get_app_config("webhooks"))
