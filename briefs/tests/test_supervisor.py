"""The supervisor, with small processes in the place of web server and clusters."""

import os
import signal
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs import supervisor
from briefs.models import Alarm
from briefs.supervisor import Service, Supervisor
from briefs.tests.factories import make_event
from webhooks.models import Bell

# Looking for stuck clusters tends to the database connection.
pytestmark = pytest.mark.django_db
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
# A parent and a child that would outlive it.
FAMILY = [sys.executable, "-c", "import subprocess, time; subprocess.Popen(['sleep', '60'])"]


def service(command=SLEEP, **kw):
    return Service("a service", command, **kw)


@pytest.fixture
def started():
    services = []

    def start(*given):
        for item in given:
            item.start()
            services.append(item)
        return Supervisor(list(given))

    yield start
    for item in services:
        item.kill()


def alive_in_group(group):
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as stat:
                fields = stat.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(name))
    return found


def wait_for(condition):
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_service_that_died_starts_again_after_a_pause(started):
    one = service()
    watch = started(one)
    first = one.process.pid
    os.kill(first, signal.SIGKILL)
    one.process.wait()

    watch.look()
    assert not one.is_running

    assert wait_for(lambda: watch.look() or one.is_running)
    assert one.process.pid != first


def test_what_a_dead_service_left_behind_is_ended(started):
    one = service(FAMILY)
    watch = started(one)
    group = one.process.pid
    one.process.wait()
    assert alive_in_group(group)

    watch.look()

    assert wait_for(lambda: not alive_in_group(group))


def test_stuck_service_is_killed_once_it_was_found_stuck_three_times(started):
    one = service(is_stuck=lambda: True)
    watch = started(one)
    one.started_at -= supervisor.STEADY_SECONDS + 1

    watch.check_progress()
    watch.check_progress()
    assert one.is_running

    watch.check_progress()
    assert not one.is_running


def test_service_that_makes_progress_between_two_looks_is_left_alone(started):
    looks = iter([True, True, False, True, True])
    one = service(is_stuck=lambda: next(looks))
    watch = started(one)
    one.started_at -= supervisor.STEADY_SECONDS + 1

    for _ in range(5):
        watch.check_progress()

    assert one.is_running


def test_young_service_is_given_time(started):
    one = service(is_stuck=lambda: True)
    watch = started(one)

    for _ in range(5):
        watch.check_progress()

    assert one.is_running


@pytest.mark.parametrize(("minutes", "rings"), [(6, True), (4, False)])
def test_supervisor_tells_of_waiting_events_when_no_worker_sweeps(minutes, rings):
    at = timezone.now() - timedelta(minutes=20)
    make_event(received_at=at, last_received_at=at)
    Bell.objects.create(pk=1, silenced_at=timezone.now() - timedelta(minutes=minutes))

    supervisor.speak_for_the_workers()

    opened = Alarm.objects.filter(kind=Alarm.Kind.WAITING, opened_at__isnull=False)
    assert opened.exists() is rings


def test_receiver_stops_after_the_workers(started, monkeypatch):
    order = []
    web, queue = service(is_receiver=True), service()
    watch = started(web, queue)
    for name, item in (("web", web), ("queue", queue)):
        stop = item.ask_to_stop
        monkeypatch.setattr(item, "ask_to_stop", lambda n=name, s=stop: (order.append(n), s()))

    watch._wind_down()

    assert order == ["queue", "web"]
    assert not web.is_running
    assert not queue.is_running


def test_service_that_ignores_the_request_to_stop_is_killed_after_its_grace(started):
    deaf = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
            "print(1, flush=True); time.sleep(60)"]  # fmt: skip
    one = service(deaf, grace_seconds=0.3)
    watch = started(one)
    time.sleep(0.3)

    began = time.monotonic()
    watch._wind_down()

    assert time.monotonic() - began < 5
    assert not one.is_running


def test_second_request_to_stop_ends_everything_at_once(started):
    one = service(grace_seconds=60)
    watch = started(one)
    watch.stops_asked = 2

    watch._wind_down()

    assert not one.is_running


def test_reload_asks_the_receiver_to_reload_and_the_workers_to_start_anew(started):
    web = service([sys.executable, "-c", "import signal, time\n"
                   "signal.signal(1, lambda *a: print('reloaded', flush=True))\n"
                   "while True: time.sleep(0.1)"], is_receiver=True)  # fmt: skip
    queue = service()
    watch = started(web, queue)
    time.sleep(0.5)
    pids = web.process.pid, queue.process.pid

    watch.reload()
    queue.process.wait()

    assert wait_for(lambda: watch.look() or queue.is_running)
    assert web.process.pid == pids[0]
    assert web.is_running
    assert queue.process.pid != pids[1]


def test_services_end_when_the_supervisor_is_killed(tmp_path):
    """As a process, because only the death of the real parent counts."""
    import subprocess

    script = (
        "import django, sys, time; django.setup();"
        "from briefs.supervisor import Service;"
        f"one = Service('one', {SLEEP!r}); one.start();"
        "print(one.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())

    parent.kill()
    parent.wait()

    assert wait_for(lambda: not alive_in_group(child))


def test_workers_give_way_to_the_receiver(started):
    web, queue = service(is_receiver=True), service()
    started(web, queue)

    assert os.getpriority(os.PRIO_PROCESS, queue.process.pid) > os.getpriority(
        os.PRIO_PROCESS, web.process.pid
    )
