"""The supervisor, with small processes in the place of web server and clusters."""

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from itertools import cycle

import psutil
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import Schedule

from briefs.models import Alarm, Notification
from briefs.notifying.tests.listener import make_target
from briefs.tests.factories import make_event
from operations import alarms
from operations.supervising import beats, groups, services, watching
from operations.supervising.messenger import Errand, Messenger
from operations.supervising.services import Service
from operations.supervising.supervisor import Supervisor
from webhooks.models import Bell, ServiceBeat

# Looking for stuck clusters closes the database connection now and then.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.on_sqlite,
]
SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
DEAF = [sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN);"
        "time.sleep(600)"]  # fmt: skip
# A parent and a child that would outlive it.
FAMILY = [sys.executable, "-c", "import subprocess, time; subprocess.Popen(['sleep', '600'])"]


@pytest.fixture(autouse=True)
def _at_once():
    """Run errands in the test's own thread, on its connection. test_messenger has the real one."""

    def send(self, work):
        errand = Errand(work)
        errand.run()
        return errand

    with pytest.MonkeyPatch.context() as patch:  # of its own: some tests undo theirs
        patch.setattr(Messenger, "send", send)
        yield


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """On a busy machine also a process that was killed takes its time."""
    monkeypatch.setattr(services, "LONGEST_DEATH_SECONDS", 60.0)


@pytest.fixture(autouse=True)
def _of_this_process_alone(settings):
    """No other process that runs tests beside this one has services of the same installation."""
    settings.PORT = os.getpid()


@pytest.fixture(autouse=True)
def _swept():
    """The sweep is due now, not since the database was made, which may be long ago."""
    Schedule.objects.update(next_run=timezone.now())


def service(command=SLEEP, **kw):
    return Service("a service", command, **kw)


@pytest.fixture
def started():
    services = []

    def start(*given):
        for item in given:
            item.start()
            services.append(item)
            assert item.command is not DEAF or wait_for(lambda one=item: ignores_sigterm(one.group))
        return Supervisor(list(given))

    yield start
    for item in services:
        item.kill()


def ignores_sigterm(pid):
    return signal.SIGTERM in signals(pid, "SigIgn")


def signals(pid, how):
    """Which signals a process ignores (SigIgn) or catches (SigCgt) by now."""
    with open(f"/proc/{pid}/status") as status:
        bits = next(int(line.split()[1], 16) for line in status if line.startswith(how))
    return {number for number in signal.Signals if bits & 1 << (number - 1)}


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
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def test_service_that_died_starts_again_after_a_pause(started, caplog):
    one = service()
    watch = started(one)
    first = one.process.pid
    os.kill(first, signal.SIGKILL)
    one.process.wait()

    assert wait_for(lambda: watch.look() or one.is_running)
    assert "ended with -9; starts again in 1 s" in caplog.text
    assert one.process.pid != first


def test_what_a_dead_service_left_behind_is_ended(started):
    one = service(FAMILY)
    watch = started(one)
    group = one.process.pid
    one.process.wait()
    assert alive_in_group(group)

    watch.look()

    assert wait_for(lambda: not alive_in_group(group))


def test_monitoring_is_told_of_the_workers_until_the_supervisor_is_stopped(started, settings):
    settings.HOST_NAME = "one.example"
    watch = started(service(is_receiver=True))

    watch.watching.look()
    ServiceBeat.objects.update(workers=7)
    watch.watching.look()  # half a minute is not over
    told = list(ServiceBeat.objects.values_list("host", "service", "workers"))
    watch.watching.say_farewell()

    assert told == [("one.example", "a service", 7)]
    assert not ServiceBeat.objects.exists()


STUCK = {"trouble": lambda: "nothing moves"}


def look(watch, times):
    for _ in range(times):
        watch.watching.look()


def test_stuck_service_is_woken_up_twice_before_it_is_asked_to_end(started):
    woken = []
    one = service(**STUCK, wake_up=lambda beats: woken.append(one.is_running))
    watch = started(one)
    one.trusted_until = 0

    look(watch, 2)
    assert (woken, one.end_by) == ([True, True], None)

    look(watch, 1)
    assert one.end_by is not None
    assert wait_for(lambda: not one.is_running)


def test_stuck_service_that_ignores_sigterm_is_killed_and_starts_anew(started, monkeypatch):
    monkeypatch.setattr(watching, "STUCK_GRACE_SECONDS", 0.1)
    one = service(DEAF, **STUCK)
    watch = started(one)
    first = one.group
    one.trusted_until = 0

    look(watch, 3)

    assert wait_for(lambda: watch.look() or one.group not in (first, None))
    assert not alive_in_group(first)


def test_stuck_service_with_a_paid_call_under_way_has_time_to_finish_it(started):
    one = service(DEAF, **STUCK, is_paying=lambda: True, grace_seconds=600)
    watch = started(one)
    one.trusted_until = 0
    mark_busy(one)

    look(watch, 3)

    assert one.end_by > time.monotonic() + 300


def mark_busy(one):
    """Mark it as a worker does that begins a task."""
    os.pwrite(one.beats.number, beats._BUSY, beats._WORKERS + one.group)


def test_paid_call_of_a_worker_that_died_gives_no_time(started):
    one = service(DEAF, **STUCK, is_paying=lambda: True, grace_seconds=600)
    watch = started(one)
    one.trusted_until = 0

    look(watch, 3)

    assert one.end_by < time.monotonic() + 300


def test_stuck_service_has_no_more_time_once_its_paid_call_is_over(started):
    one = service(DEAF, **STUCK, is_paying=lambda: True, grace_seconds=600)
    watch = started(one)
    one.trusted_until = 0
    mark_busy(one)
    look(watch, 3)

    one.is_paying = lambda: False
    look(watch, 1)

    assert one.end_by < time.monotonic() + 300


def test_service_whose_idle_worker_takes_no_task_is_ended_whatever_the_rows_say(
    started, monkeypatch, caplog
):
    monkeypatch.setattr(beats, "SILENT_SECONDS", 0)
    one = service()
    watch = started(one)
    one.trusted_until = 0
    os.pwrite(one.beats.number, beats._IDLE, beats._WORKERS + one.group)

    look(watch, 3)

    assert one.end_by is not None
    assert "not even a knock" in caplog.text


def test_service_that_makes_progress_between_two_looks_is_left_alone(started):
    looks = iter(["nothing moves"] * 2 + [""] + ["nothing moves"] * 2)
    one = service(trouble=lambda: next(looks))
    watch = started(one)
    one.trusted_until = 0

    look(watch, 5)

    assert one.end_by is None


def test_young_service_is_given_time(started):
    one = service(**STUCK)
    watch = started(one)

    look(watch, 5)

    assert one.end_by is None


def test_service_that_stays_stuck_is_given_more_time_after_each_start(started):
    one = service(**STUCK)
    given = []
    for one.kills in (0, 1, 2, 9):
        before = time.monotonic()
        one.trust()
        given.append((one.trusted_until - time.monotonic(), one.trusted_until - before))

    for seconds, (least, most) in zip((45, 90, 180, 240), given, strict=True):
        assert least <= seconds <= most


def test_service_that_works_again_after_it_was_killed_has_no_more_time_than_any_other(started):
    one = service()
    watch = started(one)
    one.kills = 2
    one.trust()

    look(watch, 1)

    assert one.kills == 0
    assert one.trusted_until == one.started_at + services.TRUST_SECONDS


def away():
    raise OperationalError("the database is away")


def test_service_is_not_blamed_for_a_database_that_is_away_and_gets_time_afterwards(started):
    looks = iter([away] + [lambda: "nothing moves"] * 5)
    one = service(trouble=lambda: next(looks)())
    watch = started(one)
    one.trusted_until = 0

    look(watch, 5)

    assert one.end_by is None
    assert one.trusted_until > time.monotonic()


def test_database_that_is_away_does_not_stop_the_supervisor(started, monkeypatch, caplog):
    one = service(wake_up=lambda beats: None)
    watch = started(one)
    monkeypatch.setattr(watching.connection, "cursor", away)

    watch.watching.report_end(one, 1)
    look(watch, 1)
    watching.wake_up(one)

    assert watch.watching.is_untold
    assert "alarm not written: OperationalError" in caplog.text
    assert "progress cannot be read: OperationalError" in caplog.text


def test_service_whose_guard_hangs_is_ended_whatever_the_rows_say(started, monkeypatch, caplog):
    monkeypatch.setattr(beats, "UNGUARDED_SECONDS", 0)
    one = service()
    watch = started(one)
    one.trusted_until = 0

    look(watch, 3)

    assert one.end_by is not None
    assert "its guard, which ends tasks that hang, hung itself" in caplog.text


def test_stopped_process_is_found_and_goes_on_to_end_in_order(started):
    one = service()
    watch = started(one)
    one.trusted_until = 0
    os.kill(one.group, signal.SIGSTOP)
    assert wait_for(lambda: one.is_stopped)

    look(watch, 3)

    assert one.process.wait(timeout=60) == -signal.SIGTERM


def test_tasks_that_are_done_and_not_recorded_are_found(monkeypatch):
    beat = beats.Beats()
    beats._note(beat.number, beats._DONE)
    assert not beat.is_unrecorded

    monkeypatch.setattr(beats, "UNRECORDED_SECONDS", 0)
    assert beat.is_unrecorded

    beats._note(beat.number, beats._RECORDED)
    assert not beat.is_unrecorded


def test_error_while_looking_ends_no_service(started, monkeypatch, caplog):
    one = service()
    watch = started(one)
    monkeypatch.setattr(watching, "LOOK_EVERY_SECONDS", 0)
    monkeypatch.setattr(watching, "check_alarms_if_nobody_sweeps", lambda: 1 / 0)

    watch.look()

    assert one.is_running
    assert "progress was not looked after" in caplog.text


def test_service_that_cannot_be_started_is_tried_again(caplog):
    one = service(["/nowhere/at/all"])
    watch = Supervisor([one])
    before = time.monotonic()

    watch.look()
    assert one.start_again_at >= before + 1

    one.command, one.start_again_at = SLEEP, 0
    watch.look()
    assert one.is_running
    one.kill()


# People are told ----------------------------------------------------------------------------------


def alarm():
    return Alarm.objects.get(kind=Alarm.Kind.STUCK)


def test_people_are_told_of_a_stuck_cluster_what_it_did_and_what_was_done(started):
    make_target(gets_alarms=True)
    one = service(**STUCK)
    watch = started(one)
    one.trusted_until = 0

    look(watch, 3)

    told = Notification.objects.get()
    assert told.subject == "Alarm: A process was restarted"
    assert "“a service”" in told.body
    assert "found stuck: nothing moves" in told.body
    assert "webhooks are accepted and kept" in told.body
    assert "If it repeats" in told.body


def test_people_are_told_of_a_service_that_ended_by_itself(started):
    one = service(is_receiver=True)
    watch = started(one)
    one.process.kill()
    one.process.wait()

    watch.look()

    assert "ended by itself (killed by signal 9)" in alarm().words
    assert "Customer.io's webhooks fail; it sends them again" in alarm().words


def test_nobody_is_told_of_a_service_that_was_asked_to_end(started):
    one = service()
    watch = started(one)
    watch.reload()
    one.process.wait()

    watch.look()

    assert not Alarm.objects.exists()


def test_service_that_dies_again_and_again_pauses_longer_and_the_alarm_counts(started, caplog):
    one = service([sys.executable, "-c", "pass"])
    watch = started(one)
    for _ in range(3):
        one.process.wait()
        watch.look()
        one.start_again_at = 0
        watch.look()

    told = [line for line in caplog.messages if "starts again in" in line]
    assert [line.rsplit(" ", 2)[1] for line in told] == ["1", "2", "4"]
    assert "ended by itself (with code 0), 3 times in a row" in alarm().words


def test_alarm_that_cannot_be_written_is_written_later(started, monkeypatch):
    one = service()
    watch = started(one)
    monkeypatch.setattr(watching.alarms, "report", lambda *args: away())
    watch.watching.report_end(one, 1)
    monkeypatch.undo()
    assert not Alarm.objects.exists()

    look(watch, 1)

    assert alarm().is_open


def test_alarm_names_all_that_were_restarted_within_minutes(started):
    one, two = service(), service()
    one.name, two.name = "queue", "research"
    watch = started(one, two)

    watch.watching.report_end(one, 1)
    watch.watching.report_end(two, 1)

    assert "“queue”" in alarm().words
    assert "“research”" in alarm().words


def test_alarm_of_a_restart_is_over_after_minutes_of_calm(started):
    watch = started(one := service())
    watch.watching.report_end(one, 1)

    alarms.check()
    look(watch, 1)  # told once and not again
    assert alarm().is_open
    assert alarm().quiet_since is not None

    Alarm.objects.update(quiet_since=timezone.now() - timedelta(minutes=6))
    alarms.check()
    assert not alarm().is_open


# Alarms while no worker sweeps --------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "rings"), [(4, True), (2, False)])
def test_supervisor_tells_of_waiting_events_when_no_worker_sweeps(minutes, rings):
    at = timezone.now() - timedelta(minutes=20)
    make_event(received_at=at, last_received_at=at)
    Bell.objects.create(pk=1, silenced_at=timezone.now() - timedelta(minutes=minutes))

    watching.check_alarms_if_nobody_sweeps()

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
    one = service(DEAF, grace_seconds=0.3)
    watch = started(one)

    watch._wind_down()

    assert one.process.wait(timeout=60) == -signal.SIGKILL


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
    assert wait_for(lambda: signal.SIGHUP in signals(web.group, "SigCgt"))
    pids = web.process.pid, queue.process.pid

    watch.reload()
    queue.process.wait()

    assert wait_for(lambda: watch.look() or queue.is_running)
    assert web.process.pid == pids[0]
    assert web.is_running
    assert queue.process.pid != pids[1]


def test_services_end_when_the_supervisor_is_killed(tmp_path):
    """As a process, because only the death of the real parent counts."""
    script = (
        "import django, sys, time; django.setup();"
        "from operations.supervising.services import Service;"
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

    ours, webs, queues = (
        os.getpriority(os.PRIO_PROCESS, pid) for pid in (0, web.process.pid, queue.process.pid)
    )
    assert webs == ours
    assert queues == min(ours + services.WORKERS_NICENESS, 19)  # the lowest that there is


def test_winding_down_does_not_wait_for_what_was_stopped(started):
    one = service(grace_seconds=60)
    watch = started(one)
    os.kill(one.group, signal.SIGSTOP)
    assert wait_for(lambda: one.is_stopped)

    watch._wind_down()

    assert one.process.returncode == -signal.SIGTERM


def test_next_supervisor_waits_for_what_the_killed_one_left_to_end(started):
    left = service()
    left.start()
    group = left.group
    one = service()
    one.adopt(group)
    watch = Supervisor([one])

    assert wait_for(lambda: watch.look() or one.group not in (group, None))
    assert not alive_in_group(group)
    one.kill()


def test_next_supervisor_waits_for_all_that_several_killed_ones_left(started, caplog):
    caplog.set_level("INFO")
    gentle, deaf = service(), service(DEAF)
    started(gentle, deaf)
    one = service(grace_seconds=1)
    for left in (gentle, deaf):
        one.adopt(left.group)
    watch = Supervisor([one])

    assert wait_for(lambda: watch.look() or one.is_running)

    assert not alive_in_group(gentle.group)
    assert not alive_in_group(deaf.group)
    assert f"a service: what was left from before has ended ({deaf.group})" in caplog.text
    assert "starts again" not in caplog.text
    one.kill()


def test_winding_down_ends_what_was_adopted_too(started):
    started(left := service(DEAF))
    one = service(grace_seconds=0.2)
    one.adopt(left.group)

    Supervisor([one])._wind_down()

    assert wait_for(lambda: not alive_in_group(left.group))


# Two supervisors ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def neighbour(django_db_setup):
    """Another supervisor of the service “queue” of this installation, as a real process.

    Tests share it, because it takes seconds to start: none may end it.
    """
    with supervising("queue") as process:
        yield process


@contextmanager
def supervising(name):
    script = (
        "import django, time; django.setup();"
        "from django.conf import settings;"
        f"settings.DATABASES['default']['NAME'] = {connection.settings_dict['NAME']!r};"
        f"settings.PORT = {os.getpid()};"
        "from operations.supervising.services import Service;"
        f"one = Service({name!r}, {SLEEP!r}); one.start(); print(flush=True); time.sleep(600)"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("options", [{}, {"no_web": True}])
def test_second_supervisor_of_the_same_services_is_refused_in_words(neighbour, options):
    with pytest.raises(CommandError) as refused:
        call_command("supervise", **options)

    assert f"“queue” is supervised on this host already, by process {neighbour.pid}" in str(
        refused.value
    )
    assert f"kill {neighbour.pid}" in str(refused.value)
    assert refused.value.returncode != 0
    assert neighbour.poll() is None


def test_supervisor_of_other_services_does_not_count(neighbour):
    assert groups.supervisor_of("web") is None


def test_supervisor_is_recognised_although_the_clock_was_set(neighbour, monkeypatch):
    before = psutil.boot_time()
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: before + 3600)

    assert groups.supervisor_of("queue") == neighbour.pid
    assert groups.left_behind("queue") == set()


def test_supervisor_is_recognised_where_the_boot_is_told_with_a_second_of_doubt(
    neighbour, monkeypatch
):
    told = cycle([psutil.boot_time(), psutil.boot_time() + 1])
    monkeypatch.setattr(psutil._psplatform, "boot_time", lambda: next(told))

    assert groups.supervisor_of("queue") == neighbour.pid
    assert groups.left_behind("queue") == set()


def test_what_a_dead_supervisor_left_does_not_count(django_db_setup):
    with supervising("another queue") as process:
        assert groups.supervisor_of("another queue") == process.pid
        process.kill()
        process.wait()

        assert groups.supervisor_of("another queue") is None


def test_process_that_has_the_pid_of_a_dead_supervisor_is_not_taken_for_it():
    later = {**groups.marks("a service"), groups.SUPERVISOR: f"{os.getpid()}-1"}
    process = subprocess.Popen(SLEEP, env={**os.environ, **later}, start_new_session=True)

    found = groups.left_behind("a service"), groups.supervisor_of("a service")
    process.kill()
    process.wait()

    assert found == ({process.pid}, None)
