"""The broker as a cluster's processes see it: it may be away, and they go on."""

import time

import pytest
from django_q.brokers import get_broker
from django_q.signing import SignedPackage

from operations.supervising import beats, brokers

pytestmark = pytest.mark.django_db  # the queue of the settings is in the database


@pytest.fixture
def beat(monkeypatch):
    """The supervisor's side of the file; this process acts as a cluster."""
    beat = beats.Beats()
    monkeypatch.setenv(beats.FILE, str(beat.number))
    return beat


@pytest.fixture
def away(monkeypatch):
    """A broker that refuses whatever it is asked."""

    def refuse(*args):
        raise ConnectionError("redis://:hidden@host is not there")

    monkeypatch.setattr(brokers, "PAUSE_SECONDS", 0)
    broker = get_broker("default")
    kind = type(broker).__mro__[2]
    for name in ("dequeue", "delete"):
        monkeypatch.setattr(kind, name, refuse)
    return broker


def test_cluster_takes_the_tasks_of_its_supervisor_while_the_broker_is_away(away, beat):
    beat.give("briefs.tasks.drain")

    [(_, package)] = away.dequeue()

    assert SignedPackage.loads(package)["func"] == "briefs.tasks.drain"
    assert away.dequeue() is None


def test_broker_that_is_away_is_told_once_and_without_its_address(away, caplog):
    for _ in range(3):
        away.dequeue()

    assert caplog.messages == ["the broker does not answer (ConnectionError)"]


def test_broker_that_is_back_is_told_as_well(away, monkeypatch, caplog):
    away.dequeue()
    monkeypatch.undo()

    away.dequeue()

    assert caplog.messages[-1] == "the broker answers again"


def test_broker_that_is_away_keeps_no_cluster_from_starting(away):
    assert away.ping()


def test_task_that_cannot_be_acknowledged_ends_no_process(away, caplog):
    away.acknowledge(1)

    assert caplog.messages == ["a task is not acknowledged (ConnectionError)"]


def test_guard_that_saves_its_figures_shows_that_it_lives(beat, monkeypatch):
    monkeypatch.setattr(beats, "UNGUARDED_SECONDS", 60)
    beats._write(beat.number, beats._GUARDED, time.monotonic() - 61)
    assert beat.is_unguarded

    get_broker("default").set_stat("key", "value", 3)

    assert not beat.is_unguarded


def test_queue_bears_the_prefix_of_its_installation(settings):
    settings.QUEUE_PREFIX = "shop"

    assert brokers.broker("research").list_key == "shop-research"
