"""Operations of migrations: indexes for tables that have rows, and the tables of a new database.

Nobody who writes waits until an index is built. On SQLite, where one host runs alone, it is the
usual one. Such a migration says `atomic = False` and holds nothing else, so it may be run again
after it was interrupted (CONTRIBUTING.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres import operations
from django.db.migrations.operations import AddIndex, CreateModel, RemoveIndex
from django.db.migrations.operations.base import Operation


class AddIndexConcurrently(operations.AddIndexConcurrently):
    """Build an index while others write. What an interrupted build left behind is built anew."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        connection = schema_editor.connection
        if connection.vendor != "postgresql":
            if not _is_there(connection, self.index.name):
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
            if _is_there(schema_editor.connection, self.index.name):
                AddIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with _patience(schema_editor.connection):
            super().database_backwards(app_label, schema_editor, *states)


class RemoveIndexConcurrently(operations.RemoveIndexConcurrently):
    """Drop an index while others read and write the table."""

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            if _is_there(schema_editor.connection, self.name):
                RemoveIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        with _patience(schema_editor.connection):
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            if not _is_there(schema_editor.connection, self.name):
                RemoveIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        with _patience(schema_editor.connection):
            super().database_backwards(app_label, schema_editor, *states)


class CreateModels(Operation):
    """Create many tables at once: those of an app in a new database, for a squashed migration.

    After a CreateModel Django makes the classes of all related models anew, and nearly all of ours
    are related. After this one it makes them once.
    """

    def __init__(self, models: list[CreateModel]) -> None:
        self.models = models

    def state_forwards(self, app_label: str, state: Any) -> None:
        vars(state).pop("apps", None)  # the classes, which are made when somebody asks for them
        for one in self.models:
            one.state_forwards(app_label, state)

    def database_forwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        for one in self.models:
            one.database_forwards(app_label, schema_editor, *states)
        # Indexes and foreign keys now: Django notes a migration as applied in its own transaction
        # if nothing is left to do, and dozens are noted here.
        for statement in schema_editor.deferred_sql:
            schema_editor.execute(statement, None)
        schema_editor.deferred_sql.clear()

    def database_backwards(self, app_label: str, schema_editor: Any, *states: Any) -> None:
        for one in reversed(self.models):
            one.database_backwards(app_label, schema_editor, *states)

    def describe(self) -> str:
        return f"Create {len(self.models)} models"


def _is_there(connection: Any, index: str) -> bool:
    """On SQLite, where an index is there as a whole or not at all."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = %s", [index])
        return cursor.fetchone() is not None


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
