"""`manage.py migrate` and an index for a table that has rows: nobody waits behind them for long."""

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState

from config.migrating import AddIndexConcurrently, RemoveIndexConcurrently
from operations.management.commands import migrate
from webhooks.models import WebhookEvent

INDEX = "event_by_size"


@pytest.fixture
def other(transactional_db):
    """Another connection, with a transaction open."""
    made = connection.copy()
    made.set_autocommit(False)
    yield made
    made.close()


def writes(other):
    """What the receiver, or an edit of the rules, holds until it is committed."""
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE personas_persona IN ROW EXCLUSIVE MODE")


@pytest.mark.on_postgresql
def test_migrate_lets_writers_go_first_and_tries_again(other, monkeypatch, capsys):
    writes(other)
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(migrate.time, "sleep", lambda seconds: other.rollback())

    call_command("migrate", verbosity=0)

    assert "it is tried again" in capsys.readouterr().err
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.on_postgresql
def test_migrate_says_what_to_do_if_a_table_is_never_free(other, monkeypatch):
    writes(other)
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT", "20ms")
    monkeypatch.setattr(migrate, "PATIENCE_SECONDS", -1)

    with pytest.raises(CommandError, match="pg_stat_activity"):
        call_command("migrate", verbosity=0)


def indexes():
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, WebhookEvent._meta.db_table)


def run(operation, state, *, backwards=False):
    """As a migration with atomic = False does."""
    after = state.clone()
    operation.state_forwards("webhooks", after)
    with connection.schema_editor(atomic=False) as editor:
        if backwards:
            operation.database_backwards("webhooks", editor, after, state)
        else:
            operation.database_forwards("webhooks", editor, state, after)
    return after


@pytest.fixture
def state(transactional_db):
    yield ProjectState.from_apps(migrations.state.global_apps)
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {INDEX}")


def test_index_is_built_and_dropped_on_both_databases(state):
    build = AddIndexConcurrently("webhookevent", models.Index(fields=["body_size"], name=INDEX))
    drop = RemoveIndexConcurrently("webhookevent", INDEX)

    built = run(build, state)
    run(build, state, backwards=True)
    assert INDEX not in indexes()
    run(build, state)
    run(drop, built)
    assert INDEX not in indexes()
    run(drop, built, backwards=True)
    assert INDEX in indexes()


def test_migration_of_indexes_may_be_run_again_from_any_place(state):
    """As after a process that was killed behind one of its operations."""
    build = AddIndexConcurrently("webhookevent", models.Index(fields=["body_size"], name=INDEX))
    drop = RemoveIndexConcurrently("webhookevent", INDEX)

    built = run(build, state)
    run(build, state)
    assert INDEX in indexes()
    run(drop, built)
    run(drop, built)
    assert INDEX not in indexes()


@pytest.mark.on_postgresql
def test_index_whose_building_was_interrupted_is_built_anew(state):
    build = AddIndexConcurrently("webhookevent", models.Index(fields=["body_size"], name=INDEX))
    run(build, state)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass",
                       [INDEX])  # fmt: skip

        run(build, state)
        run(build, state)  # as after a process that ended before its migration was recorded

        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [INDEX])
        assert cursor.fetchone() == (True,)
