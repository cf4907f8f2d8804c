"""The supervisor waits for no database, not even for one that hangs for ever."""

import os
import signal
import subprocess
import sys
import threading

import psutil
import psycopg
import pytest

from operations.supervising import messenger, watching
from operations.supervising.messenger import Messenger
from operations.supervising.services import Service
from operations.supervising.supervisor import Supervisor
from operations.supervising.tests.hasty import children, send, wait
from sandbox.postgres import postgres

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# A supervisor of one small process, which reads and writes the database often.
SUPERVISOR = """
import sys, django
django.setup()
from operations.supervising import watching
from operations.supervising.bringing import bring_events, wake_queue
from operations.supervising.services import Service, queue_trouble
from operations.supervising.supervisor import Supervisor
watching.LOOK_EVERY_SECONDS = 0.1
deaf = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
one = Service("one", [sys.executable, "-c", deaf], grace_seconds=600,
              trouble=queue_trouble, wake_up=wake_queue, bring=bring_events)
Supervisor([one]).run()
"""


@pytest.fixture
def frozen(monkeypatch):
    """Work that ends only when the test does."""
    monkeypatch.setattr(messenger, "PATIENCE_SECONDS", 0.1)
    end = threading.Event()
    yield end.wait
    end.set()


@pytest.fixture
def hung(frozen):
    messenger = Messenger()
    messenger.send(frozen)
    wait("it hangs", lambda: messenger.is_hung)
    return messenger


def test_answer_of_an_errand_is_kept():
    errand = Messenger().send(lambda: "an answer")

    wait("the answer", lambda: errand.is_done)
    assert errand.answer == "an answer"


def test_error_is_kept_for_the_caller_and_the_messenger_goes_on():
    messenger = Messenger()
    faulty = messenger.send(lambda: 1 / 0)

    another = messenger.send(lambda: 1)

    wait("another answer", lambda: another.is_done)
    assert isinstance(faulty.error, ZeroDivisionError)


def test_messenger_that_hangs_takes_nothing_more_so_that_only_one_hangs(hung):
    before = set(threading.enumerate())

    assert [hung.send(lambda: 1) for _ in range(3)] == [None] * 3
    assert set(threading.enumerate()) <= before


def test_question_that_is_not_answered_counts_as_a_database_that_is_away(
    frozen, monkeypatch, caplog
):
    monkeypatch.setattr(watching, "observe", lambda services: frozen())
    one = Service("one", SLEEP)
    one.start()
    one.trusted_until = 0
    watch = Supervisor([one]).watching

    watch.look()
    wait("given up", lambda: watch.listen() or one.trusted_until)

    assert one.end_by is None
    assert "progress cannot be read: the database does not answer" in caplog.text
    one.kill()


def test_stopped_process_is_ended_while_the_database_hangs(hung):
    one = Service("one", SLEEP)
    one.start()
    watch = Supervisor([one]).watching
    watch.messenger, one.trusted_until = hung, 0
    os.kill(one.group, signal.SIGSTOP)
    wait("stopped", lambda: one.is_stopped)

    for _ in range(watching.STUCK_TIMES):
        watch.look()

    assert one.end_by is not None
    assert watch.is_untold
    one.kill()


@pytest.fixture
def server():
    """A PostgreSQL server of the test's own: its URL and all its processes."""
    if not os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("freezes a PostgreSQL server; TEST_DATABASE_URL names none")
    with postgres(fast=True) as url:
        with psycopg.connect(url) as connection:
            [backend] = connection.execute("SELECT pg_backend_pid()").fetchone()
            leader = psutil.Process(backend).ppid()
        yield url, lambda: [leader, *children(leader)]
        for pid in [leader, *children(leader)]:
            send(pid, signal.SIGCONT)


@pytest.fixture
def supervisor(server, tmp_path):
    url, _ = server
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SUPERVISOR],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": url},
            stdout=log,
            stderr=log,
        )
    wait("it runs", lambda: children(process.pid))
    yield process
    process.kill()
    process.wait()
    sys.stdout.write((tmp_path / "log").read_text())


@pytest.mark.first
@pytest.mark.processes
def test_while_postgresql_is_frozen_the_supervisor_restarts_what_dies_and_ends(
    server, supervisor, tmp_path
):
    _, processes = server
    for pid in processes():
        send(pid, signal.SIGSTOP)

    for _ in range(3):  # while it asks the database and wakes the service
        [old] = children(supervisor.pid)
        send(old, signal.SIGKILL)
        wait("another one runs", lambda old=old: set(children(supervisor.pid)) - {old})

    supervisor.terminate()
    wait("it stops", lambda: "stopping" in (tmp_path / "log").read_text())
    supervisor.terminate()  # its service would take ten minutes
    assert supervisor.wait(timeout=180) == 0
