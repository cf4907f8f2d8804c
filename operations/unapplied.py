"""Which migrations of this code a database lacks."""

from functools import cache

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


@cache
def needed() -> frozenset[tuple[str, str]]:
    """Every migration as (app, name), but for a squashed one beside those that it replaces.

    A database that was made by the squashed one notes those too; one that ran them lacks nothing.
    """
    made = MigrationLoader(None).disk_migrations
    return frozenset(one for one, migration in made.items() if not made.keys() & migration.replaces)


def unapplied() -> int:
    """How many the database lacks; one query."""
    return len(needed() - MigrationRecorder(connection).applied_migrations().keys())
