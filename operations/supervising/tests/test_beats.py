"""What a cluster's processes tell their supervisor, and that only they get its knock."""

import os

import pytest
from django.utils import timezone
from django.utils.module_loading import import_string
from django_q.brokers import get_broker
from django_q.models import OrmQ
from django_q.signing import SignedPackage

from operations.supervising import beats

ME = os.getpid()
NOBODY = 4_000_000


@pytest.fixture
def beat(monkeypatch):
    """The supervisor's side of the file; this process acts as a worker."""
    beat = beats.Beats()
    monkeypatch.setenv(beats.FILE, str(beat.number))
    beats._idle()
    return beat


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(beats, "KNOCK_AFTER_SECONDS", 0)
    monkeypatch.setattr(beats, "SILENT_SECONDS", 0)


@pytest.mark.usefixtures("impatient")
def test_cluster_whose_idle_worker_takes_nothing_is_silent(beat):
    assert beat.is_silent([ME])


def test_cluster_that_took_a_task_recently_is_not_silent(beat):
    assert not beat.is_silent([ME])


@pytest.mark.usefixtures("impatient")
def test_cluster_all_of_whose_workers_are_busy_is_not_silent(beat):
    beats._begun()

    assert not beat.is_silent([ME])
    assert beat.is_busy([ME])

    beats._done()
    assert beat.is_silent([ME])
    assert not beat.is_busy([ME])


@pytest.mark.usefixtures("impatient")
def test_worker_that_died_is_neither_idle_nor_busy(beat):
    assert not beat.is_silent([])

    beats._begun()
    assert not beat.is_busy([NOBODY])


def test_living_workers_are_counted_whether_idle_or_busy(beat):
    assert beat.workers([ME, NOBODY]) == 1

    beats._begun()
    assert (beat.workers([ME]), beat.workers([NOBODY])) == (1, 0)


def test_new_cluster_begins_without_the_marks_of_the_old_one(beat, impatient):
    beats._begun()
    beat.begin()

    assert not beat.is_busy([ME])
    assert not beats.take_task()


def test_knock_comes_only_after_a_while_without_a_task(beat, monkeypatch):
    beat.knock()
    assert not beats.take_task()

    monkeypatch.setattr(beats, "KNOCK_AFTER_SECONDS", 0)
    beat.knock()

    assert beats.take_task() == beats.KNOCK
    assert not beats.take_task()


@pytest.mark.django_db
@pytest.mark.usefixtures("impatient")
def test_knock_is_a_task_that_only_this_cluster_gets_without_the_broker(beat):
    broker = get_broker("default")
    OrmQ.objects.create(key="default", payload="of everybody", lock=timezone.now())
    beat.knock()

    [(acknowledged_by, package)] = broker.dequeue()
    [(_, next_one)] = broker.dequeue()

    assert SignedPackage.loads(package)["func"] == beats.KNOCK
    assert acknowledged_by is None
    assert next_one == "of everybody"
    assert OrmQ.objects.count() == 1
    assert callable(import_string(beats.KNOCK))


@pytest.mark.django_db
def test_broker_of_a_process_that_nobody_supervises_is_asked_directly(monkeypatch):
    monkeypatch.delenv(beats.FILE, raising=False)

    assert get_broker("default").dequeue() is None
