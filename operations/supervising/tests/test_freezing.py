"""A process that freezes is found and started anew: real clusters under the real supervisor.

On SQLite, or on the PostgreSQL that TEST_DATABASE_URL names, in a database of the module's own.
The supervisor waits for seconds only (hasty.py); the last test adds up production's times.
"""

import os
import secrets
import signal
import sys
import time
from contextlib import contextmanager, nullcontext, suppress

import psycopg
import pytest
from django.core.management import call_command
from django.db import OperationalError, connections, transaction
from django_q.models import OrmQ

from briefs.models import Alarm, Brief, MaveCall, MaveHealth, Research
from briefs.tests.factories import make_brief, make_event, make_research
from config.tests import template
from operations.supervising import beats, groups, messenger, supervisor, watching
from operations.supervising.tests.hasty import Host, send, slowness, wait
from operations.troubles import work
from personas import starter
from sandbox.server import Sandbox
from webhooks.clock import database_now
from webhooks.models import Bell, WebhookEvent
from webhooks.waking import wake

pytestmark = [
    pytest.mark.processes,
    pytest.mark.on_postgresql,
    pytest.mark.first,
    pytest.mark.skipif(sys.platform != "linux", reason="asks Linux which process holds a lock"),
]
CLUSTER_NAMES = ("default", "research")
# The two differ in their names and time-outs: in make test one stands for both.
CLUSTERS = pytest.mark.parametrize(
    "cluster", ["default", pytest.param("research", marks=pytest.mark.long)]
)
KNOCKED_AND_IDLE_AGAIN = 0.4  # seconds after a task was done, and well before the next knock


@pytest.fixture(scope="module")
def database_url(tmp_path_factory, django_db_blocker):
    """An empty installation's database; the tests' own connection leads there as well."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    name = f"freezing_{secrets.token_hex(4)}"
    path = str(tmp_path_factory.mktemp("freezing") / "db.sqlite3")
    created = _created(server, name) if server else nullcontext()
    with created, django_db_blocker.unblock(), _connected_to(name if server else path):
        call_command("migrate", verbosity=0)
        starter.load_if_empty()
        yield _with_name(server, name) if server else f"sqlite:///{path}"


@contextmanager
def _created(server, name):
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template.name()}")
    yield
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def _connected_to(name):
    kept, before = connections["default"], connections.settings["default"]["NAME"]
    connections.settings["default"]["NAME"] = name
    del connections["default"]
    yield
    connections["default"].close()
    connections["default"] = kept
    connections.settings["default"]["NAME"] = before


def _with_name(url, name):
    path, _, query = url.partition("?")
    return f"{path.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(latency=0, jitter=0, requests_per_minute=100_000) as running:
        yield running


@pytest.fixture(scope="module")
def environment(database_url, sandbox):
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url,
        "WEB_DATABASE_URL": "",
        "CIO_APP_BASE_URL": sandbox.cio_base_url,
        "CIO_APP_KEY": sandbox.cio_key,
        "MAVERA_BASE_URL": sandbox.mavera_base_url,
        "MAVERA_API_KEY": sandbox.mavera_key,
    }


@pytest.fixture(scope="module")
def one_host(environment, tmp_path_factory):
    log = tmp_path_factory.mktemp("host") / "supervise.log"
    host = Host({**environment, "PORT": "1"}, log)  # hosts are told apart by it; nobody listens
    yield host
    host.end()


@pytest.fixture
def other_host(host, environment, tmp_path):
    """A second host on the same database, which takes some of the tasks."""
    other = Host({**environment, "PORT": "2"}, tmp_path / "supervise.log")
    other.start()
    wait("the other host's clusters run", lambda: all(map(other.is_complete, CLUSTER_NAMES)))
    yield other
    other.end()


@pytest.fixture
def host(one_host, sandbox):
    """A host whose clusters run and have nothing to do."""
    sandbox.latency = 0
    for model in (OrmQ, Brief, MaveCall, MaveHealth, Research, WebhookEvent, Alarm):
        model.objects.all().delete()
    if not one_host.is_up:
        one_host.start()
    wait("the clusters run", lambda: all(map(one_host.is_complete, CLUSTER_NAMES)))
    yield one_host
    sys.stdout.write(one_host.log.read_text())  # shown with a test that failed


def ask():
    """A question and its brief, in one transaction: a question without a brief is cancelled."""
    with transaction.atomic():
        return make_brief(research=make_research()).research


def written(make):
    """What `make` writes, once it can: a process that was stopped may hold SQLite's only lock."""

    def try_it():
        with suppress(OperationalError):
            return make()

    return wait("the database takes a row", try_it)


def works(cluster):
    """Wait until the cluster has done work of which no wake-up was sent."""
    if cluster == "default":
        event = written(make_event)
        done = WebhookEvent.objects.filter(pk=event.pk).exclude(status="pending")
    else:
        question = written(ask)
        done = Research.objects.filter(pk=question.pk, status="done")
    wait(f"{cluster} works", done.exists)


def is_told(cluster):
    name = {"default": "queue"}.get(cluster, cluster)
    return Alarm.objects.filter(kind="stuck", closed_at=None, words__contains=f"“{name}”").exists()


@contextmanager
def started_anew(host, cluster):
    """After the block the old group must end, a new one must work, and an alarm must be told."""
    old = host.leader(cluster)
    yield
    works(cluster)
    wait("the old processes are gone", lambda: not groups.is_alive(old))
    wait("a whole cluster runs", lambda: host.is_complete(cluster))
    assert host.leader(cluster) != old
    wait("people are told", lambda: is_told(cluster))


# Found and started anew ---------------------------------------------------------------------------


def kill_with_the_lock(host, cluster, whom, works):
    """Kill processes that wait in a queue, until one dies that holds the queue's lock.

    The supervisor knocks about every second. A process that is just at work on a knock holds no
    lock; it is replaced, and the cluster goes on. Once the lock is lost, only a new cluster works.
    """
    old = host.leader(cluster)
    for _ in range(10):
        time.sleep(KNOCKED_AND_IDLE_AGAIN)
        for pid in wait("a process waits in the queue", lambda: whom(cluster)):
            send(pid, signal.SIGKILL)
        works()
        if not groups.is_alive(old):
            return
    raise AssertionError("no kill took the lock with it")


@pytest.mark.long  # as the next test, but found by an event that waits
@pytest.mark.parametrize("cluster", CLUSTER_NAMES)
def test_idle_worker_killed_with_the_lock_of_the_queue(host, cluster):
    with started_anew(host, cluster):
        kill_with_the_lock(host, cluster, host.lock_holders, lambda: works(cluster))


def test_deadlock_is_found_before_an_event_suffers(host):
    def looks_alive_and_sweeps():
        killed_at = database_now()
        wait("all are alive again", lambda: len(host.workers("default")) == host.count("default"))
        wait("a sweep", Bell.objects.filter(silenced_at__gt=killed_at).exists)

    kill_with_the_lock(host, "default", host.lock_holders, looks_alive_and_sweeps)

    assert not WebhookEvent.objects.exists()
    wait("people are told", lambda: is_told("default"))
    works("default")


@CLUSTERS
def test_monitor_killed_with_the_lock_of_the_results(host, cluster):
    old = host.leader(cluster)

    def works_and_records():
        works(cluster)
        wake(beats.KNOCK, cluster)  # its row goes once it is recorded; what was brought has none
        wait("recorded, or ended", lambda: not (OrmQ.objects.exists() and groups.is_alive(old)))

    with started_anew(host, cluster):
        kill_with_the_lock(host, cluster, lambda _: [host.monitor(cluster)], works_and_records)


@CLUSTERS
def test_guard_killed(host, cluster):
    with started_anew(host, cluster):
        send(host.sentinel(cluster), signal.SIGKILL)


# Found by a knock that nobody takes, whatever the rows say: test_supervisor.py has that as well.
@pytest.mark.long
@pytest.mark.parametrize("cluster", CLUSTER_NAMES)
def test_deadlock_is_found_while_another_host_does_all_the_work(host, other_host, cluster):
    old, theirs = host.leader(cluster), other_host.leader(cluster)

    def ends():
        with suppress(AssertionError):  # then its lock survived, and it goes on
            wait("ended", lambda: not groups.is_alive(old), seconds=15 * slowness())

    with started_anew(host, cluster):
        kill_with_the_lock(host, cluster, host.lock_holders, ends)
    assert other_host.leader(cluster) == theirs


def test_workers_killed_while_one_of_them_asks_are_replaced_before_its_lease_is_over(host, sandbox):
    sandbox.latency = 20
    ask()
    wait("the call", lambda: any(request.finished is None for request in sandbox.requests))

    def works_at_once():
        sandbox.latency = 0
        works("research")

    kill_with_the_lock(host, "research", host.workers, works_at_once)

    works_at_once()
    assert Research.objects.filter(status="running").count() == 1


def test_pusher_killed_is_replaced_by_its_guard(host):
    old = host.pusher("default")
    send(old, signal.SIGKILL)

    wait("another pusher", lambda: host.is_complete("default") and host.pusher("default") != old)
    works("default")


@pytest.mark.parametrize(
    ("cluster", "which"),
    [
        ("default", "worker"),
        # Any one process counts. Below, a supervisor that begins or ends finds all of them stopped.
        pytest.param("default", "guard", marks=pytest.mark.long),
        pytest.param("default", "all", marks=pytest.mark.long),
        pytest.param("research", "worker", marks=pytest.mark.long),
        pytest.param("research", "all", marks=pytest.mark.long),
    ],
)
def test_processes_stopped(host, cluster, which):
    with started_anew(host, cluster):
        stop(host, cluster, which)


def stop(host, cluster, which):
    if which == "all":
        os.killpg(host.leader(cluster), signal.SIGSTOP)
    elif which == "guard":
        send(host.sentinel(cluster), signal.SIGSTOP)
    else:
        send(host.workers(cluster)[0], signal.SIGSTOP)


# Not ended ----------------------------------------------------------------------------------------


def test_workers_that_all_wait_for_mave_are_left_alone(host, sandbox):
    sandbox.latency = 3.5 * slowness()
    old = host.leader("research")
    briefs = [ask() for _ in range(6)]  # one more than workers
    wait("all ask", lambda: Research.objects.in_flight().count() == 5)

    done = Research.objects.filter(status="done")
    wait("all are answered", lambda: done.count() == len(briefs))

    assert host.leader("research") == old
    assert MaveCall.objects.filter(outcome="answered").count() == len(briefs)


def test_worker_stopped_in_mid_call_goes_on_and_saves_what_was_paid(host, sandbox):
    sandbox.latency = 2.0
    old = host.leader("research")
    ask()
    wait("the call", lambda: Research.objects.in_flight().exists())

    for pid in host.workers("research"):
        send(pid, signal.SIGSTOP)

    wait("the answer", lambda: Research.objects.filter(status="done").exists())
    wait("the old processes are gone", lambda: not groups.is_alive(old))
    assert list(MaveCall.objects.values_list("outcome", "is_repeat")) == [("answered", False)]


# The supervisor -----------------------------------------------------------------------------------


def test_supervisor_killed_leaves_only_what_hangs_and_the_next_clears_that_away(host):
    stopped, research = (host.leader(cluster) for cluster in CLUSTER_NAMES)
    os.killpg(stopped, signal.SIGSTOP)  # it does not hear that its supervisor died

    host.supervisor.kill()
    host.supervisor.wait()
    wait("who heard it has ended", lambda: not groups.is_alive(research))
    assert groups.is_alive(stopped)

    host.start()
    wait("the old one is gone", lambda: not groups.is_alive(stopped))
    wait("new ones run", lambda: all(map(host.is_complete, CLUSTER_NAMES)))
    works("default")


def test_sigterm_saves_the_answer_that_was_paid_and_ends_what_was_stopped(host, sandbox):
    sandbox.latency = 2.0
    ask()
    wait("the call", lambda: Research.objects.in_flight().exists())
    clusters = [host.leader(cluster) for cluster in CLUSTER_NAMES]
    os.killpg(clusters[0], signal.SIGSTOP)

    host.supervisor.terminate()

    assert host.supervisor.wait(timeout=300) == 0
    assert Research.objects.get().status == "done"
    assert list(MaveCall.objects.values_list("outcome", flat=True)) == ["answered"]
    assert not any(map(groups.is_alive, clusters))


# The promise --------------------------------------------------------------------------------------


def test_two_minutes_suffice_with_the_constants_of_production():
    """The longest time from “due” to “working again”, each step as late as it may come."""
    seen = work.PATIENCE.total_seconds() + watching.LOOK_EVERY_SECONDS
    sure = (watching.STUCK_TIMES - 1) * (
        watching.LOOK_EVERY_SECONDS + supervisor.LOOK_EVERY_SECONDS
    )
    ended = watching.STUCK_GRACE_SECONDS + supervisor.LOOK_EVERY_SECONDS
    begun = 0.5 + supervisor.LOOK_EVERY_SECONDS  # the pause of a service that had run for long

    due = seen + sure + ended + begun
    unseen = due - work.PATIENCE.total_seconds() + work.QUIET.total_seconds()
    # By its own evidence, whatever other hosts do, and if the database takes long to answer.
    alone = due - work.PATIENCE.total_seconds() + beats.SILENT_SECONDS
    slow = messenger.PATIENCE_SECONDS

    assert due == 97.5  # which leaves 22 s to a slow start
    assert unseen <= 115  # an idle cluster, from when it last looked for work
    assert alone + slow <= 115  # a cluster that takes nothing, from when it last took a task
    assert beats.KNOCK_AFTER_SECONDS + 2 * watching.LOOK_EVERY_SECONDS < beats.SILENT_SECONDS
