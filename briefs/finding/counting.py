"""Counts several lists in one statement."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

Sql = tuple[str, tuple[Any, ...]]


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
