"""How tests break promises: past all arrows, in raw SQL."""

from datetime import UTC, datetime

from django.db import connection

from operations.invariants import Promise, look_at
from webhooks.clock import database_now

LONG_AGO = "2026-01-01 00:00:00"
TOKEN = "5b1f0f5e-7c53-4c38-9f1a-0d3b6f9d7a11"
LEASED = f"lease_token = '{TOKEN}', lease_until = '2126-01-01'"
THEN = datetime(2026, 1, 1, tzinfo=UTC)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":  # whose columns for a UUID have no dashes
            statement = statement.replace(TOKEN, TOKEN.replace("-", ""))
        cursor.execute(statement)


def told(promise: Promise) -> list[str]:
    """What a look finds."""
    return [str(row) for row in look_at(promise, database_now()).broken]


def without_checks(table: str, *names: str) -> None:
    """Let the table take what its checks would refuse. Call it before rows are made."""
    if connection.vendor == "sqlite":
        execute("PRAGMA ignore_check_constraints = ON")
        return
    for name in names:
        execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
