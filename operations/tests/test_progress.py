"""When the rows say that the workers are stuck."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule

from briefs.models import MaveCall, Research, ResearchPolicy
from briefs.notifying.tests.listener import make_notification
from briefs.pipeline import draining
from briefs.tests.factories import make_brief, make_event, make_research
from operations import sweeping, troubles
from operations.figures import Figures
from operations.supervising.services import queue_trouble, research_trouble
from operations.supervising.watching import NOBODY_SWEEPS
from operations.troubles import Kind
from webhooks.models import LEASE, Bell, WebhookEvent

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _on_schedule(db):
    """Make the sweep due now; the time that the migration set passes while other tests run."""
    Schedule.objects.update(next_run=timezone.now())


def kinds(*wanted):
    return [trouble.kind for trouble in troubles.look(kinds=wanted)]


def is_drain_stuck():
    return bool(kinds(Kind.NOT_TAKEN))


def is_research_stuck():
    return bool(kinds(Kind.NOT_ASKED))


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def moments(fields):
    """The same fields; each number becomes the time so many seconds ago."""
    return {k: ago(v) if isinstance(v, int) and k != "tries" else v for k, v in fields.items()}


def overdue(**fields):
    """An event that was due for two minutes; numbers are seconds ago."""
    return make_event(**moments({"received_at": 120, **fields}))


# The drain ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"available_at": 61, "tries": 1},
        {"lease_until": 61, "tries": 1},
    ],
    ids=["never tried", "due again", "left behind"],
)
def test_drain_is_stuck_when_nobody_takes_what_is_long_due(fields):
    overdue(**fields)

    assert is_drain_stuck()


@pytest.mark.parametrize(
    "fields",
    [
        {"received_at": 30},
        {"available_at": 30},
        {"available_at": -30},
        {"lease_until": 30},
        {"lease_until": -30},
        {"status": "processed"},
        {"status": "dead"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_drain_is_not_stuck_while_nothing_is_long_due(fields):
    overdue(**fields)

    assert not is_drain_stuck()


def test_drain_is_not_stuck_without_events():
    assert not is_drain_stuck()


def test_drain_that_claimed_within_the_minute_is_not_stuck():
    overdue()
    make_event(lease_until=timezone.now() + LEASE - timedelta(seconds=50))

    assert not is_drain_stuck()


def test_drain_that_claimed_longer_ago_is_stuck():
    overdue()
    make_event(lease_until=timezone.now() + LEASE - timedelta(seconds=70))

    assert is_drain_stuck()


def test_drain_that_finished_something_within_the_minute_is_not_stuck():
    overdue()
    ended = make_event(status="processed", finished_at=ago(50))

    assert not is_drain_stuck()
    WebhookEvent.objects.filter(pk=ended.pk).update(finished_at=ago(70))
    assert is_drain_stuck()


def test_drain_is_not_stuck_when_an_old_event_was_just_replayed():
    event = overdue(status="processed", finished_at=90)
    assert event.replay()

    assert not is_drain_stuck()


def test_drain_that_works_gets_unstuck(starter):
    overdue()
    assert is_drain_stuck()

    draining.drain()

    assert not is_drain_stuck()


# The default cluster, also when nothing is due ----------------------------------------------------


def looked(seconds):
    Bell.objects.create(pk=1, silenced_at=ago(seconds))


def schedule(seconds):
    Schedule.objects.filter(name="sweep").delete()
    Schedule.objects.create(
        func="briefs.tasks.sweep",
        cluster="default",
        schedule_type=Schedule.MINUTES,
        minutes=1,
        next_run=ago(seconds),
    )


def test_queue_in_a_fresh_database_is_in_no_trouble():
    Schedule.objects.all().delete()

    assert queue_trouble() == ""


def test_queue_that_leaves_due_events_alone_is_in_trouble():
    overdue()

    assert "none was taken" in queue_trouble()


@pytest.mark.parametrize(("seconds", "words"), [(70, ""), (80, "no worker had looked for work")])
def test_queue_that_nobody_sweeps_is_in_trouble(seconds, words):
    looked(seconds)

    assert words in queue_trouble()
    assert bool(queue_trouble()) is bool(words)


@pytest.mark.parametrize(
    "busy",
    [
        lambda: make_event(lease_until=timezone.now() + LEASE - timedelta(seconds=50)),
        lambda: make_event(status="processed", finished_at=ago(50)),
        lambda: make_notification(status="sending", lease_until=ago(-20)),
    ],
    ids=["long batch", "batches", "message on its way"],
)
def test_queue_that_works_is_in_no_trouble_although_it_did_not_look_for_more(busy):
    looked(80)
    busy()

    assert queue_trouble() == ""


def test_queue_is_not_blamed_for_a_sweep_that_its_supervisor_must_start():
    looked(10)
    schedule(80)

    assert queue_trouble() == ""


def test_sweep_that_was_switched_off_is_not_missed():
    schedule(1000)
    Schedule.objects.update(repeats=0)

    assert queue_trouble() == ""


def test_sweep_ends_every_trouble(starter):
    overdue()
    looked(80)
    assert queue_trouble()

    sweeping.sweep()

    assert queue_trouble() == ""


@pytest.mark.parametrize(("seconds", "expected"), [(170, False), (190, True)])
def test_nobody_sweeps_once_the_last_look_is_three_minutes_ago(seconds, expected):
    looked(seconds)

    assert bool(troubles.choose(Figures(), NOBODY_SWEEPS)) is expected


# Research -----------------------------------------------------------------------------------------


@pytest.fixture
def _connected(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"


def waiting(**fields):
    """A question that was due for two minutes; numbers are seconds ago."""
    return make_brief(research=make_research(**moments({"created_at": 120, **fields}))).research


@pytest.mark.usefixtures("_connected")
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"available_at": 61},
        {"status": "running", "lease_until": 61},
    ],
    ids=["never tried", "due again", "left behind"],
)
def test_research_is_stuck_when_nobody_asks_what_is_long_due(fields):
    waiting(**fields)

    assert is_research_stuck()


@pytest.mark.usefixtures("_connected")
@pytest.mark.parametrize(
    "fields",
    [
        {"created_at": 30},
        {"available_at": 30},
        {"available_at": -30},
        {"status": "running", "lease_until": 30},
        {"status": "running", "lease_until": -30},
        {"status": "done"},
        {"status": "failed"},
    ],
    ids=lambda fields: " ".join(map(str, fields)),
)
def test_research_is_not_stuck_while_nothing_is_long_due(fields):
    waiting(**fields)

    assert not is_research_stuck()


@pytest.mark.usefixtures("_connected")
def test_research_that_asked_within_the_minute_is_not_stuck():
    waiting()
    MaveCall.objects.create()

    assert not is_research_stuck()
    MaveCall.objects.update(started_at=ago(61))
    assert is_research_stuck()


def test_research_that_may_not_ask_is_not_stuck(settings):
    waiting()
    assert not is_research_stuck()  # without a key

    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    policy = ResearchPolicy.current()
    policy.pause("enough")
    assert not is_research_stuck()

    policy.resume()
    ResearchPolicy.objects.update(day_budget=0)
    assert not is_research_stuck()

    ResearchPolicy.objects.update(day_budget=None, concurrency=1)
    make_research(status="running", lease_until=ago(-200))
    assert not is_research_stuck()

    Research.objects.filter(status="running").delete()
    assert is_research_stuck()


@pytest.mark.usefixtures("_connected")
def test_research_is_not_stuck_when_an_old_question_was_just_retried():
    question = waiting(status="failed", finished_at=90)
    assert question.retry()

    assert not is_research_stuck()


@pytest.mark.usefixtures("_connected")
def test_research_is_not_stuck_while_workers_wait_for_mave():
    """Five workers on calls of three minutes; the policy would allow more."""
    ResearchPolicy.current()
    ResearchPolicy.objects.update(concurrency=10)
    waiting()
    for _ in range(5):
        make_research(status="running", lease_until=ago(-60))

    assert research_trouble() == ""

    Research.objects.filter(status="running").update(lease_until=ago(10))  # all gone
    assert "none was asked" in research_trouble()
