"""The starter rules in a test's database: made once in each process, and copied from then on.

To make them takes a tenth of a second, with their histories and their version, and a thousand tests
begin with them.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from personas import starter
from personas.models import (
    AttributeName,
    FirstStep,
    Persona,
    PersonaCondition,
    RulesState,
    RuleVersion,
    SignalCondition,
    SignalRule,
)

_RULES: tuple[Any, ...] = (
    AttributeName, SignalRule, SignalCondition, Persona, PersonaCondition, FirstStep,
)  # fmt: skip
# The state comes last: each row of a rule raises its count.
_MODELS: tuple[Any, ...] = (
    *_RULES, *(model.history.model for model in _RULES), RuleVersion, RulesState
)  # fmt: skip
_HAS_ANY = "SELECT " + " OR ".join(f"EXISTS (SELECT 1 FROM {m._meta.db_table})" for m in _RULES)
_MOMENTS = {"history_date", "made_at"}  # a copy is made now
_NOW = "the moment of the copy"
_kept: list[tuple[str, list[list[Any]]]] = []  # what inserts a row of each table, and its rows
_script: list[str] = []  # on PostgreSQL all of that as one text


def load() -> None:
    """As `starter.load_if_empty`."""
    with connection.cursor() as cursor:
        cursor.execute(_HAS_ANY)
        is_empty = not cursor.fetchone()[0]
    if is_empty and _kept:
        _copy()
        return
    starter.load_if_empty()
    if is_empty:
        _keep()


def _keep() -> None:
    with connection.cursor() as cursor:
        for model in _MODELS:
            names, rows = _read(cursor, model)
            columns = ", ".join(map(connection.ops.quote_name, names))
            places = ", ".join(["%s"] * len(names))
            statement = f"INSERT INTO {model._meta.db_table} ({columns}) VALUES ({places})"
            _kept.append((statement, rows))
        if connection.vendor == "postgresql":
            _script.append("; ".join(_literally(cursor)))


def _read(cursor: Any, model: type[Model]) -> tuple[list[str], list[list[Any]]]:
    names = [field.column for field in model._meta.concrete_fields]
    columns = ", ".join(map(connection.ops.quote_name, names))
    cursor.execute(f"SELECT {columns} FROM {model._meta.db_table}")
    return names, [
        [_NOW if name in _MOMENTS else value for name, value in zip(names, row, strict=True)]
        for row in cursor.fetchall()
    ]


def _literally(cursor: Any) -> Iterator[str]:
    yield "DELETE FROM personas_rulesstate"
    for statement, rows in _kept[:-1]:
        yield from (cursor.cursor.mogrify(statement, row) for row in rows)
    yield "DELETE FROM personas_rulesstate"
    statement, [state] = _kept[-1]
    yield cursor.cursor.mogrify(statement, state)
    for model in _MODELS:
        if (key := model._meta.pk).get_internal_type() in ("AutoField", "BigAutoField"):
            table = model._meta.db_table
            yield (
                f"SELECT setval(pg_get_serial_sequence('{table}', '{key.column}'), "
                f"(SELECT max({key.column}) FROM {table}))"
            )


def _copy() -> None:
    now = str(connection.ops.adapt_datetimefield_value(timezone.now()))
    with connection.cursor() as cursor:
        if _script:
            cursor.execute(_script[0].replace(f"'{_NOW}'", f"'{now}'"))
            return
        for statement, rows in _kept:
            if statement.startswith("INSERT INTO personas_rulesstate"):
                cursor.execute("DELETE FROM personas_rulesstate")
            filled = [[now if value == _NOW else value for value in row] for row in rows]
            cursor.executemany(statement, filled)
