"""Nothing is done twice or left out, wherever the worker of a job is killed, or frozen and thawed.

A real worker stops at a step. Then, as if its lease had run out, another one finishes the job.
"""

import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.db.models.functions import Now

from briefs.models import Activity, ReprocessingJob
from briefs.reprocessing import ordering
from briefs.reprocessing.selecting import Selection
from briefs.reprocessing.tests.making import finish, make_fitting, make_open
from briefs.research.tests.workers import Workers
from briefs.tests.factories import make_event
from webhooks import replay
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def nobody_works_on_what_is_due(monkeypatch):
    monkeypatch.setattr(replay, "PATIENCE_SECONDS", 0)


@pytest.fixture(scope="module")
def workers():
    workers = Workers()
    yield workers
    workers.close()


def stop(workers, step) -> int:
    pid = workers.start("reprocess", step=step)
    workers.wait_until_at(pid, step)
    return pid


def others_finish(job) -> ReprocessingJob:
    ReprocessingJob.objects.update(lease_until=Now() - timedelta(seconds=1))
    return finish(job)


@pytest.fixture
def events(threaded_db) -> ReprocessingJob:
    for _ in range(5):
        make_event(status="dead")
    return ordering.reprocess(Selection(status=["dead"]), None, is_dry_run=False)


@pytest.fixture
def briefs(threaded_db) -> ReprocessingJob:
    from personas import starter

    starter.load_if_empty()
    for _ in range(5):
        make_open("free")
    make_fitting("free", name="Another")
    return ordering.reapply(None, is_dry_run=False)


def assert_once(job) -> None:
    """Each event was made due once, and each brief changed once."""
    assert (job.state, job.done, job.total) == ("done", 5, 5)
    runs = Counter(len(event.history) for event in WebhookEvent.objects.filter(status="pending"))
    changes = Counter(Activity.objects.values_list("brief", flat=True))
    if job.kind == "events":
        assert runs == {1: 5}
    else:
        assert list(changes.values()) == [1] * 5
        assert job.briefs.count() == 5


@pytest.mark.parametrize("step", ["job claimed", "events due", "batch written"])
def test_events_are_made_due_once_wherever_a_worker_is_killed(events, workers, step):
    workers.kill(stop(workers, step))

    assert_once(others_finish(events))


@pytest.mark.parametrize("step", ["job claimed", "briefs changed", "batch written"])
def test_briefs_are_changed_once_wherever_a_worker_is_killed(briefs, workers, step):
    workers.kill(stop(workers, step))

    assert_once(others_finish(briefs))


def test_worker_that_thaws_after_its_lease_queues_no_event(events, workers):
    assert_thaws_in_vain(events, workers)


def test_worker_that_thaws_after_its_lease_changes_no_brief(briefs, workers):
    assert_thaws_in_vain(briefs, workers)


def assert_thaws_in_vain(job, workers) -> None:
    frozen = stop(workers, "batch written")
    job = others_finish(job)

    workers.send(frozen, signal.SIGCONT)
    workers.result(frozen)

    job.refresh_from_db()
    assert_once(job)
