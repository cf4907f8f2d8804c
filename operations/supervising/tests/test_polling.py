"""The queue in the database: who is told of a task, and how long a cluster waits to ask again."""

import threading
import time
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django_q.brokers import get_broker
from django_q.models import OrmQ

from operations.supervising import polling
from operations.supervising.polling import QuietOrm
from webhooks.clock import database_now

PATIENCE_SECONDS = 120


# What it gives -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_broker_of_the_settings_is_the_quiet_one():
    assert isinstance(get_broker("default"), QuietOrm)


@pytest.mark.django_db
def test_task_is_taken_once_the_oldest_first():
    mine, another = QuietOrm("default"), QuietOrm("default")
    keys = [mine.enqueue("one"), mine.enqueue("two")]

    taken = [mine.dequeue(), another.dequeue(), mine.dequeue()]

    assert taken == [[(keys[0], "one")], [(keys[1], "two")], None]


@pytest.mark.django_db
def test_task_that_another_cluster_takes_in_the_same_moment_is_left_to_it(monkeypatch):
    broker = QuietOrm("default")
    broker.enqueue("one")
    later = timedelta(hours=1)
    monkeypatch.setattr(polling, "timedelta", lambda **kw: _take_first(later))

    assert broker.dequeue() is None


def _take_first(later):
    OrmQ.objects.update(lock=Now() + later)
    return later


@pytest.mark.django_db
def test_task_of_a_cluster_that_died_is_taken_again_after_its_time():
    key = QuietOrm("default").enqueue("one")
    QuietOrm("default").dequeue()

    OrmQ.objects.update(lock=Now() - timedelta(seconds=1))

    assert QuietOrm("default").dequeue() == [(key, "one")]


@pytest.mark.django_db
def test_tasks_that_nobody_has_taken_are_counted():
    broker = QuietOrm("default")
    for _ in range(3):
        broker.enqueue("one")
    broker.dequeue()

    assert broker.waiting() == 2
    assert QuietOrm("research").waiting() == 0


@pytest.mark.django_db
def test_task_of_another_queue_is_left_alone():
    QuietOrm("research").enqueue("a question")

    assert QuietOrm("default").dequeue() is None


@pytest.mark.django_db
def test_task_is_stamped_by_the_clock_of_the_database(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: pytest.fail("a host's own clock"))

    QuietOrm("default").enqueue("one")
    QuietOrm("default").dequeue()

    left = OrmQ.objects.get().lock - database_now()
    assert timedelta(seconds=200) < left <= timedelta(seconds=240)


# How often it asks -------------------------------------------------------------------------------


@pytest.fixture
def passing(monkeypatch):
    """Time that passes only while the broker waits."""

    class Passing:
        now = 1000.0

        def wait(self, seconds):
            self.now += seconds

        def statements(self, broker, seconds):
            """Those that the broker, which finds nothing, asks within this time."""
            end = self.now + seconds
            with CaptureQueriesContext(connection) as queries:
                while self.now < end:
                    assert broker.dequeue() is None
            return len(queries)

    passing = Passing()
    monkeypatch.setattr(polling.time, "monotonic", lambda: passing.now)
    monkeypatch.setattr(polling.time, "sleep", passing.wait)
    monkeypatch.setattr(polling, "is_ours_alone", lambda database: False)  # as behind a pooler
    return passing


@pytest.mark.django_db
def test_without_notifications_pauses_grow_to_a_second(passing):
    broker = QuietOrm("default")

    first, later = passing.statements(broker, 1), passing.statements(broker, 100)

    assert first >= 8
    assert 100 <= later <= 130


@pytest.mark.django_db
def test_after_a_task_it_asks_often_again(passing):
    broker = QuietOrm("default")
    passing.statements(broker, 100)
    broker.enqueue("one")

    while not broker.dequeue():
        pass

    assert passing.statements(broker, 1) >= 8


@pytest.fixture
def notified(passing, monkeypatch):
    """As on a connection of its own, on which no notification comes."""
    monkeypatch.setattr(QuietOrm, "_heard_by", "a connection")
    monkeypatch.setattr(QuietOrm, "_listen", lambda broker: None)
    monkeypatch.setattr(QuietOrm, "_wait", lambda broker, seconds: passing.wait(seconds))


@pytest.mark.django_db
def test_where_notifications_arrive_it_asks_every_five_seconds(passing, notified):
    broker = QuietOrm("default")
    passing.statements(broker, 60)

    assert passing.statements(broker, 100) <= 21


@pytest.mark.django_db
def test_task_that_came_without_notification_makes_it_ask_more_often(passing, notified):
    broker = QuietOrm("default")
    passing.statements(broker, 60)
    OrmQ.objects.create(key="default", payload="of an earlier version", lock=database_now())

    while not broker.dequeue():
        pass
    passing.statements(broker, 60)

    assert passing.statements(broker, 100) >= 100


@pytest.mark.django_db
def test_no_call_waits_longer_than_half_a_second(passing):
    broker = QuietOrm("default")
    passing.statements(broker, 100)
    before = passing.now

    broker.dequeue()

    assert passing.now - before <= 0.5


# Notifications -----------------------------------------------------------------------------------


def listening():
    """A broker that asks again only after an hour, or after a notification."""
    broker = QuietOrm("default")
    assert broker.dequeue() is None
    broker.look_at = time.monotonic() + 3600
    return broker


def in_thread(work):
    """Do it in a thread, with a connection of its own."""

    def run():
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def next_task(broker):
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        if taken := broker.dequeue():
            return taken
    return None


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
def test_notification_ends_the_pause():
    broker = listening()

    in_thread(lambda: QuietOrm("default").enqueue("one"))

    [(_, payload)] = next_task(broker)
    assert payload == "one"
    assert broker.is_notified


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
def test_notification_of_another_queue_does_not():
    broker = listening()

    in_thread(lambda: QuietOrm("research").enqueue("a question"))
    with CaptureQueriesContext(connection) as queries:
        broker.dequeue()

    assert len(queries) == 0


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
def test_connection_that_the_server_ended_is_made_anew_and_hears_again():
    broker = listening()
    broker.look_at = 0.0
    process = connection.connection.info.backend_pid
    in_thread(lambda: _run(f"SELECT pg_terminate_backend({process}, 60000)"))

    assert broker.dequeue() is None
    broker.look_at = time.monotonic() + 3600
    in_thread(lambda: QuietOrm("default").enqueue("one"))

    assert next_task(broker)


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
def test_connection_that_ends_during_a_pause_ends_the_pause():
    broker = listening()
    process = connection.connection.info.backend_pid
    in_thread(lambda: QuietOrm("research").enqueue("no notification for us"))
    in_thread(lambda: OrmQ.objects.update(key="default"))

    in_thread(lambda: _run(f"SELECT pg_terminate_backend({process}, 60000)"))

    assert next_task(broker)


def _run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
