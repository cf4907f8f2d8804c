"""Statements that never change are written once: to write one takes longer than to answer it.

They take the time from the database's clock (`Now()`).
"""

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.db import connection
from django.db.models import QuerySet

Rows = list[tuple[Any, ...]]


def written_once(write: Callable[..., QuerySet[Any, Any]]) -> Callable[..., Rows]:
    """Let the function return the rows of its query, which is written once for each argument.

    The rows are as the database gives them: times need `webhooks.clock.aware`.
    """

    @cache
    def statement(*given: Any) -> tuple[str, tuple[Any, ...]]:
        return write(*given).query.sql_with_params()

    @wraps(write)
    def rows(*given: Any) -> Rows:
        with connection.cursor() as cursor:
            cursor.execute(*statement(*given))
            found: Rows = cursor.fetchall()
        return found

    return rows
