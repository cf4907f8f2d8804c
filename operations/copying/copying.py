"""Copies all tables into PostgreSQL in one transaction, and compares them before it is committed.

Until then the target is as it was: empty. Whatever ends the copy, a difference, an error or a
power cut, leaves it so. Triggers that count or mark changes are off, because what they write is
copied too, and foreign keys are checked once, when all rows are there.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.apps import apps
from django.db import Error, connection, models, transaction

from briefs.models import BriefDocument, CustomerDocument, ResearchDocument, SearchIndex, TextChange
from operations.copying.lines import Lines, NotCopied
from operations.copying.source import Source

# What searches look through is of another kind on each database. It is written anew there.
WRITTEN_ANEW = (BriefDocument, CustomerDocument, ResearchDocument, SearchIndex, TextChange)
# What migrations and starter rules put into a database that nobody has used yet. All of it goes:
# the source has its own.
BEGINS_WITH_ROWS = {
    "auth_group", "auth_group_permissions", "auth_permission", "django_content_type",
    "django_q_schedule", "briefs_closingreason", "briefs_offer", "briefs_textchange",
    "briefs_searchindex", "personas_attributename", "personas_firststep", "personas_persona",
    "personas_personacondition", "personas_signalcondition", "personas_signalrule",
    "personas_rulesstate", "personas_ruleversion", "personas_historicalattributename",
    "personas_historicalfirststep", "personas_historicalpersona",
    "personas_historicalpersonacondition", "personas_historicalsignalcondition",
    "personas_historicalsignalrule",
}  # fmt: skip
_EVERY = 2_000  # rows at a time
# How values are written, and read back to be compared.
_SETTINGS = ("TimeZone = 'UTC'", "DateStyle = 'ISO'", "bytea_output = 'hex'",
             "extra_float_digits = 1", "lock_timeout = '5s'", "statement_timeout = 0")  # fmt: skip

Told = Callable[[int], object]  # how many rows of a table are done


@dataclass(frozen=True)
class Compared:
    """A table on both sides: how many rows, and the digest of them all."""

    table: str
    sent: tuple[int, int]
    arrived: tuple[int, int]

    @property
    def is_equal(self) -> bool:
        return self.sent == self.arrived


def tables() -> list[type[models.Model]]:
    """A model for each table of the installation, also for those between two others."""
    found = apps.get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]


def filled_tables() -> list[str]:
    """Tables of the target that somebody has used: they have rows that no migration puts there."""
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        found = []
        for table in sorted(present.intersection(map(_name, tables())) - BEGINS_WITH_ROWS):
            cursor.execute(f'SELECT EXISTS (SELECT 1 FROM "{table}")')  # noqa: S608 - of Django
            if cursor.fetchone() == (True,):
                found.append(table)
    return found


def copy(
    source: Source, report: Callable[[str, int], Told], *, keep: Callable[[], bool]
) -> list[Compared]:
    """Copy all tables and compare them; returns what was compared.

    `report` is called with the name of each table and its number of rows, and returns what is told
    how many of them are done. Nothing is kept if a table differs, or if `keep`, which is asked at
    the end, says no. Raises NotCopied, in words, if the target is used or refuses something.
    """
    models_ = [model for model in tables() if model not in WRITTEN_ANEW]
    with transaction.atomic():
        with _in_words("another process uses the target"):
            _take()
        with _without_checks():
            sent = [_send(model, source, report) for model in models_]
        arrived = map(_arrived, models_)
        compared = [
            Compared(_name(model), *both)
            for model, *both in zip(models_, sent, arrived, strict=True)
        ]
        if all(one.is_equal for one in compared) and keep():
            _set_sequences(source)
        else:
            transaction.set_rollback(True)
    return compared


def _name(model: type[models.Model]) -> str:
    return model._meta.db_table


def _take() -> None:
    """Have the tables alone until the transaction ends, and empty. Raises NotCopied if used."""
    names = ", ".join(f'"{_name(model)}"' for model in tables())
    with connection.cursor() as cursor:
        for setting in _SETTINGS:
            cursor.execute(f"SET LOCAL {setting}")
        cursor.execute(f"LOCK TABLE {names} IN ACCESS EXCLUSIVE MODE")
        if used := filled_tables():
            raise NotCopied(f"the target is not empty: {', '.join(used)}")
        for model in tables():
            cursor.execute(f'ALTER TABLE "{_name(model)}" DISABLE TRIGGER USER')
        cursor.execute(f"TRUNCATE {names}")


@contextmanager
def _without_checks() -> Iterator[None]:
    """Without foreign keys, which are checked at the end, all at once; then as it was before."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE contype = 'f' AND pg_table_is_visible(conrelid)"
        )
        keys = cursor.fetchall()
        for table, name, _ in keys:
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        yield
        for table, name, definition in keys:
            with _in_words(f"{table} has rows that refer to nothing"):
                cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for model in tables():
            cursor.execute(f'ALTER TABLE "{_name(model)}" ENABLE TRIGGER USER')


def _send(
    model: type[models.Model], source: Source, report: Callable[[str, int], Told]
) -> tuple[int, int]:
    """Copy a table; returns how many rows were sent, and their digest."""
    fields = model._meta.local_concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    lines, rows, digest = Lines(fields, connection), 0, 0
    told = report(_name(model), source.count(_name(model)))
    found = source.connection.execute(f'SELECT {columns} FROM "{_name(model)}" ORDER BY rowid')  # noqa: S608 - of Django
    with (
        _in_words(f"PostgreSQL does not take {_name(model)}"),
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{_name(model)}" ({columns}) FROM STDIN') as into,
    ):
        while batch := found.fetchmany(_EVERY):
            try:
                made = [lines.line(row) for row in batch]
            except NotCopied as error:
                raise NotCopied(f"{_name(model)}, after line {rows}, has {error}") from error
            digest += sum(map(lines.digest, made))
            into.write("\n".join(made) + "\n")
            rows += len(batch)
            told(rows)
    return rows, digest


def _arrived(model: type[models.Model]) -> tuple[int, int]:
    """How many rows a table has, and their digest."""
    fields = model._meta.local_concrete_fields
    columns = ", ".join(f'"{field.column}"' for field in fields)
    lines, rows, digest = Lines(fields, connection), 0, 0
    with (
        connection.cursor() as cursor,
        cursor.copy(f'COPY "{_name(model)}" ({columns}) TO STDOUT') as out,
    ):
        for line in out:
            digest += lines.digest(bytes(line).decode().removesuffix("\n"))
            rows += 1
    return rows, digest


def _set_sequences(source: Source) -> None:
    """The next keys follow the last ones that the source gave, also to rows that are gone."""
    last = source.last_keys()
    with connection.cursor() as cursor:
        for model in tables():
            if isinstance(model._meta.pk, models.AutoField | models.BigAutoField):
                key = last.get(_name(model), 0)
                cursor.execute(
                    "SELECT setval(pg_get_serial_sequence(%s, %s), %s, %s)",
                    [f'"{_name(model)}"', model._meta.pk.column, max(key, 1), key > 0],
                )


@contextmanager
def _in_words(what: str) -> Iterator[None]:
    """An error of the database in words that repeat no value."""
    try:
        yield
    except (psycopg.Error, Error) as error:
        cause = error if isinstance(error, psycopg.Error) else error.__cause__
        diagnostics = getattr(cause, "diag", None)
        said = diagnostics.message_primary if diagnostics else str(error)
        # “COPY table, line 7, column name: …”, and then the value
        place = ((diagnostics and diagnostics.context) or "").partition(":")[0]
        raise NotCopied(f"{what}: {said}" + (f" ({place})" if place else "")) from error
