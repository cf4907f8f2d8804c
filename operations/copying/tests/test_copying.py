"""An installation moves from SQLite to PostgreSQL by one command, and goes on there."""

import os
import secrets
import shutil
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from briefs.models import Brief, Research, Signal, TextChange
from briefs.pipeline import draining
from config.tests import template
from operations.copying import copying, source
from operations.copying.tests import installation
from personas.models import Customer, RulesState
from webhooks.models import WebhookEvent
from webhooks.tests.sending import post

pytestmark = pytest.mark.on_postgresql
ANEW = {model._meta.db_table for model in copying.WRITTEN_ANEW}


@pytest.fixture(scope="module")
def filled(tmp_path_factory, django_db_setup, django_db_blocker):
    """The file, and what its tables hold."""
    file = tmp_path_factory.mktemp("installation") / "db.sqlite3"
    with django_db_blocker.unblock():
        return file, installation.make(file)


@pytest.fixture
def file(filled, tmp_path):
    return shutil.copy(filled[0], tmp_path)


@pytest.fixture
def target(transactional_db):
    """A migrated database that nobody has used, in place of the tests' usual one."""
    name = f"copied_{secrets.token_hex(4)}"
    with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template.name()}")
        with installation.as_default({"NAME": name}):
            yield
        server.execute(f"DROP DATABASE {name}")


def copy(file, *options):
    call_command("copy_from_sqlite", str(file), *options)


def foreign_keys_and_triggers():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'f' "
            "UNION SELECT tgname, tgenabled::text FROM pg_trigger WHERE NOT tgisinternal"
        )
        return set(cursor.fetchall())


def is_unused():
    return not copying.filled_tables() and not Customer.objects.exists()


def test_every_row_arrives_as_it_was(filled, target, capsys):
    before = foreign_keys_and_triggers()
    file, rows = filled

    copy(file)

    arrived = installation.rows()
    for table in rows.keys() - ANEW:
        assert arrived[table] == rows[table], table
    assert not TextChange.objects.exists()  # the search is written anew by itself
    assert foreign_keys_and_triggers() == before
    assert "webhooks_webhookevent" in (told := capsys.readouterr().out)
    assert "DIFFERS" not in told
    assert "all equal" in told


def last_key(file):
    """The last key that an event ever got in this file."""
    with closing(sqlite3.connect(file)) as opened:
        query = "SELECT seq FROM sqlite_sequence WHERE name = 'webhooks_webhookevent'"
        return opened.execute(query).fetchone()[0]


def next_key():
    event = WebhookEvent.objects.create(body=b"", body_size=0, event_id="next", is_verified=True)
    key = event.pk
    event.delete()
    return key


@pytest.mark.usefixtures("threadless_receiver")
def test_work_goes_on_without_a_lost_or_doubled_event(filled, target):
    copy(filled[0])
    assert next_key() == last_key(filled[0]) + 1  # it is not that of a row that is gone
    bodies = [bytes(body) for body in WebhookEvent.objects.values_list("body", flat=True)]
    ended = dict(WebhookEvent.objects.exclude(finished_at=None).values_list("pk", "finished_at"))
    edits = RulesState.objects.get()

    for body in bodies:  # Customer.io sends them once more
        assert post(body).status_code == 200
    draining.drain()
    assert set(WebhookEvent.objects.all().waiting().values_list("event_id", flat=True)) == {
        "held", "put off"
    }  # fmt: skip
    before = timezone.now() - timedelta(seconds=1)
    WebhookEvent.objects.filter(lease_until__isnull=False).update(lease_until=before)
    WebhookEvent.objects.filter(available_at__isnull=False).update(available_at=before)
    draining.drain()

    assert WebhookEvent.objects.count() == len(bodies) + 1  # the bytes that are no event, signed
    assert not WebhookEvent.objects.all().waiting().exists()
    assert ended.items() <= dict(WebhookEvent.objects.values_list("pk", "finished_at")).items()
    signals = Signal.objects.values_list("event", flat=True)
    assert sorted(signals) == sorted(
        WebhookEvent.objects.filter(status="processed").values_list("pk", flat=True)
    )
    assert Brief.objects.count() == 7
    assert Research.objects.filter(status="running").count() == 1
    assert RulesState.objects.get().edits == edits.edits == edits.version_edits
    assert TextChange.objects.filter(kind="brief").exists()  # triggers mark what is new


def test_rehearsal_beside_a_running_savedesk_leaves_nothing(filled, target, capsys):
    with open(filled[0]) as opened, subprocess.Popen(["sleep", "60"], stdin=opened) as other:
        try:
            copy(filled[0], "--dry-run")
        finally:
            other.kill()

    assert "compared and taken back" in capsys.readouterr().out
    assert is_unused()


def test_difference_is_told_and_leaves_the_target_empty(filled, target, capsys, monkeypatch):
    arrived = copying._arrived
    monkeypatch.setattr(
        copying,
        "_arrived",
        lambda model: (0, 0) if model is Customer else arrived(model),
    )

    with pytest.raises(CommandError, match=r"^1 of \d+ tables differ"):
        copy(filled[0])

    assert "DIFFERS: 0 arrived" in capsys.readouterr().out
    assert is_unused()


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("secret" * 100, "personas_customer, line 1, column sort_name"),
        ("secret\0", "personas_customer, after line 0, has a text with a NUL"),
    ],
)
def test_row_that_postgresql_refuses_is_named_without_its_value(file, target, value, words):
    with closing(sqlite3.connect(file)) as changed:
        changed.execute("UPDATE personas_customer SET sort_name = ?", [value])
        changed.commit()

    with pytest.raises(CommandError, match=words) as told:
        copy(file)

    assert "secret" not in str(told.value)
    assert is_unused()


def test_row_that_refers_to_nothing_is_told(file, target):
    with closing(sqlite3.connect(file)) as changed:
        changed.execute("DELETE FROM briefs_brief")
        changed.commit()

    with pytest.raises(CommandError, match="refer to nothing"):
        copy(file)

    assert is_unused()


def test_target_that_was_used_is_left_alone(filled, target, django_user_model):
    django_user_model.objects.create_user("somebody")

    with pytest.raises(CommandError, match="not empty: auth_user"):
        copy(filled[0])

    assert django_user_model.objects.get().username == "somebody"


def test_file_that_is_in_use_is_not_copied(file, target):
    with open(file) as opened, subprocess.Popen(["sleep", "60"], stdin=opened) as other:
        try:
            with pytest.raises(CommandError, match=rf"open \({other.pid}\)"):
                copy(file)
        finally:
            other.kill()


def test_file_that_is_written_to_meanwhile_is_not_copied(file, target, monkeypatch):
    def send(model, *args):
        if model is Customer:  # while this table is copied
            with closing(sqlite3.connect(file)) as other:
                other.execute("UPDATE django_q_schedule SET repeats = 5")
                other.commit()
        return usual(model, *args)

    usual = copying._send
    monkeypatch.setattr(copying, "_send", send)

    with pytest.raises(CommandError, match="wrote into"):
        copy(file)

    assert is_unused()


def test_file_of_another_version_is_refused(file, target):
    with closing(sqlite3.connect(file)) as changed:
        changed.execute("DELETE FROM django_migrations WHERE name = '0039_rules_version'")
        changed.commit()

    with pytest.raises(CommandError, match="0039_rules_version is missing"):
        copy(file)


@pytest.mark.django_db
def test_empty_file_is_refused(tmp_path):
    sqlite3.connect(tmp_path / "empty").close()

    with source.opened(tmp_path / "empty") as opened:
        assert "no database of Savedesk" in opened.why_not_migrated()
