"""Checks of the connections to PostgreSQL: how many of those allowed are used, and their limits."""

import psycopg
from django.conf import settings
from django.db import connection

from operations.doctor.findings import Finding, fail, ok, warn
from webhooks.connections import is_ours_alone

NEAR = 0.8  # used : allowed
# Anybody may read the statistics of databases, but not what connections of others are.
_USED_SQL = """
SELECT current_setting('max_connections')::int
    - current_setting('superuser_reserved_connections')::int
    - coalesce(current_setting('reserved_connections', true)::int, 0),
    sum(numbackends), sum(numbackends) FILTER (WHERE datname = current_database())
FROM pg_stat_database
"""


def connections() -> Finding:
    """How many connections the server has of those that it allows."""
    if connection.vendor == "sqlite":
        return ok("SQLite is a file: any number of processes of this machine may open it")
    with connection.cursor() as cursor:
        cursor.execute(_USED_SQL)
        allowed, used, ours = cursor.fetchone()
    seen = f"{used} of {allowed} allowed are used, {ours} of them for this database"
    if used < NEAR * allowed:
        return ok(seen)
    return warn(
        f"{seen}: when none is left, webhooks get 503 and workers stop",
        "Raise PostgreSQL's max_connections, put PgBouncer in between, or run fewer hosts: see "
        "“Connections” in docs/operations.md.",
    )


_LIMITS = ("idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout")
_LIMITS_SQL = "SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)"
_LONGEST_PAGE_MS = 3000
SEE = "See “PgBouncer” in docs/operations.md."


def time_outs() -> Finding:
    """Behind a pooler: whether the roles have the time-outs that Savedesk cannot set itself."""
    if connection.vendor == "sqlite" or is_ours_alone(connection):
        return ok("Savedesk sets those of its connections itself: no pooler is in between")
    with connection.cursor() as cursor:
        cursor.execute(_LIMITS_SQL, [list(_LIMITS)])
        worker = dict(cursor.fetchall())
    if not worker["idle_in_transaction_session_timeout"]:
        return warn(
            "a pooler is in between, and a process that is paused in a transaction blocks others "
            "for ever",
            f"ALTER ROLE … SET idle_in_transaction_session_timeout = '60s'. {SEE}",
        )
    if 0 < worker["statement_timeout"] < 1000 * settings.DRAIN_TIMEOUT_SECONDS:
        return warn(
            "a pooler is in between, and the workers' role ends statements after "
            f"{worker['statement_timeout'] / 1000:.1f} s, which interrupts work on a backlog",
            f"Give web servers a role of their own, in WEB_DATABASE_URL. {SEE}",
        )
    return _of_pages()


def _of_pages() -> Finding:
    cure = (
        f"Set WEB_DATABASE_URL to a role with statement_timeout = '2500ms', lock_timeout = '1s'. "
        f"{SEE}"
    )
    if not settings.WEB_DATABASE_URL:
        return warn("a pooler is in between, and pages wait for a lock without an end", cure)
    try:
        with psycopg.connect(settings.WEB_DATABASE_URL, connect_timeout=5) as web:
            limits: dict[str, int] = dict(web.execute(_LIMITS_SQL, [list(_LIMITS)]).fetchall())
    except psycopg.Error as error:
        return fail(
            f"WEB_DATABASE_URL cannot be reached ({type(error).__name__})",
            "Are host, user and password right? Web servers use it in place of DATABASE_URL.",
        )
    if all(0 < limits[name] <= _LONGEST_PAGE_MS for name in ("statement_timeout", "lock_timeout")):
        return ok("a pooler is in between, and the roles have their time-outs")
    return warn("a pooler is in between, and pages wait longer than a request may", cure)
