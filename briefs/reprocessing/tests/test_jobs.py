"""Jobs on events: worked slice by slice, told as they go, stopped and gone on with, never twice."""

import uuid
from collections import Counter
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Now
from django_q.models import OrmQ

from briefs.models import Brief, ReprocessingJob, Research, jobs
from briefs.models.jobs import MAX_TRIES
from briefs.pipeline import draining
from briefs.reprocessing import ordering, working
from briefs.reprocessing.selecting import Selection
from briefs.reprocessing.tests.making import finish, make_fitting, reload
from briefs.tests.factories import make_customer, make_event, make_payload
from webhooks import replay as replaying
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db

State = ReprocessingJob.State
DEAD = Selection(status=["dead"])


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(replaying, "CHUNK", 2)
    monkeypatch.setattr(replaying, "PATIENCE_SECONDS", 0)  # nobody works on what is due


@pytest.fixture
def dead():
    """Five events that failed, oldest first."""
    return [make_event(status="dead") for _ in range(5)]


def order(selection=DEAD, actor=None, **kw) -> ReprocessingJob:
    return ordering.reprocess(selection, actor, **{"is_dry_run": False, **kw})


def one_batch(job) -> None:
    """A slice that is over after one batch."""
    working.work(ReprocessingJob.objects.claim(job.pk), seconds=0)


def runs() -> Counter:
    """How many events were made due how often."""
    return Counter(len(event.history) for event in WebhookEvent.objects.all())


def test_job_makes_its_events_due_and_tells_how_many(dead):
    waiting = make_event()

    job = finish(order(Selection(ids=[str(event.pk) for event in [*dead, waiting]])))

    assert job.state == State.DONE
    assert (job.total, job.done, job.percent) == (6, 6, 100)
    assert job.counts == {"queued": 5, "left: it is waiting to be processed already": 1}
    assert job.last_id == waiting.pk
    assert runs() == {1: 5, 0: 1}
    assert job.ended_at


def test_ordering_wakes_a_worker_and_so_does_each_slice(
    dead, django_capture_on_commit_callbacks, monkeypatch
):
    monkeypatch.setattr(working, "SLICE_SECONDS", 0)
    with django_capture_on_commit_callbacks(execute=True):
        order()
    assert OrmQ.objects.filter(key="research").count() == 1

    working.run()

    assert OrmQ.objects.filter(key="research").count() == 2


def test_sweep_wakes_a_worker_for_a_job_whose_wake_up_was_lost(dead):
    order()

    working.sweep()

    assert OrmQ.objects.filter(key="research").count() == 1


def test_workers_are_busy_from_the_first_batch_on(dead):
    one_batch(order())

    assert OrmQ.objects.filter(key="default").count() == 1
    assert WebhookEvent.objects.all().due().count() == 2


def test_job_of_which_a_worker_was_killed_is_taken_up_where_it_was(dead):
    job = order()
    one_batch(job)
    lost = ReprocessingJob.objects.claim(job.pk)
    assert not working.run(), "it has a worker"

    ReprocessingJob.objects.update(lease_until=Now() - timedelta(seconds=1))
    finish(job)
    working.work(lost, seconds=20)  # it was frozen, not killed

    assert runs() == {1: 5}
    assert reload(job).done == 5


def test_batch_of_a_worker_that_lost_its_job_is_rolled_back(dead, monkeypatch):
    job = order()
    claimed = ReprocessingJob.objects.claim(job.pk)
    made_due = working.make_due

    def lose_it(keys):
        ReprocessingJob.objects.filter(pk=job.pk).update(lease_token=None)
        return made_due(keys)

    monkeypatch.setattr(working, "make_due", lose_it)
    working.work(claimed, seconds=20)

    assert runs() == {0: 5}
    assert reload(job).done == 0


@pytest.mark.parametrize("rival", ["pauses it", "takes it"])
def test_worker_takes_no_job_that_somebody_was_faster_with(dead, monkeypatch, rival):
    job, token = order(), uuid.uuid4()

    def meanwhile():  # between the worker's look at the job and its lease
        monkeypatch.setattr(jobs.uuid, "uuid4", lambda: token)
        assert job.pause() if rival == "pauses it" else ReprocessingJob.objects.claim(job.pk)
        return uuid.UUID(int=0)

    monkeypatch.setattr(jobs.uuid, "uuid4", meanwhile)

    assert ReprocessingJob.objects.claim(job.pk) is None
    assert reload(job).lease_token == (None if rival == "pauses it" else token)


def test_job_that_was_paused_under_a_worker_is_due_as_soon_as_it_may_go_on(dead):
    job = order()
    frozen = ReprocessingJob.objects.claim(job.pk)
    assert job.pause()
    assert ordering.resume(job)

    assert finish(job).state == State.DONE
    working.work(frozen, seconds=20)

    assert runs() == {1: 5}


def test_batch_that_is_done_renews_the_lease_and_the_tries(dead):
    job = order()
    ReprocessingJob.objects.update(tries=MAX_TRIES - 1)
    claimed = ReprocessingJob.objects.claim(job.pk)
    ReprocessingJob.objects.update(lease_until=Now())

    assert claimed.advance(2, dead[1].pk, {"queued": 2})

    assert claimed.tries == 0
    assert not ReprocessingJob.objects.due().exists()


def test_paused_job_rests_until_it_is_let_go_on(dead):
    job = order()
    one_batch(job)

    assert job.pause()
    assert not working.run()
    assert ordering.resume(job)

    assert finish(job).state == State.DONE
    assert runs() == {1: 5}


def test_cancelled_job_ends_and_what_it_did_stays(dead):
    job = order()
    one_batch(job)

    assert job.cancel()

    assert not working.run()
    assert (job.state, job.done) == (State.CANCELLED, 2)
    assert runs() == {1: 2, 0: 3}
    assert not job.pause()
    assert not job.resume()


def test_job_that_comes_no_further_fails_with_the_reason(dead, monkeypatch, caplog):
    def fail(keys):
        raise ValueError("somebody@example.com")

    monkeypatch.setattr(working, "make_due", fail)
    job = finish(order())

    assert job.state == State.FAILED
    assert job.reason == "after 0: ValueError"
    assert job.tries == MAX_TRIES + 1
    assert "example.com" not in caplog.text


def test_limit_and_after_id_name_the_first_ones_above_an_id(dead):
    job = finish(order(Selection(status=["dead"], limit=3, after_id=dead[0].pk)))

    assert (job.total, job.done) == (3, 3)
    due = WebhookEvent.objects.filter(status="pending").order_by("pk")
    assert list(due) == dead[1:4]


def test_events_that_arrive_later_are_left_out(dead):
    job = order()
    one_batch(job)
    later = make_event(status="dead")

    assert finish(job).done == 5
    assert reload(later).status == "dead"


@pytest.mark.usefixtures("starter")
def test_dry_run_tells_what_would_change_and_what_it_would_cost_and_changes_nothing():
    customers = [make_customer(attributes={"plan": "enterprise"}) for _ in range(3)]
    for customer in customers:
        make_event(make_payload(data={"identifiers": {"cio_id": customer.cio_id}}))
    draining.drain()
    before = list(Brief.objects.order_by("pk").values())
    make_fitting("enterprise", name="Another")
    questions = Research.objects.count()

    job = finish(order(Selection(status=["processed", "ignored"]), is_dry_run=True))

    assert job.state == State.DONE
    assert job.counts == {"Unsubscribed → Unsubscribed, gives brief another persona": 3}
    assert "another persona" in job.found["examples"][0]
    assert job.questions == 1
    assert ordering.credits_in_words(job.questions) == "1 new question to Mave: 10 to 75 credits"
    assert list(Brief.objects.order_by("pk").values()) == before
    assert Research.objects.count() == questions
    assert runs() == {0: 3}


def test_dry_run_without_rules_fails_in_words(dead):
    job = finish(order(is_dry_run=True))

    assert (job.state, job.tries) == (State.FAILED, 1)
    assert job.reason.startswith("no personas yet")


@pytest.mark.usefixtures("starter")
def test_dry_run_is_done_for_real_by_whoever_may(dead, lead, user):
    look = finish(order(actor=lead, is_dry_run=True))
    assert runs() == {0: 5}

    with pytest.raises(PermissionDenied):
        ordering.repeat_for_real(look, user)
    finish(ordering.repeat_for_real(look, lead))

    assert runs() == {1: 5}


def test_without_a_selector_nothing_is_ordered():
    with pytest.raises(ValueError, match="Say which"):
        order(Selection(limit=5))


def test_job_that_ended_a_month_ago_is_deleted(dead):
    job = finish(order())
    ReprocessingJob.objects.update(ended_at=Now() - timedelta(days=31))

    working.sweep()

    assert not ReprocessingJob.objects.filter(pk=job.pk).exists()
