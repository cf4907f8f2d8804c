"""The file of SQLite that is copied: read in one state, and never written to."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import psutil
from django.db.migrations.loader import MigrationLoader

from operations.unapplied import needed


class Source:
    """One state of the file: what others write after it was opened is not seen, but noticed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._watching = self._connect()
        self._version = self._changes()
        self.connection = self._connect()
        self.connection.execute("BEGIN")
        self.connection.execute("SELECT 1 FROM sqlite_master").fetchone()  # from now on

    def _connect(self) -> sqlite3.Connection:
        # Read-only in all it does; a file that the WAL needs may be made beside it.
        connection = sqlite3.connect(
            f"file:{quote(str(self.path))}?mode=rw", uri=True, timeout=20, isolation_level=None
        )
        connection.execute("PRAGMA query_only = 1")
        return connection

    def close(self) -> None:
        self.connection.close()
        self._watching.close()

    def _changes(self) -> int:
        """Another number once another connection has committed something."""
        number: int = self._watching.execute("PRAGMA data_version").fetchone()[0]
        return number

    @property
    def was_written_to(self) -> bool:
        return self._changes() != self._version

    def tables(self) -> dict[str, str]:
        """Each table that holds rows of its own, with the statement that made it."""
        query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
        return dict(self.connection.execute(query).fetchall())

    def count(self, table: str) -> int:
        number: int = self.connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0]  # noqa: S608 - a name of Django's
        return number

    def last_keys(self) -> dict[str, int]:
        """The highest key that each table ever gave, also to rows that are gone."""
        return dict(self.connection.execute("SELECT name, seq FROM sqlite_sequence").fetchall())

    def why_not_migrated(self) -> str:
        """Why it is not in the state of this version's migrations, in words; empty if it is."""
        if "django_migrations" not in self.tables():
            return "is no database of Savedesk"
        query = "SELECT app, name FROM django_migrations"
        applied = set(self.connection.execute(query).fetchall())
        if missing := sorted(needed() - applied):
            return (
                f"is of an earlier version: {'.'.join(missing[0])} is missing. Run manage.py "
                "migrate on it first, with this version"
            )
        loader = MigrationLoader(None)
        known = set(loader.disk_migrations)
        if later := sorted(one for one in applied - known if one[0] in loader.migrated_apps):
            return f"is of a later version: it has {'.'.join(later[0])}. Use that version"
        return ""


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    source = Source(path)
    try:
        yield source
    finally:
        source.close()


def users(path: Path) -> list[int]:
    """The processes that have the file open, other than this one, as far as we may see them."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            files = {file.path for file in process.open_files()}
            if str(path.resolve()) in files and process.pid != psutil.Process().pid:
                found.append(process.pid)
    return found
