"""Operations of migrations for tables that have rows: nobody who writes waits until they are done.

On SQLite, where one host runs alone, they are the usual ones. Their migration says `atomic = False`
and holds nothing else, so it may be run again after it was interrupted (CONTRIBUTING.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres import operations
from django.db.migrations.operations import AddIndex, RemoveIndex


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Build an index while others write. What an interrupted build left behind is built anew."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            AddIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        with _patience(connection):
            is_valid = _is_valid(connection, self.index.name)
            if is_valid is False:
                schema_editor.execute(f'DROP INDEX CONCURRENTLY "{self.index.name}"')
            if not is_valid:
                super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            AddIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with _patience(schema_editor.connection):
            super().database_backwards(app_label, schema_editor, *states)


class RemoveIndexConcurrently(operations.RemoveIndexConcurrently):
    """Drop an index while others read and write the table."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            RemoveIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        with _patience(schema_editor.connection):
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            RemoveIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with _patience(schema_editor.connection):
            super().database_backwards(app_label, schema_editor, *states)


def _is_valid(connection: Any, index: str) -> bool | None:
    """Whether the index can be used; None if there is none of this name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid "
            "WHERE relname = %s AND pg_table_is_visible(indrelid)",
            [index],
        )
        found = cursor.fetchone()
    return found[0] if found else None


@contextmanager
def _patience(connection: Any) -> Iterator[None]:
    """It waits for transactions that began before; nobody waits for it, so it has no time limit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        usual = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('lock_timeout', '0', false)")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, false)", [usual])
