"""SQS as moto plays it within the process."""

import os
import time

import pytest
from django_q.brokers import get_broker
from django_q.conf import Conf

from config.brokers import broker_settings


@pytest.fixture
def sqs(monkeypatch, settings):
    """The queue of a broker that is made before anybody has asked SQS."""
    from moto import mock_aws  # here, because each worker that collects would take half a second

    url = "sqs://key:secret@eu-west-1"
    monkeypatch.setattr(Conf, "SQS", broker_settings(url, timeout_seconds=1)["sqs"])
    monkeypatch.setattr(Conf, "ORM", None)
    monkeypatch.setattr(Conf, "CACHE", "none")
    settings.QUEUE_PREFIX = "shop"
    with mock_aws():
        yield get_broker("default")


def names(broker):
    return [queue.url.rpartition("/")[2] for queue in broker.sqs.queues.all()]


def test_nobody_is_asked_before_the_first_task(sqs):
    assert sqs.sqs is None


def test_task_is_taken_and_forgotten_once_it_is_acknowledged(sqs):
    sqs.enqueue("a task")

    [(key, task)] = sqs.dequeue()
    assert (task, names(sqs)) == ("a task", ["shop-default"])

    sqs.acknowledge(key)
    sqs.queue.load()
    assert sqs.queue_size() == sqs.lock_size() == 0


def test_length_of_the_queue_is_asked_anew_each_time(sqs):
    assert sqs.queue_size() == 0

    sqs.enqueue("a task")

    assert sqs.queue_size() == 1


def test_queue_that_was_deleted_is_made_anew(sqs):
    sqs.enqueue("a task")
    sqs.delete_queue()
    with pytest.raises(Exception, match="does not exist"):
        sqs.enqueue("another")

    sqs.enqueue("another")

    assert [task for _, task in sqs.dequeue()] == ["another"]


def test_process_that_was_forked_connects_by_itself(sqs, monkeypatch):
    before = sqs.queue
    assert sqs.queue is before

    monkeypatch.setattr(os, "getpid", lambda: 1)

    assert sqs.queue is not before


def test_frozen_sqs_is_not_waited_for(sqs):
    limits = sqs.queue.meta.client.meta.config

    assert limits.connect_timeout < 3
    assert limits.read_timeout < 4
    assert limits.retries["total_max_attempts"] == 1


def test_cluster_looks_on_after_sqs_refused(sqs, monkeypatch):
    monkeypatch.setattr("operations.supervising.brokers.PAUSE_SECONDS", 0)
    sqs.enqueue("a task")
    sqs.delete_queue()

    began = time.monotonic()
    assert sqs.dequeue() is None

    assert time.monotonic() - began < 60
    assert not sqs.dequeue()
    assert names(sqs) == ["shop-default"]
