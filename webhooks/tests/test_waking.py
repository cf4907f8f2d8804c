"""A wake-up costs its sender little, also where the broker does not answer."""

import pytest
from django_q.models import OrmQ

from webhooks import waking

pytestmark = pytest.mark.django_db


@pytest.fixture
def passing(monkeypatch):
    """Time that passes only while a broker is waited for; `passing.frozen` is how long."""

    class Passing:
        now, frozen, asked = 1000.0, 0.0, 0

        def async_task(self, *args, **kw):
            self.asked += 1
            self.now += self.frozen
            raise TimeoutError

    passing = Passing()
    monkeypatch.setattr(waking.time, "monotonic", lambda: passing.now)
    monkeypatch.setattr(waking, "async_task", passing.async_task)
    monkeypatch.setattr(waking, "_paused_until", 0.0)
    return passing


def test_broker_that_is_frozen_is_waited_for_once_in_a_while(passing):
    passing.frozen = 2.5

    assert [waking.wake("a task", "default") for _ in range(3)] == [False] * 3
    assert passing.asked == 1

    passing.now += waking.PAUSE_SECONDS
    waking.wake("a task", "default")
    assert passing.asked == 2


def test_broker_that_refuses_at_once_is_asked_each_time(passing):
    waking.wake("a task", "default")
    waking.wake("a task", "default")

    assert passing.asked == 2


def test_broker_in_the_database_answers():
    assert waking.why_away() == ""


def test_broker_that_fails_is_named_by_its_error_alone(monkeypatch):
    def refuse(cluster):
        raise ConnectionError("redis://:hidden@host")

    monkeypatch.setattr(waking, "queue", refuse)

    assert waking.why_away() == "ConnectionError"


def test_wake_up_is_a_row_of_the_cluster_it_is_for():
    assert waking.wake("a task", "research")

    assert OrmQ.objects.get().key == "research"
