"""Triggers that mark what a search would find in another way by now: one place for all writers.

People, the pipeline by COPY, bulk updates in raw SQL, the admin and hosts of the release before
write these tables. A trigger sees them all, in the transaction of the change. They only insert rows
into TextChange: no writer waits for another.

They are made after each migrate, where they are missing: on SQLite a migration that makes a table
anew drops its triggers.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connections

_PREFIX = "briefs_text_"
# On SQLite the words of a document are in a table of their own.
WORDS = {
    "briefs_briefdocument": "briefs_briefwords",
    "briefs_customerdocument": "briefs_customerwords",
    "briefs_researchdocument": "briefs_researchwords",
}


@dataclass(frozen=True, slots=True)
class Watched:
    """A table; what a change of these columns marks, and the column with the key of that."""

    table: str
    kind: str  # of TextChange
    key: str
    columns: tuple[str, ...]
    document: str = ""  # the table with the documents of these rows, which go with them
    codes: tuple[str, ...] = ()  # only rows with one of these as their `code`; empty: all
    events: tuple[str, ...] = ("INSERT", "UPDATE", "DELETE")


_OF_A_VALUE = ("value_amount", "value_currency", "value_period", "value_month")
# A table that search reads as well is one more line here.
WATCHED = (
    Watched(
        "briefs_brief", "brief", "id",
        ("customer_id", "persona_id", "persona_why", "kind", "detail", "priority_reasons",
         "research_id", "closing_note", "step_at_closing", "closing_reason_id", "offer",
         "offer_percent", "offer_words", "plan", "company", "reopened_at", *_OF_A_VALUE),
        "briefs_briefdocument",
    ),
    Watched("briefs_signal", "brief", "brief_id", ("brief_id", "kind", "detail", "message")),
    Watched("briefs_comment", "brief", "brief_id", ("brief_id", "text")),
    Watched("briefs_contactlog", "brief", "brief_id", ("brief_id", "channel", "note")),
    Watched("briefs_activity", "brief", "brief_id", ("brief_id", "text"), codes=("said", "closed")),
    Watched(
        "personas_customer", "customer", "id",
        ("cio_id", "external_id", "email", "phone", "attributes", "company", *_OF_A_VALUE),
        "briefs_customerdocument",
    ),
    Watched("personas_customeralias", "customer", "customer_id", ("customer_id", "value")),
    Watched(
        "briefs_research", "research", "id", ("answer", "sources", "validation"),
        "briefs_researchdocument",
    ),
    Watched("briefs_closingreason", "reason", "id", ("name",), events=("UPDATE",)),
    Watched("briefs_offer", "offer", "0", ("name",), events=("UPDATE",)),
)  # fmt: skip


def install(using: str = "default", **kwargs: Any) -> None:
    """Make the triggers that are missing and drop those of other rules. May be repeated."""
    connection = connections[using]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        if "briefs_textchange" not in tables or not {one.table for one in WATCHED} <= tables:
            return  # an older state of the database
        wanted = dict(_statements(connection.vendor))
        present = _present(cursor, connection.vendor)
        for name, table in present.items():
            if name not in wanted:
                _drop(cursor, connection.vendor, name, table)
        for name, statements in wanted.items():
            if name not in present:
                for statement in statements:
                    cursor.execute(statement)


def remove(using: str = "default") -> None:
    connection = connections[using]
    with connection.cursor() as cursor:
        for name, table in _present(cursor, connection.vendor).items():
            _drop(cursor, connection.vendor, name, table)


def _present(cursor: Any, vendor: str) -> dict[str, str]:
    """Our triggers, with their tables."""
    if vendor == "postgresql":
        cursor.execute(
            "SELECT tgname, relname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid "
            "WHERE tgname LIKE %s AND pg_table_is_visible(tgrelid)",
            [f"{_PREFIX}%"],
        )
    else:
        cursor.execute(
            "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger' AND name LIKE %s",
            [f"{_PREFIX}%"],
        )
    return dict(cursor.fetchall())


def _drop(cursor: Any, vendor: str, name: str, table: str) -> None:
    if vendor == "postgresql":
        cursor.execute(f"DROP TRIGGER {name} ON {table}")
        cursor.execute(f"DROP FUNCTION IF EXISTS {name}()")
    else:
        cursor.execute(f"DROP TRIGGER {name}")


def _statements(vendor: str) -> Iterator[tuple[str, list[str]]]:
    """The name of each trigger, which other statements change, and what makes it."""
    make = _on_postgresql if vendor == "postgresql" else _on_sqlite
    for watched in WATCHED:
        for event in watched.events:
            statements = make(watched, event)
            digest = hashlib.sha256("".join(statements).encode()).hexdigest()[:8]
            name = f"{_PREFIX}{watched.table.partition('_')[2]}_{event.lower()}_{digest}"
            yield name, [statement.replace("NAME", name) for statement in statements]
    if vendor == "sqlite":
        for document, words in WORDS.items():
            yield (
                f"{_PREFIX}{words}",
                [f"CREATE TRIGGER {_PREFIX}{words} AFTER DELETE ON {document} "  # noqa: S608 - ours
                 f"BEGIN DELETE FROM {words} WHERE rowid = OLD.id; END"],
            )  # fmt: skip


def _on_postgresql(watched: Watched, event: str) -> list[str]:
    """Inserts and deletes by statement, which sees all its rows at once.

    Updates by row: a statement that sets none of the columns costs nothing at all then.
    """
    table, columns = watched.table, ", ".join(watched.columns)
    if event == "UPDATE":
        keys = " UNION ".join(f"SELECT {_of(row, watched.key)}" for row in ("OLD", "NEW"))
        is_other = f"({_list('OLD', watched)}) IS DISTINCT FROM ({_list('NEW', watched)})"
        when = f"WHEN ({_and(is_other, _has_code('NEW.', watched))})"
        how = f"UPDATE OF {columns} ON {table} FOR EACH ROW {when}"
    else:
        row, rows = ("NEW", "rows_after") if event == "INSERT" else ("OLD", "rows_before")
        keys = f"SELECT DISTINCT {watched.key} FROM {rows}"  # noqa: S608 - all names are ours
        keys += f" WHERE {_has_code('', watched)}" * bool(watched.codes)
        how = f"{event} ON {table} REFERENCING {row} TABLE AS {rows} FOR EACH STATEMENT"
    body = (
        f"INSERT INTO briefs_textchange (kind, key) SELECT '{watched.kind}', key "  # noqa: S608 - all names are ours
        f"FROM ({keys}) AS changed (key) WHERE key IS NOT NULL;"
    )
    if event == "DELETE" and watched.document:
        body += f" DELETE FROM {watched.document} WHERE id IN (SELECT id FROM rows_before);"  # noqa: S608 - ours
    return [
        f"CREATE OR REPLACE FUNCTION NAME() RETURNS trigger LANGUAGE plpgsql "
        f"AS $$ BEGIN {body} RETURN NULL; END $$",
        f"CREATE TRIGGER NAME AFTER {how} EXECUTE FUNCTION NAME()",
    ]


def _on_sqlite(watched: Watched, event: str) -> list[str]:
    """By row: SQLite knows no other triggers."""
    before, after = _of("OLD", watched.key), _of("NEW", watched.key)
    keys = {"INSERT": [after], "DELETE": [before], "UPDATE": [before, after]}[event]
    rows = " UNION ".join(f"SELECT '{watched.kind}', {key} WHERE {key} IS NOT NULL" for key in keys)
    body = f"INSERT INTO briefs_textchange (kind, key) {rows};"
    if event == "DELETE" and watched.document:
        body += f" DELETE FROM {watched.document} WHERE id = OLD.id;"  # noqa: S608 - ours
    is_other = f"({_list('OLD', watched)}) IS NOT ({_list('NEW', watched)})"
    only = _has_code("OLD." if event == "DELETE" else "NEW.", watched)
    when = _and(is_other if event == "UPDATE" else "", only)
    when = f"WHEN {when} " if when else ""
    of = f" OF {', '.join(watched.columns)}" if event == "UPDATE" else ""
    return [f"CREATE TRIGGER NAME AFTER {event}{of} ON {watched.table} {when}BEGIN {body} END"]


def _of(row: str, key: str) -> str:
    return key if key.isdigit() else f"{row}.{key}"


def _has_code(row: str, watched: Watched) -> str:
    codes = ", ".join(f"'{code}'" for code in watched.codes)
    return f"{row}code IN ({codes})" if codes else ""


def _and(*conditions: str) -> str:
    return " AND ".join(filter(None, conditions))


def _list(row: str, watched: Watched) -> str:
    return ", ".join(f"{row}.{name}" for name in watched.columns)
