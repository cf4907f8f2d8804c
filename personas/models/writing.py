"""Writes columns of many rows in one statement.

Raw SQL with one parameter for all rows: thousands of placeholders take the driver longer than the
update, and bulk_update with its CASE for each row and column is slower still.
"""

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models


def write(
    model: type[models.Model], names: Iterable[str], rows: Collection[models.Model], also: str = ""
) -> None:
    """Write these columns of these rows; `also` is a further assignment, in SQL.

    Lock the rows before in the order of their keys, so that two workers cannot deadlock.
    """
    if not rows:
        return
    columns: list[Any] = [model._meta.get_field(name) for name in names]
    given = [
        {"id": row.pk, **{field.column: _given(field, row) for field in columns}} for row in rows
    ]
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    if connection.vendor == "postgresql":
        kinds = ", ".join(f"{quote(f.column)} {f.db_type(connection)}" for f in columns)
        source, key = f"json_to_recordset(%s::json) AS given(id bigint, {kinds})", "given.id"
        sets = [f"{quote(f.column)} = given.{quote(f.column)}" for f in columns]
    else:
        source, key = "json_each(%s) AS given", "json_extract(given.value, '$.id')"
        sets = [f"{quote(f.column)} = json_extract(given.value, '$.{f.column}')" for f in columns]
    assignments = ", ".join([*sets, *([also] if also else [])])
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {assignments} FROM {source} WHERE {table}.id = {key}",  # noqa: S608 - our own names
            [json.dumps(given, cls=DjangoJSONEncoder)],
        )


def _given(field: Any, row: models.Model) -> Any:
    if related := row._state.fields_cache.get(field.name):
        return related.pk  # the related row may have got its key later
    value = getattr(row, field.attname)
    if isinstance(field, models.DateTimeField) and value is not None:
        return str(connection.ops.adapt_datetimefield_value(value))  # as the database writes it
    return value
