"""Triggers that count the writes to tables of rules: nothing that writes rules goes past them.

Forms, commands, bulk updates, raw SQL and hosts of the release before write these tables. Each
statement raises `RulesState.edits` in its own transaction.

They are made after each migrate, where they are missing: on SQLite a migration that makes a table
anew drops its triggers.
"""

from django.db import connections

# Whose rows are rules. Another app adds its own when it is ready: see `personas.rules.parts`.
TABLES = [
    "personas_attributename",
    "personas_firststep",
    "personas_persona",
    "personas_personacondition",
    "personas_signalcondition",
    "personas_signalrule",
]
_FUNCTION = "personas_count_rule_edit"
_RAISE = (
    "INSERT INTO personas_rulesstate (id, edits) VALUES (1, 1) "
    "ON CONFLICT (id) DO UPDATE SET edits = personas_rulesstate.edits + 1;"
)


def install(using: str = "default") -> None:
    """Make the triggers that are missing. May be repeated."""
    connection = connections[using]
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        if "personas_rulesstate" not in present:
            return  # an older state of the database
        if connection.vendor == "postgresql":
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {_FUNCTION}() RETURNS trigger LANGUAGE plpgsql "
                f"AS $$ BEGIN {_RAISE} RETURN NULL; END $$"
            )
        for table in present.intersection(TABLES):
            for statement in _statements(connection.vendor, table):
                cursor.execute(statement)


def remove(using: str = "default") -> None:
    """Drop all of them, for a migration that drops what they write."""
    connection = connections[using]
    with connection.cursor() as cursor:
        present = set(connection.introspection.table_names(cursor))
        for table in present.intersection(TABLES):
            if connection.vendor == "postgresql":
                cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table)} ON {table}")
            else:
                for event in ("INSERT", "UPDATE", "DELETE"):
                    cursor.execute(f"DROP TRIGGER IF EXISTS {_name(table)}_{event.lower()}")
        if connection.vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION IF EXISTS {_FUNCTION}()")


def _name(table: str) -> str:
    return f"rule_edit_{table.partition('_')[2]}"


def _statements(vendor: str, table: str) -> list[str]:
    if vendor == "postgresql":
        # Before the statement: the lock on the state comes before those on the rules, as in an
        # edit by a form, so that the two cannot deadlock.
        return [
            f"CREATE OR REPLACE TRIGGER {_name(table)} "
            f"BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {_FUNCTION}()"
        ]
    return [  # SQLite knows no other triggers than those by row
        f"CREATE TRIGGER IF NOT EXISTS {_name(table)}_{event.lower()} AFTER {event} ON {table} "
        f"BEGIN {_RAISE} END"
        for event in ("INSERT", "UPDATE", "DELETE")
    ]
