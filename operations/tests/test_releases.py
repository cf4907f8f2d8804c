"""Processes of the release before on the schema of this one, alone and beside those of this one.

So it is while hosts are upgraded one after the other, and after the way back by its code alone. The
code of then comes out of Git. Where a clone has no such commit, these tests say so and are skipped.
"""

import json
import os
import secrets
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.core.management import call_command
from django.db import connections

from benchmarks import installation, system
from briefs.models import Brief, MaveCall, Research, Signal
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload
from config.tests import template
from operations import invariants
from operations.copying.tests.installation import as_default
from personas import starter
from sandbox import Sandbox
from sandbox.processes import ROOT, Processes, free_port
from webhooks.models import WebhookEvent

BEFORE = "dea9b1c"  # At a release: its own commit.
pytestmark = pytest.mark.on_postgresql


@pytest.fixture(scope="module")
def release_before(tmp_path_factory):
    """A folder with its code."""
    archive = subprocess.run(["git", "archive", BEFORE], cwd=ROOT, capture_output=True)
    if archive.returncode:
        pytest.skip(f"Git has no commit {BEFORE} here: the release before cannot be run")
    folder = tmp_path_factory.mktemp("release_before")
    subprocess.run(["tar", "--extract"], cwd=folder, input=archive.stdout, check=True)
    return folder


@pytest.fixture
def database(transactional_db):
    """The address of a database with the schema of now and the starter rules."""
    server, name = os.environ["TEST_DATABASE_URL"], f"releases_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template.name()}")
        with as_default({"NAME": name}):
            if not template.url():  # pytest without workers has made none
                call_command("migrate", verbosity=0)
            starter.load_if_empty()
            yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def event(name):
    return make_event(
        make_payload(event_id=name, data={"identifiers": {"id": name, "cio_id": f"c-{name}"}})
    )


# What a worker of the release before does: it reads and writes every column of every table, works
# on what waits, and stores an event.
WORK = """
import json
import django; django.setup()
from django.apps import apps
from briefs.models import Brief
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload
tables = 0
for model in apps.get_models(include_auto_created=True):
    row = model._base_manager.first() if model._meta.managed else None
    if row and not model._meta.proxy and model._meta.app_label != "contenttypes":
        columns = [field.attname for field in model._meta.concrete_fields if not field.primary_key]
        values = {name: getattr(row, name) for name in columns if name != "words"}
        model._base_manager.filter(pk=row.pk).update(**values)
        tables += 1
done = draining.drain()
data = {"identifiers": {"id": "from-before", "cio_id": "c-from-before"}}
make_event(make_payload(event_id="from-before", data=data))
print(json.dumps({"tables": tables, "done": done, "briefs": Brief.objects.count()}))
"""


def test_batch_of_the_release_before_runs_on_the_schema_of_now(release_before, database):
    event("worked on")
    draining.drain()
    event("waits")

    done = subprocess.run(
        [sys.executable, "-c", WORK],
        cwd=release_before,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test",
             "TEST_DATABASE_URL": database},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    draining.drain()

    assert told["tables"] > 20
    assert (told["done"], told["briefs"]) == (1, 2)
    assert Brief.objects.count() == 3
    assert set(WebhookEvent.objects.values_list("status", "tries")) == {("processed", 1)}
    assert Signal.objects.count() == 3


# Both releases under load ---------------------------------------------------------------------

EACH = 60  # events of one part of the upgrade
PATIENCE_SECONDS = 120.0


@contextmanager
def host(folder, database, sandbox, log):
    """All processes of a release."""
    port = free_port(0)
    processes = Processes(system.environment(database, port, sandbox), folder)
    made = system.System(port=port, processes=processes, log=log)
    try:
        yield made
    finally:
        processes.stop()


def start(one):
    one.processes.start(one.log, "supervise")
    installation.listens(one.port, PATIENCE_SECONDS)


def send(sandbox, part, *hosts):
    """Everybody unsubscribes; each event arrives at each of the hosts, at the same time."""
    people = [f"enterprise-{('banking', 'media')[n % 2]}-low-{part}{n}" for n in range(EACH)]
    events = [system.event_of(f"{one}-gone", one, sandbox, "unsubscribed") for one in people]
    senders = [threading.Thread(target=one.send, args=[events]) for one in hosts]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()


def wait_until_all_is_done(count):
    """Until all events have ended and all briefs are researched."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        waits = WebhookEvent.objects.all().waiting().exists()
        researched = Brief.objects.filter(research__status=Research.Status.DONE).count()
        if not waits and researched == count:
            return
        time.sleep(0.2)
    raise AssertionError(f"{researched} of {count} are researched; events wait: {waits}")


@pytest.mark.processes
@pytest.mark.first
@pytest.mark.long  # two installations of eight processes each: 45 seconds of a core
def test_hosts_are_upgraded_under_load_without_a_lost_or_doubled_event(
    release_before, database, tmp_path
):
    logs = tmp_path / "before.log", tmp_path / "now.log"
    with (
        Sandbox(latency=0.1, jitter=0) as sandbox,
        host(release_before, database, sandbox, logs[0]) as before,
        host(ROOT, database, sandbox, logs[1]) as now,
    ):
        connections["default"].close()
        start(before)
        send(sandbox, "alone", before)
        wait_until_all_is_done(EACH)  # by the release before, on the schema of now

        start(now)
        send(sandbox, "both", before, now)
        wait_until_all_is_done(2 * EACH)

        before.processes.check()
        before.processes.stop()
        send(sandbox, "after", now)
        wait_until_all_is_done(3 * EACH)
        now.processes.check()

    told = "".join(log.read_text() for log in logs)
    assert "starts again" not in told  # no worker of either release was stuck, and none ended
    assert "stuck" not in told
    assert Counter(WebhookEvent.objects.values_list("status", flat=True)) == {"processed": 3 * EACH}
    twice = WebhookEvent.objects.filter(event_id__contains="-both", deliveries__gte=2)
    assert twice.count() == EACH  # each of these arrived at both releases, and is one event
    assert Signal.objects.values("event").distinct().count() == Signal.objects.count() == 3 * EACH
    assert Brief.objects.values("customer").distinct().count() == Brief.objects.count() == 3 * EACH
    assert {charge.times for charge in sandbox.charges} == {1}
    assert MaveCall.objects.chats().count() == len(sandbox.charges) == Research.objects.count()
    assert [str(row) for looked in invariants.check() for row in looked.broken] == []
