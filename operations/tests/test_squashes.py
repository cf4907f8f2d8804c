"""A new database is made by squashed migrations, and is what the old ones, one by one, make.

Installations that have run some of the old ones go on with those; where all have been run, the
squashed ones are noted as applied.
"""

import io
from itertools import chain

import pytest
from django.apps import apps
from django.core import serializers
from django.core.management import call_command
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from operations.doctor import storage
from operations.doctor.findings import Verdict
from operations.tests import unsquashed
from operations.unapplied import unapplied

SQUASHED = [node for node, made in MigrationLoader(None).disk_migrations.items() if made.replaces]


def test_models_of_both_are_the_same():
    assert MigrationLoader(None).project_state() == unsquashed.Loader(None).project_state()


# The whole database -------------------------------------------------------------------------------

# Kind, name and definition of each part.
IN_SQLITE = "SELECT type, name, coalesce(sql, '') FROM sqlite_master"
IN_POSTGRESQL = """
    WITH tables AS (SELECT * FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    SELECT relkind::text, relname::text, coalesce(reloptions::text, '') FROM tables
    UNION ALL
    SELECT 'column', relname || '.' || attname,
        concat_ws(' ', format_type(atttypid, atttypmod), attnotnull, attidentity, attgenerated,
                  attcollation::regcollation, pg_get_expr(adbin, adrelid))
    FROM tables JOIN pg_attribute ON attrelid = tables.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
    UNION ALL
    SELECT 'constraint', relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid)
    FROM tables JOIN pg_constraint ON conrelid = tables.oid
    UNION ALL
    SELECT 'index', relname, concat_ws(' ', pg_get_indexdef(indexrelid), indisvalid)
    FROM tables JOIN pg_index ON indexrelid = tables.oid
    UNION ALL
    SELECT 'trigger', relname || '.' || tgname, pg_get_triggerdef(pg_trigger.oid)
    FROM tables JOIN pg_trigger ON tgrelid = tables.oid AND NOT tgisinternal
    UNION ALL
    SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc
    WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
"""


def schema():
    """Tables, columns, constraints, indexes, triggers; in no order, as nothing depends on it."""
    with connection.cursor() as cursor:
        cursor.execute(IN_POSTGRESQL if connection.vendor == "postgresql" else IN_SQLITE)
        found = cursor.fetchall()
    return {(kind, name, *_in_no_order(definition)) for kind, name, definition in found}


def _in_no_order(definition):
    """On SQLite the columns of a table are the parts of one statement."""
    definition = definition.replace("pg_catalog.", "")  # said where the tests' clock is set
    is_table = definition.startswith("CREATE TABLE")
    return sorted(definition.removesuffix(")").split(", ")) if is_table else [definition]


def rows():
    """All that a new installation has, by names instead of keys; a schedule begins at once."""
    models = [model for model in apps.get_models() if model._meta.managed]
    everything = chain.from_iterable(model._base_manager.all() for model in models)
    found = serializers.serialize(
        "python", everything, use_natural_foreign_keys=True, use_natural_primary_keys=True
    )
    for row in found:
        row["fields"].pop("next_run", None)
    return {repr(row) for row in found}


@pytest.fixture
def squashed(transactional_db):
    """The tests' usual database: what it is made of and what it holds."""
    return schema() | rows()


@pytest.mark.first
@pytest.mark.long  # it runs all old migrations, which takes twenty seconds of a core
def test_new_database_is_as_the_old_migrations_make_it(squashed, empty_database):
    old = unsquashed.executor()
    old.migrate(old.loader.graph.leaf_nodes())
    call_command("migrate", verbosity=0)  # notes the squashed ones, and makes the triggers

    assert (schema() | rows()) ^ squashed == set()


def test_migration_that_is_broken_off_has_made_nothing(empty_database, monkeypatch):
    note = MigrationRecorder.record_applied

    def break_off(recorder, app, name):
        if (app, name) == ("webhooks", "0005_event_meanings"):
            raise SystemExit
        note(recorder, app, name)

    monkeypatch.setattr(MigrationRecorder, "record_applied", break_off)

    with pytest.raises(SystemExit):
        call_command("migrate", verbosity=0)

    assert ("webhooks", "0001_initial") not in MigrationRecorder(connection).applied_migrations()
    assert "webhooks_bell" not in connection.introspection.table_names()


# Installations that are there ---------------------------------------------------------------------


@pytest.fixture
def of_before(db):
    """An installation that has run all old migrations, and knows of no squashed one."""
    for node in SQUASHED:
        MigrationRecorder(connection).record_unapplied(*node)


def test_squashed_migrations_are_noted_where_the_old_ones_were_run(of_before):
    before, told = schema(), io.StringIO()

    call_command("migrate", stdout=told)

    assert "No migrations to apply." in told.getvalue()
    assert set(SQUASHED) <= MigrationRecorder(connection).applied_migrations().keys()
    assert schema() == before


def test_nothing_is_said_to_be_missing_before_they_are_noted(of_before):
    assert unapplied() == 0
    assert storage.migrations().level is Verdict.OK


def test_installation_goes_on_by_the_old_migrations_wherever_it_stands(db, monkeypatch):
    order = all_of(unsquashed.Loader(None).graph)
    for done in range(1, len(order)):
        run = order[:done]
        monkeypatch.setattr(
            MigrationRecorder, "applied_migrations", lambda recorder, run=run: dict.fromkeys(run)
        )

        loader = MigrationLoader(connection)
        loader.check_consistent_history(connection)
        to_run = [one for one in all_of(loader.graph) if one not in loader.applied_migrations]

        squashed = [one for one in to_run if one in SQUASHED]
        assert not {app for app, _ in squashed} & {app for app, _ in run}
        replaced = [old for one in squashed for old in loader.disk_migrations[one].replaces]
        assert {*to_run, *replaced} - {*squashed} == {*order[done:]}


def all_of(graph):
    """Every migration, each after those that it needs."""
    leaves = graph.leaf_nodes()
    return list(dict.fromkeys(one for leaf in leaves for one in graph.forwards_plan(leaf)))
