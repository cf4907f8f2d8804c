"""Searches all tables whose texts may quote a person."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from django.db import connection, transaction

from briefs.forgetting.quoting import ERASED, NEARLY, Pattern, without
from webhooks.personal import Fate, Quotes, model_of

CHUNK = 500


def quoting(entry: Quotes, pattern: Pattern) -> Iterator[Any]:
    """The rows of this table that quote the person."""
    if pattern.exactly is None:
        return
    rows = model_of(entry)._base_manager.order_by("pk")
    if entry.among:
        rows = entry.among(rows)
    columns = entry.columns.split()
    if entry.texts is None:
        rows = rows.extra(**_likely(rows.model, columns, pattern))
    for row in rows.iterator(CHUNK):
        if _names(entry, row, pattern):
            yield row


def _likely(model: Any, columns: list[str], pattern: Pattern) -> dict[str, Any]:
    """A condition in raw SQL that finds rows which may quote the person, and some others.

    It is true for whatever is like a pattern, in any case of the letters of ASCII, and for texts
    that were cut at the end. Expressions of the ORM would cost more time than small tables do.
    """
    like = "{}::text ILIKE %s" if connection.vendor == "postgresql" else "{} LIKE %s"
    parts: list[str] = []
    params: list[str] = []
    for name in columns:
        field = model._meta.get_field(name)
        column = connection.ops.quote_name(field.column)
        parts += [like.format(column)] * len(pattern.likes)
        params += pattern.likes
        if field.max_length:
            parts += [f"LENGTH({column}) >= {field.max_length - NEARLY}", like.format(column)]
            params.append(f"%{ERASED}%")
    return {"where": [f"({' OR '.join(parts)})"], "params": params}


def _names(entry: Quotes, row: Any, pattern: Pattern) -> bool:
    if entry.texts:
        return pattern.finds(entry.texts(row))
    return any(
        pattern.finds(_text(getattr(row, column)), _longest(row, column))
        for column in entry.columns.split()
    )


def _longest(model: Any, column: str) -> int | None:
    longest: int | None = model._meta.get_field(column).max_length
    return longest


def find(entry: Quotes, pattern: Pattern, but: Collection[Any] = ()) -> set[Any]:
    """The keys of the rows of this table that quote the person.

    but: keys of rows that are deleted anyway.
    """
    return {row.pk for row in quoting(entry, pattern)} - set(but)


def carry_out(entry: Quotes, pattern: Pattern, but: Collection[Any]) -> set[Any]:
    """Delete these rows, or replace what they quote; returns their keys."""
    model = model_of(entry)
    keys = find(entry, pattern, but)
    if entry.fate == Fate.DELETED:
        model._base_manager.filter(pk__in=keys).delete()
    elif entry.fate == Fate.REPLACED:
        for key in sorted(keys):
            _replace(model, key, entry, pattern)
    return keys


@transaction.atomic
def _replace(model: Any, key: Any, entry: Quotes, pattern: Pattern) -> None:
    # By the key: some orders join a row that may be missing, and PostgreSQL locks none of these.
    row = model._base_manager.select_for_update().order_by("pk").filter(pk=key).first()
    if row is None:
        return
    changed = {}
    for name in entry.columns.split():
        value = without(getattr(row, name), pattern, _longest(model, name))
        if value != getattr(row, name):
            changed[name] = value
            setattr(row, name, value)
    if changed and entry.mend:
        changed |= entry.mend(row)
    if changed:
        model._base_manager.filter(pk=key).update(**changed)


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)
