"""How large the tables are, and how fast they grow: read at present, and recorded once a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import DatabaseError, connection, transaction

from webhooks.models import DailySize

GROWTH_OVER = timedelta(days=8)
# Partitions count to their table.
_POSTGRESQL = """
    SELECT COALESCE(whole.relname, one.relname), SUM(pg_total_relation_size(one.oid)),
        SUM(CASE WHEN one.reltuples >= 0 THEN one.reltuples END)
    FROM pg_class AS one
    LEFT JOIN pg_inherits AS part ON part.inhrelid = one.oid
    LEFT JOIN pg_class AS whole ON whole.oid = part.inhparent
    WHERE one.relkind = 'r' AND one.relnamespace = current_schema()::regnamespace
    GROUP BY 1
"""
# Indexes count to their table. It reads all pages, so it is asked once a day only.
_SQLITE = """
    SELECT things.tbl_name, SUM(dbstat.pgsize) FROM dbstat
    JOIN sqlite_master AS things ON things.name = dbstat.name
    WHERE dbstat.aggregate = TRUE GROUP BY things.tbl_name
"""


@dataclass(frozen=True, slots=True)
class Size:
    """`bytes`: with indexes; None where SQLite was built without dbstat. `rows`: about."""

    table: str
    bytes: int | None
    rows: int | None
    a_day: float | None = None  # bytes, of the last week; None where it is not known


def at_present() -> list[Size]:
    """The largest first. On SQLite as they were in the night: to ask would read all of it."""
    if connection.vendor == "postgresql":
        return _largest_first(_on_postgresql())
    newest = DailySize.objects.order_by("-day").first()
    return _largest_first(_of(newest)) if newest else []


def growing(now: datetime) -> list[Size]:
    """The same, with what each grew by a day, from the first to the last record of a week."""
    since = (now - GROWTH_OVER).date()
    records = list(DailySize.objects.filter(day__gte=since).order_by("day"))
    if len(records) < 2:
        return at_present()
    first, last = ({one.table: one.bytes for one in _of(records[at])} for at in (0, -1))
    days = (records[-1].day - records[0].day).days
    return [
        Size(one.table, one.bytes, one.rows,
             _less(last.get(one.table), first.get(one.table), days))
        for one in at_present()
    ]  # fmt: skip


def whole() -> int:
    """Bytes of the database."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_database_size(current_database())")
        else:
            cursor.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
        return int(cursor.fetchone()[0])


def record(now: datetime) -> None:
    """Write down the sizes of this day, in UTC, once."""
    day = now.astimezone(UTC).date()
    if DailySize.objects.filter(day=day).exists():
        return
    found = _on_postgresql() if connection.vendor == "postgresql" else _on_sqlite()
    tables = {size.table: [size.bytes, size.rows] for size in found}
    DailySize.objects.bulk_create([DailySize(day=day, tables=tables)], ignore_conflicts=True)


def _on_postgresql() -> list[Size]:
    with connection.cursor() as cursor:
        cursor.execute(_POSTGRESQL)
        return [
            Size(table, int(size), None if rows is None else int(rows))
            for table, size, rows in cursor.fetchall()
        ]


def _on_sqlite() -> list[Size]:
    """By counting, which an index of each table serves. Writers are not held up."""
    tables = connection.introspection.table_names()
    with connection.cursor() as cursor:
        sizes = {}
        try:
            with transaction.atomic():
                cursor.execute(_SQLITE)
                sizes = dict(cursor.fetchall())
        except DatabaseError:  # built without dbstat
            sizes = {}
        found = []
        for table in tables:
            cursor.execute(f"SELECT COUNT(*) FROM {connection.ops.quote_name(table)}")  # noqa: S608 - a name that the database told
            found.append(Size(table, sizes.get(table), cursor.fetchone()[0]))
    return found


def _of(record: DailySize) -> Iterator[Size]:
    for table, (size, rows) in record.tables.items():
        yield Size(table, size, rows)


def _largest_first(sizes: "Iterator[Size] | list[Size]") -> list[Size]:
    return sorted(sizes, key=lambda size: (-(size.bytes or 0), -(size.rows or 0)))


def _less(last: int | None, first: int | None, days: int) -> float | None:
    return None if last is None or first is None else (last - first) / days
