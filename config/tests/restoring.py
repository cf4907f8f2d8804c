"""After a test that commits, the test database holds again what it held before the first test.

Django would empty all tables, and make content types, permissions and roles anew: a third of a
second for each such test, and without the rows that migrations made.
"""

import sqlite3
from typing import Any

from django.db import connection
from django.test import TransactionTestCase


class Restoring:
    """What the database held when it was made."""

    def __init__(self) -> None:
        self._kept: Any = None  # a database in memory; on PostgreSQL the statements that restore

    def keep(self) -> None:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self._kept = sqlite3.connect(":memory:", check_same_thread=False)
            connection.connection.backup(self._kept)
        else:
            self._kept = _copied_in_postgresql()

    def restore(self) -> None:
        connection.ensure_connection()
        if connection.vendor == "sqlite":
            self._kept.backup(connection.connection)
        else:
            with connection.cursor() as cursor:
                cursor.execute(self._kept)


def _copied_in_postgresql() -> str:
    """Copy all tables that have rows; returns what empties all tables and fills those again."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    filled = []
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA kept")
        for table in tables:
            cursor.execute(f'SELECT EXISTS (SELECT FROM public."{table}")')
            if cursor.fetchone()[0]:
                cursor.execute(f'CREATE TABLE kept."{table}" AS TABLE public."{table}"')
                filled.append(table)
    return "; ".join(
        [
            "BEGIN",
            "SET LOCAL session_replication_role = replica",  # no foreign key is looked at
            *(f'DELETE FROM public."{table}"' for table in tables),
            *(f'INSERT INTO public."{table}" TABLE kept."{table}"' for table in filled),
            "COMMIT",
        ]
    )


def install() -> None:
    """For the database that the next `create_test_db` makes."""
    restoring = Restoring()
    make = connection.creation.create_test_db

    def made(*arguments: Any, **options: Any) -> str:
        name = make(*arguments, **options)
        restoring.keep()
        return name

    connection.creation.create_test_db = made  # type: ignore[method-assign]  # for tests
    TransactionTestCase._fixture_teardown = lambda case: restoring.restore()
