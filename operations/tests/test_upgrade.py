"""An installation of the release before is upgraded; no event is lost or handled twice.

Its rows are in `installation_before.json`, as the code of then (commit 1316bff) wrote them beside
the sandbox, when the hosts were stopped in the midst of their work. Moments are seconds from now.
"""

import json
import pydoc
import queue
from datetime import timedelta
from multiprocessing import Value
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import connections, models, transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ, Schedule
from django_q.monitor import monitor
from django_q.scheduler import scheduler
from django_q.signals import pre_enqueue
from django_q.signing import SignedPackage
from django_q.worker import worker

from briefs.finding.words import indexing
from briefs.models import Alarm, Brief, Notification, NotificationTarget, Research
from briefs.notifying import outbox
from briefs.notifying.tests.listener import Listener, may_be_this_machine
from briefs.research import working
from operations import invariants, progress
from operations.supervising import beats
from operations.tests import unsquashed
from providers.mavera import Mave
from webhooks.bell import ring
from webhooks.models import Bell, WebhookEvent
from webhooks.tests.sending import post

INSTALLATION = json.loads(Path(__file__).with_name("installation_before.json").read_text())
OURS = {"personas": "0003_persona_budget", "webhooks": "0003_put_off",
        "briefs": "0009_spacing_and_long_searches"}  # fmt: skip
# Keys of rows: questions, of which the held one is being asked by a host that still runs, ...
FAILED, LOST, RECOVERING, HELD, QUEUED = 2, 3, 4, 5, 6
PUT_OFF_EVENT, HELD_EVENT = 12, 19
SENT = 1  # a notification
# Customers whose event waits and is to open a brief; three more events wait, and open none.
WITHOUT_A_BRIEF = ["business-retail-low-2", "enterprise-retail-low-4", "enterprise-retail-low-5",
                   "enterprise-retail-low-6", "pro-retail-low-3"]  # fmt: skip
# What a host of the release before knows how to do, by the names that it finds in rows.
KNOWN = {f"briefs.tasks.{name}" for name in ("drain", "sweep", "research", "notify", "knock")}


# An empty database, and in it the installation ----------------------------------------------------


@pytest.fixture
def installation(empty_database, settings):
    """The rows of the release before, in the tables that it had."""
    settings.SECRET_KEY_FALLBACKS = ["key-of-the-tests"]  # by which the target was sealed then
    executor = unsquashed.executor()
    later = {"accounts", *OURS}  # an app that is new since then, and the apps that went on
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in later]
    state = executor.migrate([*others, *OURS.items()])
    now = timezone.now()
    loaded = []
    with transaction.atomic():  # rows may refer to later ones
        for label, rows in INSTALLATION.items():
            model = state.apps.get_model(label)
            model._base_manager.all().delete()  # the Schedule row, which a migration made
            model._base_manager.bulk_create([_row(model, values, now) for values in rows])
            loaded.append(model)
    with connections["default"].cursor() as cursor:
        for statement in connections["default"].ops.sequence_reset_sql(no_style(), loaded):
            cursor.execute(statement)


def _row(model, values, now):
    return model(**{name: _value(model, name, value, now) for name, value in values.items()})


def _value(model, name, value, now):
    field = model._meta.get_field(name)
    if isinstance(field, models.DateTimeField):
        return now + timedelta(seconds=value)
    if isinstance(field, models.BinaryField):
        return value.encode()
    if name == "payload":  # signed as django-q2 does
        started = now + timedelta(seconds=value["started"])
        return SignedPackage.dumps({**value, "args": tuple(value["args"]), "started": started})
    return value


# The hosts ----------------------------------------------------------------------------------------


@pytest.fixture
def enqueued():
    """The names of the tasks that the present code puts into the queue."""
    names = set()

    def note(task, **kw):
        names.add(task["func"])

    pre_enqueue.connect(note)
    yield names
    pre_enqueue.disconnect(note)


@pytest.fixture
def listener(monkeypatch):
    """Where the notifications arrive."""
    may_be_this_machine(monkeypatch)
    with Listener() as running:
        yield running


def asked_before_the_upgrade(research):
    """Let Mave have the question that a host of the release before had asked."""
    Mave().chat(f"{research.question}\n\nReference: {research.calls.get().reference}")


def run_clusters():
    """The scheduler enqueues the sweep if it is due; each cluster works until nothing is queued."""
    scheduler(get_broker("default"))
    for cluster in ("default", "research", "default"):
        work_off(get_broker(cluster))


def work_off(broker):
    """With django-q2's own worker and monitor, in this process."""
    while taken := broker.dequeue():
        tasks, results = queue.Queue(), queue.Queue()
        for key, package in taken:
            tasks.put({**SignedPackage.loads(package), "ack_id": key})
        tasks.put("STOP")
        worker(tasks, results, Value("f", -1))
        assert [task["result"] for task in results.queue if not task["success"]] == []
        results.put("STOP")
        monitor(results, broker)


def let_time_pass():
    """Make all leases run out, and all rows due that wait for a later time."""
    before = timezone.now() - timedelta(seconds=1)
    for model in (WebhookEvent, Research, Notification):
        model.objects.filter(lease_until__isnull=False).update(lease_until=before)
        model.objects.filter(available_at__isnull=False).update(available_at=before)
    Schedule.objects.update(next_run=before)


# Tests --------------------------------------------------------------------------------------------


@pytest.mark.first
@pytest.mark.processes  # of django-q2, which shares no shifted clock
@pytest.mark.usefixtures("threadless_receiver")
def test_upgraded_installation_goes_on_without_a_lost_or_doubled_event(
    installation, sandbox, listener, enqueued
):
    call_command("migrate", verbosity=0)
    move_the_target_to(listener)
    stored, ended, briefs = WebhookEvent.objects.count(), ended_events(), keys(Brief.objects)
    asked_before_the_upgrade(Research.objects.get(pk=LOST))
    asked_before_the_upgrade(Research.objects.get(pk=HELD))

    run_clusters()

    # What another host of the release before holds, and what waits for its moment, is left alone.
    waiting = WebhookEvent.objects.all().waiting()
    assert keys(waiting) == {PUT_OFF_EVENT, HELD_EVENT}
    assert (Research.objects.get(pk=HELD).status, Bell.objects.get().is_rung) == ("running", False)

    let_time_pass()
    run_clusters()

    assert not waiting.exists()
    assert not OrmQ.objects.exists()
    assert ended.items() <= ended_events().items()  # nothing that had ended was processed again
    assert [str(row) for looked in invariants.check() for row in looked.broken] == []
    opened = Brief.objects.exclude(pk__in=briefs).order_by("customer__external_id")
    assert list(opened.values_list("customer__external_id", flat=True)) == WITHOUT_A_BRIEF
    assert times_paid(sandbox) == {LOST: 1, RECOVERING: 1, HELD: 1, QUEUED: 1}
    unresearched = Brief.objects.open().filter(basis="playbook")
    assert set(unresearched.values_list("research", flat=True)) == {FAILED}
    sent = Notification.objects.filter(status="sent").exclude(pk=SENT)
    assert sorted(listener.subjects) == sorted(sent.values_list("subject", flat=True))
    assert Alarm.objects.filter(kind="stuck").exists()
    # On a host of the release before, the last one fails, and the sweep wakes it again.
    assert enqueued == {
        "briefs.tasks.sweep", "briefs.tasks.research", "briefs.tasks.notify",
        "briefs.tasks.read_segments",
    }  # fmt: skip

    for row in INSTALLATION["webhooks.WebhookEvent"]:  # Customer.io sends them once more
        assert post(row["body"].encode()).status_code == 200
    assert WebhookEvent.objects.count() == stored
    assert not waiting.exists()


def move_the_target_to(listener):
    target = NotificationTarget.objects.get()
    assert target.address == "json://127.0.0.1:9/desk"  # it is sealed, and can still be read
    target.address = listener.address
    target.save()


def ended_events():
    ended = WebhookEvent.objects.exclude(status="pending")
    return {event.pk: (event.status, event.tries, event.finished_at) for event in ended}


def keys(rows):
    return set(rows.values_list("pk", flat=True))


def times_paid(sandbox):
    """How often each question was paid for. A question that was not stored is a KeyError."""
    stored = {row["question"]: row["id"] for row in INSTALLATION["briefs.Research"]}
    return {stored[charge.question]: charge.times for charge in sandbox.charges}


@pytest.mark.django_db
def test_hosts_of_this_release_and_the_one_before_understand_each_others_rows():
    """While hosts are upgraded one after the other, both find the other's rows in the queue."""
    ring()
    outbox.wake()

    tasks = [SignedPackage.loads(row.payload) for row in OrmQ.objects.all()]
    written = {task["func"] for task in tasks} | {*beats.TASKS, Schedule.objects.get().func}
    written -= {indexing.TASK}  # a supervisor gives it to its own clusters: it is in no queue
    assert written == KNOWN
    assert [(task["args"], task["kwargs"]) for task in tasks] == [((), {})] * 2
    assert {settings.WEBHOOKS_WAKE_TASK, outbox.TASK, working.TASK, progress.SWEEP} < KNOWN


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_name_in_a_row_of_the_release_before_leads_to_the_task_of_today(name, monkeypatch):
    done = []
    monkeypatch.setattr(name.replace("briefs", "operations"), lambda: done.append(name))

    pydoc.locate(name)()  # as django-q2 finds it

    assert done == [name]
