"""An installation on SQLite in the midst of its work, with values that databases treat differently.

Its tables are made from the models, which is quicker than by migrations.
"""

import importlib
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django_q.models import Schedule

from briefs.models import Brief, Comment, Notification, NotificationTarget, Research, WorkingTime
from briefs.pipeline import draining
from briefs.tests.factories import (
    make_customer,
    make_event,
    make_payload,
    make_research,
    make_threshold,
)
from operations import progress
from personas import starter
from personas.models import Persona
from personas.rules import rulebook
from webhooks.bell import ring
from webhooks.models import WebhookEvent

ODD = "Zoë \\N \\. 𝔸😀\u2028\u200b\t\r\n\"'\x01\x7f "


@contextmanager
def as_default(database: dict[str, Any]) -> Iterator[None]:
    """Let this database be the only one, in place of the tests' usual one."""
    usual, before = connections["default"], connections.settings["default"]
    connections.settings["default"] = {**before, **database}
    del connections["default"]
    ContentType.objects.clear_cache()
    rulebook.kept.clear()
    try:
        yield
    finally:
        connections["default"].close()
        connections["default"], connections.settings["default"] = usual, before
        ContentType.objects.clear_cache()
        rulebook.kept.clear()


def make(file: Path) -> dict[str, list[dict[str, Any]]]:
    """Fill a new file; returns all rows of all tables, by the name of the table."""
    options = {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode=WAL"}
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file), "OPTIONS": options}
    with as_default(sqlite):
        _make_tables()
        starter.load_if_empty()
        _fill()
        return rows()


def rows() -> dict[str, list[dict[str, Any]]]:
    """What each table holds, as Django reads it."""
    found = apps.get_models(include_auto_created=True)
    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values())
        for model in found
        if model._meta.managed and not model._meta.proxy
    }


def _make_tables() -> None:
    usual = settings.MIGRATION_MODULES
    settings.MIGRATION_MODULES = {config.label: None for config in apps.get_app_configs()}
    try:
        call_command("migrate", run_syncdb=True, verbosity=0)
    finally:
        settings.MIGRATION_MODULES = usual
    documents = importlib.import_module("briefs.migrations.0034_search_documents")
    with connection.schema_editor() as editor:
        documents.make_words(apps, editor)
    recorder = MigrationRecorder(connection)
    recorder.ensure_schema()
    for node in MigrationLoader(None).disk_migrations:
        recorder.record_applied(*node)


def _fill() -> None:
    now = timezone.now()
    Schedule.objects.create(func=progress.SWEEP, cluster="default", schedule_type="I", minutes=1)
    zoe = get_user_model().objects.create_user("zoë", first_name="Zoë", last_name="")
    zoe.groups.add(Group.objects.get(name="Agent"))
    WorkingTime.objects.create(opens_at=time(9, 30), closes_at=time(17, 0, 0, 500_000))
    AccessAttempt.objects.create(username=ODD, ip_address="::ffff:1.2.3.4", failures_since_start=1)
    make_threshold(top_from=Decimal("12345678901.50"), low_below=Decimal("0.10"))
    make_customer(
        external_id="",
        attributes={"name": ODD, "big": 2**63, "bigger": 1e22, "one": 1.0, "small": 1e-7,
                    "": None, "deep": [{"ü": [True, ""]}]},
    )  # fmt: skip
    make_event(body=bytes(range(256)), status="quarantined", event_id="binary", finished_at=now)
    # What has come to an end: briefs with signals.
    for _ in range(3):
        make_event()
    draining.drain()
    Comment.objects.create(brief=Brief.objects.earliest("pk"), actor=zoe, text=ODD).mentioned.add(
        zoe
    )
    # What is under way: due, held by a worker, put off, replayed; a wake-up in the queue.
    make_event(make_payload(event_id="due"))
    make_event(
        make_payload(event_id="held"),
        tries=1,
        lease_token=uuid.uuid4(),
        lease_until=now + timedelta(seconds=90),
    )
    make_event(
        make_payload(event_id="put off"), put_off_at=now, available_at=now + timedelta(hours=1)
    )
    make_event(make_payload(event_id="replayed"), history=[{"status": "ignored", "at": str(now)}])
    ring()
    held = {"lease_token": uuid.uuid4(), "lease_until": now + timedelta(seconds=240)}
    make_research(
        persona=Persona.objects.first(),
        status=Research.Status.RUNNING,
        started_at=now,
        tries=1,
        **held,
    )
    desk = NotificationTarget.objects.create(name="desk", scheme="json", sealed_address="sealed")
    Notification.objects.create(target=desk, kind="test", dedupe_key=ODD, subject=ODD, body="")
    # Keys that were given once are never given again.
    gone = make_event(make_payload(event_id="gone"))
    WebhookEvent.objects.filter(pk=gone.pk).delete()
