"""Inserts the many new rows of a batch: on PostgreSQL by COPY, because bulk_create spends more time
on preparing their values than the database on storing them."""

import json
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection
from django.db.models import Field, ForeignKey, JSONField, Model

_KEYS_SQL = "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"


def insert(rows: Sequence[Model]) -> None:
    """Insert new rows of one model and set their keys, as bulk_create does.

    Every field needs its value: no expression (on PostgreSQL a ProgrammingError) and no default
    of the database. Needs an open transaction.
    """
    if not rows:
        return
    if connection.vendor == "postgresql":
        _copy(type(rows[0]), rows)
    else:
        type(rows[0])._default_manager.bulk_create(rows)


def _copy(model: type[Model], rows: Sequence[Model]) -> None:
    readers = {f.column: _reader(f) for f in model._meta.concrete_fields if f.column}
    quote = connection.ops.quote_name
    table, columns = quote(model._meta.db_table), ", ".join(map(quote, readers))
    # Django passes COPY straight to psycopg, so psycopg's errors are turned into Django's here.
    with connection.wrap_database_errors, connection.cursor() as cursor:
        cursor.execute(_KEYS_SQL, [table, len(rows)])
        for row, (key,) in zip(rows, cursor.fetchall(), strict=True):
            row.pk = key
        with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row([read(row) for read in readers.values()])
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


def _reader(field: "Field[Any, Any]") -> Callable[[Model], Any]:
    """A function that returns a row's value of this field in the form that psycopg writes."""
    get = attrgetter(field.attname)
    if isinstance(field, ForeignKey):
        return _key_reader(field)
    if isinstance(field, JSONField):
        return lambda row: _json(get(row))
    return get


def _key_reader(field: "ForeignKey[Any, Any]") -> Callable[[Model], Any]:
    name, attname = field.name, field.attname

    def read(row: Model) -> Any:
        related = row._state.fields_cache.get(name)
        if related is not None:  # the related row may have got its key later
            setattr(row, attname, related.pk)
        return getattr(row, attname)

    return read


def _json(value: Any) -> str | None:
    return None if value is None else json.dumps(value, cls=DjangoJSONEncoder)
