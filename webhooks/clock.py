"""The database's clock: the one that all hosts share."""

from datetime import UTC, datetime

from django.db import connection

# The database's clock in raw SQL, as Django's Now() writes it.
NOW_SQL = {
    "postgresql": "STATEMENT_TIMESTAMP()",
    "sqlite": "STRFTIME('%%Y-%%m-%%d %%H:%%M:%%f', 'NOW')",
}


def database_now() -> datetime:
    """The one clock that all hosts share; rows are stamped by it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {NOW_SQL[connection.vendor]}", [])
        (now,) = cursor.fetchone()
    return aware(now)


def aware(at: datetime | str) -> datetime:
    """SQLite gives times of raw SQL without their zone, and those of expressions as text."""
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
