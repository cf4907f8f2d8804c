"""The bell: one wake-up waits at most, a burst's last event is announced, nobody is delayed."""

import contextlib
import socket
import threading
import time

import pytest
from django.db import OperationalError, connection
from django_q.brokers import get_broker
from django_q.brokers.redis_broker import Redis
from django_q.conf import Conf
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from config.brokers import broker_settings
from webhooks import bell, views, waking
from webhooks.bell import Ringer, ring, silence
from webhooks.models import Bell
from webhooks.tests.sending import post
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db


def wake_ups():
    return OrmQ.objects.filter(key="default").count()


@pytest.fixture
def redis_at(monkeypatch):
    """Let the bell use a Redis at this port, with the time-outs of production."""

    def use(port):
        url = f"redis://:secret@127.0.0.1:{port}"
        monkeypatch.setattr(Conf, "REDIS", broker_settings(url, timeout_seconds=0.2)["redis"])
        monkeypatch.setattr(waking, "queue", Redis)

    return use


# One bell -----------------------------------------------------------------------------------------


def test_first_ring_wakes_and_the_next_do_not_until_it_is_silenced():
    assert ring()
    assert ring()
    assert wake_ups() == 1

    silence()

    assert ring()
    assert wake_ups() == 2


def test_wake_up_is_the_named_task_and_carries_no_data():
    ring()

    task = SignedPackage.loads(OrmQ.objects.get().payload)
    assert (task["func"], task["args"], task["kwargs"]) == ("briefs.tasks.drain", (), {})


def test_bell_whose_row_is_missing_is_made():
    Bell.objects.all().delete()

    assert Bell.turn_on()
    assert not Bell.turn_on()
    assert Bell.objects.get().rung_at


def test_silencing_a_bell_whose_row_is_missing_is_no_trouble():
    Bell.objects.all().delete()

    silence()

    assert ring()
    assert wake_ups() == 1


def test_bell_says_since_when():
    ring()
    row = Bell.objects.get()
    assert (str(row), bool(row.rung_at), row.silenced_at) == ("rung", True, None)

    silence()

    row = Bell.objects.get()
    assert (str(row), row.silenced_at >= row.rung_at) == ("silent", True)


@pytest.mark.parametrize("is_there", [True, False])
def test_of_many_ringers_at_once_one_wakes(threaded_db, is_there):
    if is_there:
        Bell.objects.create(pk=1)

    assert all(at_once(12, lambda number: ring()))

    assert wake_ups() == 1


# A broker that fails ------------------------------------------------------------------------------


def test_broker_that_is_away_leaves_the_bell_silent_so_that_the_next_ring_tries_again(
    redis_at, monkeypatch
):
    redis_at(9)
    assert not ring()
    assert not Bell.objects.get().is_rung

    monkeypatch.setattr(waking, "queue", get_broker)

    assert ring()
    assert wake_ups() == 1


def test_ringer_swallows_counts_and_remembers_a_failed_ring(threaded_db, redis_at, caplog):
    redis_at(9)
    ringer = Ringer()

    assert at_once(1, lambda number: ringer.ring_once()) == [False]

    assert ringer.failures == 1
    assert ringer._wanted.is_set()
    assert "briefs.tasks.drain not put into the queue (ConnectionError)" in caplog.text
    assert "secret" not in caplog.text


def test_ringer_swallows_a_database_that_is_away_and_rings_again(monkeypatch, caplog):
    def refuse():
        raise OperationalError("the customer's words")

    monkeypatch.setattr(bell.Bell, "turn_on", refuse)
    monkeypatch.setattr(bell.connection, "close", lambda: None)
    ringer = Ringer()

    assert not ringer.ring_once()

    assert (ringer.failures, ringer._wanted.is_set()) == (1, True)
    assert "bell not rung (OperationalError)" in caplog.text
    assert "words" not in caplog.text


def test_mute_broker_is_given_up_soon(threaded_db, redis_at):
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        redis_at(mute.getsockname()[1])
        started = time.monotonic()

        assert at_once(1, lambda number: Ringer().ring_once()) == [False]

    assert time.monotonic() - started < 60  # it would wait for ever


def test_ring_that_succeeds_counts_no_failure(threaded_db):
    ringer = Ringer()

    assert at_once(1, lambda number: ringer.ring_once()) == [True]

    assert (ringer.failures, ringer._wanted.is_set()) == (0, False)


# The thread ---------------------------------------------------------------------------------------


class Watched(Ringer):
    """A ringer whose rings can be held and counted, and whose thread can be ended.

    rings: the moment at which each ring began, once it has ended.
    """

    def __init__(self):
        super().__init__()
        self.rings = []
        self.is_ringing, self.may_ring = threading.Event(), threading.Event()
        self.may_ring.set()
        self.is_over = False

    def _run(self):
        with contextlib.suppress(SystemExit):
            super()._run()

    def ring_once(self):
        if self.is_over:
            connection.close()
            raise SystemExit
        began = time.monotonic()
        self.is_ringing.set()
        self.may_ring.wait(60)
        has_rung = super().ring_once()
        self.rings.append(began)
        return has_rung

    def end(self):
        self.is_over = True
        self.may_ring.set()
        self.wake()
        self._thread.join(60)


@pytest.fixture
def ringer(threaded_db, monkeypatch):
    monkeypatch.setattr(bell, "PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(bell, "PAUSE_AFTER_FAILURE_SECONDS", 0.1)
    ringer = Watched()
    yield ringer
    ringer.end()


def wait_until(condition):
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, "it did not happen within a minute"
        time.sleep(0.01)


def wake_and_wait(ringer):
    """Wait until a ring that began after this wake-up has ended."""
    woken_at = time.monotonic()
    ringer.wake()
    wait_until(lambda: ringer.rings and ringer.rings[-1] >= woken_at)


def test_burst_is_announced_by_two_rings_the_second_after_its_end(ringer):
    ringer.may_ring.clear()
    ringer.wake()
    assert ringer.is_ringing.wait(60)
    for _ in range(30):
        ringer.wake()
    last = time.monotonic()
    ringer.may_ring.set()

    wait_until(lambda: len(ringer.rings) == 2)

    assert ringer.rings[1] >= last
    assert ringer.rings[1] - ringer.rings[0] >= bell.PAUSE_SECONDS
    assert not ringer._wanted.is_set()
    assert wake_ups() == 1


def test_every_burst_has_one_thread(ringer):
    at_once(8, lambda number: ringer.wake())
    thread = ringer._thread
    wake_and_wait(ringer)

    assert ringer._thread is thread
    assert wake_ups() == 1


def test_thread_outlives_a_failure_and_rings_again_by_itself(ringer, monkeypatch):
    rings = iter([ConnectionError("away"), True])

    def fail_once():
        if isinstance(outcome := next(rings), Exception):
            raise outcome
        return outcome

    monkeypatch.setattr(bell, "ring", fail_once)
    ringer.wake()

    wait_until(lambda: len(ringer.rings) == 2)

    assert ringer.failures == 1
    assert ringer._thread.is_alive()


def test_thread_that_died_with_its_process_is_started_again(ringer):
    ringer.wake()
    ringer.end()
    ringer.is_over = False

    wake_and_wait(ringer)

    assert ringer._thread.is_alive()


def test_stored_event_asks_for_a_ring(threadless_receiver, monkeypatch):
    asked = []
    monkeypatch.setattr(views.ringer, "wake", lambda: asked.append(1))

    post({"event_id": "e1", "object_type": "email", "metric": "unsubscribed"})

    assert asked == [1]
