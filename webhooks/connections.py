"""What a new connection to PostgreSQL is told: its time-outs, unless a pooler is in between.

A pooler in transaction mode (PgBouncer) lends a connection of the server to one client after the
other. What one client sets, the next one finds, and notifications reach nobody. It also refuses
time-outs among the start-up options. So they are set after connecting, and only on a connection
that is ours alone. Behind a pooler its role has them (docs/operations.md, “PgBouncer”).
"""

from typing import Any

from django.conf import settings
from django.db import Error, InterfaceError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper


def begin(connection: BaseDatabaseWrapper, **kw: Any) -> None:
    """Find out whether the connection is ours alone; if it is, set its time-outs.

    One statement does both. A pooler gives its clients process numbers of its own making, so the
    number that we were given is that of the server's process only without a pooler.
    """
    if connection.vendor != "postgresql":
        return
    each = ", ".join(["set_config(%s, %s, false)"] * len(settings.DATABASE_SESSION))
    values = [text for setting in settings.DATABASE_SESSION.items() for text in setting]
    process = connection.connection.info.backend_pid
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {each} WHERE pg_backend_pid() = %s", [*values, process])
            found = cursor.fetchone()
    except Error:
        connection.close()  # without its time-outs nobody may use it
        raise
    connection.is_ours_alone = found is not None  # type: ignore[attr-defined]


def is_ours_alone(connection: BaseDatabaseWrapper) -> bool:
    """Whether this connection to PostgreSQL may be told something that later statements rely on."""
    connection.ensure_connection()
    return getattr(connection, "is_ours_alone", False)


def is_outage(error: Exception) -> bool:
    """Whether the database failed, and no row did.

    PostgreSQL calls it operational, too, if a value is beyond one of its limits (class 54), such as
    that of an index: with or without the others, that row fails.
    """
    is_limit = str(getattr(error.__cause__, "sqlstate", None)).startswith("54")
    return isinstance(error, OperationalError | InterfaceError) and not is_limit
