"""Mavera's two ways of turning pages: by cursor, and by offset as older documentation has it."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.options import Paging

MAX_LIMIT = 100


class QueryError(Exception):
    """A query parameter that makes no sense; `param` is its name."""

    def __init__(self, param: str) -> None:
        super().__init__(f"Invalid value for '{param}'.")
        self.param = param


def page(
    items: Sequence[tuple[int, dict[str, Any]]], query: Mapping[str, str], paging: Paging = "cursor"
) -> dict[str, Any]:
    """One page of items, sorted by falling number; `Options.paging` describes the ways.

    Raises QueryError.
    """
    if paging == "offset" or (paging == "cursor" and "offset" in query):
        return _by_offset(items, query)
    limit = _limit(query, default=50)
    before = _number_in(query["cursor"]) if query.get("cursor") else None
    left = [item for item in items if before is None or item[0] < before]
    shown, has_more = left[:limit], len(left) > limit
    return {
        "object": "list",
        "data": [item for _, item in shown],
        "has_more": has_more,
        "next_cursor": _cursor(shown[-1][0]) if has_more else None,
    }


def _by_offset(
    items: Sequence[tuple[int, dict[str, Any]]], query: Mapping[str, str]
) -> dict[str, Any]:
    limit = _limit(query, default=20)
    given = query.get("offset", "0")
    if not given.isdecimal():
        raise QueryError("offset")
    offset = int(given)
    return {
        "object": "list",
        "data": [item for _, item in items[offset : offset + limit]],
        "total": len(items),
        "limit": limit,
        "offset": offset,
        "has_more": offset + limit < len(items),
    }


def _limit(query: Mapping[str, str], *, default: int) -> int:
    given = query.get("limit", str(default))
    if not given.isdecimal() or not 1 <= int(given) <= MAX_LIMIT:
        raise QueryError("limit")
    return int(given)


def _cursor(number: int) -> str:
    return base64.urlsafe_b64encode(f"before:{number}".encode()).decode()


def _number_in(cursor: str) -> int:
    try:
        _, number = base64.urlsafe_b64decode(cursor).decode().split(":")
        return int(number)
    except ValueError:
        raise QueryError("cursor") from None
