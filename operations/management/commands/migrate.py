"""Django's `migrate`, which on PostgreSQL never lets others wait behind it for more than a second.

A change of a table waits for whoever reads or writes it at the moment, and everybody who comes
later waits behind the change: the receiver too. So it gives up after a second, lets them through,
and tries again.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import migrate
from django.db import Error, connections

from webhooks.connections import is_ours_alone

LOCK_TIMEOUT = "1s"  # the receiver has 2.5 s for its answer
PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 2.0


class Command(migrate.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        with _lock_timeout(options["database"]):
            while True:
                try:
                    super().handle(*args, **options)
                    return
                except Error as error:
                    if getattr(error.__cause__, "sqlstate", None) != "55P03":  # lock not available
                        raise
                    if time.monotonic() > give_up_at:
                        raise CommandError(
                            "A table was in use all the time: something reads or writes it in one "
                            "long transaction (pg_stat_activity shows which). What was done until "
                            "here is whole. Run the command again when that has ended."
                        ) from error
                self.stderr.write("A table is in use. Others go first; it is tried again.")
                time.sleep(PAUSE_SECONDS)


@contextmanager
def _lock_timeout(database: str) -> Iterator[None]:
    """For statements on this connection, unless a pooler would pass the setting on to others."""
    connection = connections[database]
    if connection.vendor != "postgresql" or not is_ours_alone(connection):
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        usual = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", [LOCK_TIMEOUT])
    try:
        yield
    finally:
        if connection.is_usable():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('lock_timeout', %s, false)", [usual])
