"""What a supervisor gives to its own clusters past the broker, and what it leaves alone."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import Schedule

from briefs.finding.words import indexing
from briefs.finding.words.indexing import TASK as INDEX
from briefs.tests.factories import make_brief, make_event, make_research
from operations import scheduling
from operations.supervising import beats
from operations.supervising.bringing import DRAIN, RESEARCH, bring_events, bring_questions
from webhooks.clock import database_now
from webhooks.models import LEASE

pytestmark = pytest.mark.django_db
SWEEP = "briefs.tasks.sweep"


@pytest.fixture
def beat(monkeypatch):
    """The supervisor's side of the file; this process acts as its cluster."""
    beat = beats.Beats()
    monkeypatch.setenv(beats.FILE, str(beat.number))
    return beat


def given():
    """All that the cluster is given until nothing is left."""
    return list(iter(beats.take_task, None))


def sweep_in(seconds):
    Schedule.objects.update(next_run=Now() + timedelta(seconds=seconds))


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


# Events --------------------------------------------------------------------------------------


def test_event_that_nobody_takes_is_given_to_the_cluster(beat):
    sweep_in(60)
    make_event(received_at=ago(5))

    assert bring_events(beat)
    assert given() == [DRAIN]


def test_event_that_just_arrived_is_left_to_the_broker(beat):
    sweep_in(60)
    make_event(received_at=ago(0))

    assert not bring_events(beat)
    assert given() == []


def test_events_that_a_worker_is_just_taking_are_left_to_it(beat):
    sweep_in(60)
    make_event(received_at=ago(5))
    make_event(lease_until=timezone.now() + LEASE)

    assert not bring_events(beat)


def test_task_that_the_cluster_has_not_taken_is_not_given_twice(beat):
    sweep_in(60)
    make_event(received_at=ago(5))

    bring_events(beat)
    bring_events(beat)

    assert given() == [DRAIN]


# Questions -----------------------------------------------------------------------------------


@pytest.fixture
def mavera(settings):
    settings.MAVERA_API_KEY = "key"


def make_question():
    return make_brief(research=make_research(created_at=ago(5)))


def test_questions_are_given_to_as_many_workers_as_may_ask_them(beat, mavera):
    make_question()
    make_question()

    assert bring_questions(beat)
    assert given() == [RESEARCH] * 2


def test_no_worker_is_given_a_question_that_may_not_be_asked(beat, settings):
    settings.MAVERA_API_KEY = ""
    make_question()

    assert not bring_questions(beat)
    assert given() == []


# The sweep -----------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-300, 0, 7200])
def test_sweep_that_is_due_or_was_moved_far_away_by_a_wrong_clock_begins(beat, seconds):
    sweep_in(seconds)

    bring_events(beat)

    assert given() == [SWEEP]


def test_sweep_is_started_by_one_host_and_is_due_again_after_a_minute():
    sweep_in(-1)

    assert [scheduling.claim(), scheduling.claim()] == [True, False]
    assert Schedule.objects.get().next_run > database_now() + timedelta(seconds=60)


def test_sweep_is_judged_by_the_clock_of_the_database_and_not_by_the_hosts(monkeypatch):
    sweep_in(60)
    monkeypatch.setattr(timezone, "now", lambda: pytest.fail("the host's clock was read"))

    assert not scheduling.claim()


def test_sweep_that_was_switched_off_stays_so():
    sweep_in(-1)
    Schedule.objects.update(repeats=0)

    assert not scheduling.claim()


# Documents of the search -----------------------------------------------------------------------


def test_documents_are_written_as_long_as_something_is_marked(beat):
    sweep_in(60)
    make_brief()

    bring_events(beat)
    assert given() == [INDEX]

    indexing.run()
    bring_events(beat)
    assert given() == []
