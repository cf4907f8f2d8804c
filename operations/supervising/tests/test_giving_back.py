"""Which processes of a cluster keep their connections between two tasks."""

import pytest
from django.db import connection
from django_q.signals import post_execute, post_execute_in_worker

from operations.supervising import giving_back

SIGNALS = (post_execute_in_worker, post_execute)


@pytest.fixture
def connect(monkeypatch):
    """Connect as a process of this cluster does."""

    def connect(cluster):
        monkeypatch.setenv("Q_CLUSTER_NAME", cluster)
        giving_back.connect()

    yield connect
    for signal in SIGNALS:
        signal.disconnect(dispatch_uid="giving back")


@pytest.fixture
def is_open(threaded_db):
    """Whether this process has its connection, after it had one."""
    connection.ensure_connection()
    return lambda: connection.connection is not None


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signal", SIGNALS)
def test_process_of_the_research_cluster_gives_its_connection_back_after_a_task(
    connect, is_open, signal
):
    connect("research")

    signal.send(sender="django_q", func=None, task={})

    assert not is_open()


@pytest.mark.on_postgresql
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("signal", SIGNALS)
def test_process_of_the_other_cluster_keeps_it(connect, is_open, signal):
    connect("default")

    signal.send(sender="django_q", func=None, task={})

    assert is_open()
