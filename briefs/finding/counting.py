"""Counts several lists in one statement, and keeps what takes long to count."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from django.core.cache import cache
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

KEPT_SECONDS = 60

Sql = tuple[str, tuple[Any, ...]]
Counted = TypeVar("Counted")


def sql_of(rows: QuerySet[Any]) -> Sql | None:
    """None where Django knows without asking that there is no row."""
    try:
        return rows.query.sql_with_params()
    except EmptyResultSet:
        return None


def counted(asked: Mapping[str, Sql]) -> dict[str, int]:
    """How many rows each of them finds, by its name."""
    if not asked:
        return {}
    # A limit within a part of UNION is not possible on SQLite.
    parts = [f"(SELECT COUNT(*) FROM ({sql}) AS counted)" for sql, _ in asked.values()]  # noqa: S608 - Django's own
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(parts)}", [one for _, given in asked.values() for one in given]
        )
        return dict(zip(asked, cursor.fetchone(), strict=True))


def kept(name: str, sql: Sql, count: Callable[[], Counted]) -> Counted:
    """What was counted within the last KEPT_SECONDS under this name of the rows of this SQL."""
    return cast(Counted, cache.get_or_set(_key(name, sql), count, KEPT_SECONDS))


def are_many(sql: Sql) -> bool:
    """Whether `note_many` was told so within the last KEPT_SECONDS."""
    return bool(cache.get(_key("many", sql)))


def note_many(sql: Sql) -> None:
    """That this SQL finds more rows than whoever asks wants to know, which took long to learn."""
    cache.set(_key("many", sql), True, KEPT_SECONDS)


def _key(name: str, sql: Sql) -> str:
    return f"{name}:{hashlib.sha256(repr(sql).encode()).hexdigest()}"
