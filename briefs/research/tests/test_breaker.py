"""When Mave fails, refuses, or asks to wait: no worker asks it, and no question loses a try."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from briefs.models import MaveCall, MaveHealth, Research, ResearchPolicy
from briefs.research import breaker, pacing
from briefs.research.waiting import Standstill
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_research
from providers.mavera import RateLimit

pytestmark = pytest.mark.django_db


@pytest.fixture
def questions(sandbox):
    """Many questions, each with a brief that waits for it."""
    rows = [make_research() for _ in range(12)]
    for row in rows:
        make_brief(research=row, persona=row.persona)
    return rows


def past(faults, answers):
    """Calls that ended a minute ago."""
    ended = {"finished_at": timezone.now() - timedelta(minutes=1)}
    for _ in range(faults):
        MaveCall.objects.create(outcome="refused", is_fault=True, **ended)
    for _ in range(answers):
        MaveCall.objects.create(outcome="answered", **ended)
    MaveCall.objects.update(started_at=timezone.now() - timedelta(minutes=2))


def pass_time(**span):
    delta = timedelta(**span)
    MaveCall.objects.update(
        started_at=F("started_at") - delta, finished_at=F("finished_at") - delta
    )
    for name in ("held_until", "opened_at", "breaker_until", "closed_at", "probe_at"):
        MaveHealth.objects.update(**{name: F(name) - delta})


def fail(sandbox, fault="500"):
    sandbox.faults.add("mave/chat", fault)
    assert run_next()


@pytest.mark.parametrize(
    ("faults", "answers", "opens"), [(5, 0, True), (2, 3, True), (2, 4, False), (4, 0, False)]
)
def test_breaker_opens_when_half_of_six_calls_failed(questions, sandbox, faults, answers, opens):
    past(faults, answers)

    fail(sandbox)

    assert MaveHealth.current().is_breaker_open is opens
    assert run_next() is not opens


def test_faults_of_longer_ago_do_not_count(questions, sandbox):
    past(5, 0)
    pass_time(minutes=5)

    fail(sandbox)

    assert not MaveHealth.current().is_breaker_open


@pytest.mark.parametrize("fault", ["429", "402"])
def test_what_is_no_fault_of_mave_does_not_open_the_breaker(questions, sandbox, fault):
    past(5, 0)

    fail(sandbox, fault)

    assert not MaveHealth.current().is_breaker_open


def test_open_breaker_says_so_and_when_it_tries_again(questions, sandbox):
    past(5, 0)
    fail(sandbox)

    words = pacing.why_waiting(ResearchPolicy.current())

    at = MaveHealth.current().breaker_until
    assert words == (
        f"Mave fails (Mavera failed) and is tried again at {at:%H:%M} UTC"
        " (Mavera answered 500 (internal_error))"
    )
    assert 30 < (at - timezone.now()).total_seconds() < 61
    assert not pacing.may_begin()


def test_after_its_pause_one_call_at_a_time_may_try(questions, sandbox):
    past(5, 0)
    fail(sandbox)
    pass_time(seconds=61)

    assert pacing.workers_wanted() == 1
    assert pacing.claim_next()
    assert pacing.claim_next() is None
    assert pacing.workers_wanted() == 0


def test_trial_that_succeeds_closes_the_breaker_and_old_faults_are_forgotten(questions, sandbox):
    past(5, 0)
    fail(sandbox)
    pass_time(seconds=61)

    assert run_next()

    assert not MaveHealth.current().is_breaker_open
    fail(sandbox)
    assert not MaveHealth.current().is_breaker_open


def trial_of_a_killed_worker():
    assert pacing.claim_next()
    Research.objects.filter(status="running").update(
        lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_trial_whose_worker_is_killed_makes_way_for_the_next(questions, sandbox):
    past(5, 0)
    fail(sandbox)
    pass_time(seconds=61)
    trial_of_a_killed_worker()

    run_next()  # this looks for the answer
    assert run_next()

    assert not MaveHealth.current().is_breaker_open
    assert MaveCall.objects.chats().filter(outcome="answered").count() == 1


def test_trial_that_gets_a_429_does_not_lengthen_the_pause(questions, sandbox):
    past(5, 0)
    fail(sandbox)
    pass_time(seconds=61)
    fail(sandbox, "429")
    assert MaveHealth.current().is_breaker_open
    assert not run_next()
    pass_time(seconds=2)

    assert run_next()

    assert not MaveHealth.current().is_breaker_open


def test_trial_whose_answer_is_lost_closes_the_breaker_when_it_is_found(questions, sandbox):
    past(5, 0)
    fail(sandbox)
    pass_time(seconds=61)
    fail(sandbox, "paid_then_dropped")
    assert MaveHealth.current().breaker_pause_seconds == 120

    assert run_next()

    assert not MaveHealth.current().is_breaker_open


def test_trial_that_fails_doubles_the_pause_and_uses_up_no_try(questions, sandbox):
    past(5, 0)
    fail(sandbox)
    pauses = []
    for _ in range(6):
        pass_time(seconds=MaveHealth.current().breaker_pause_seconds + 1)
        fail(sandbox)
        pauses.append(MaveHealth.current().breaker_pause_seconds)

    assert pauses == [120, 240, 480, 900, 900, 900]
    tries = sorted(Research.objects.values_list("tries", flat=True))
    assert tries == [0] * 11 + [1]  # the call that opened the breaker


def test_question_that_mave_fails_on_is_not_every_trial(questions, sandbox):
    Research.objects.filter(pk=questions[0].pk).update(priority=5)
    past(5, 0)
    fail(sandbox)  # the most urgent question
    pass_time(seconds=61)

    assert run_next()

    assert not MaveHealth.current().is_breaker_open
    assert Research.objects.get(status="done") != questions[0]


def test_answer_to_a_call_from_before_does_not_close_the_breaker(questions, sandbox):
    early = pacing.claim_next()
    past(5, 0)
    fail(sandbox)

    breaker.answered(early.call)

    assert MaveHealth.current().is_breaker_open


def test_too_many_requests_stop_all_workers_for_a_while(questions, sandbox):
    sandbox.faults.add("mave/chat", "429", retry_after=40)

    run_next()

    assert not run_next()
    held = Standstill().reason()
    assert (held.plainly, held.code) == ("Mavera asked to wait", "429 (rate_limit_exceeded)")
    assert pacing.admit_read(MaveCall.Purpose.USAGE) is None
    pass_time(seconds=41)
    assert run_next()


def test_hold_is_not_shortened_by_a_shorter_one(db):
    MaveHealth.current().hold(40, "long")
    MaveHealth.current().hold(5, "short")

    assert MaveHealth.current().held_reason == "long"


@pytest.mark.parametrize(
    ("remaining", "resets_in", "seconds"), [(9, 20, 2), (0, 30, 30), (5, 0, 0.5), (-1, 10, 10)]
)
def test_few_requests_left_are_spread_over_the_rest_of_the_minute(
    db, remaining, resets_in, seconds
):
    before = MaveHealth.current().now

    breaker.slow_down(RateLimit(remaining, resets_in))

    health, length = MaveHealth.current(), timedelta(seconds=seconds)
    assert before + length <= health.held_until <= health.now + length


@pytest.mark.parametrize("limit", [None, RateLimit(10, 60)])
def test_enough_requests_left_cause_no_hold(db, limit):
    breaker.slow_down(limit)

    assert MaveHealth.current().held_until is None


def test_answers_tell_how_many_requests_are_left(questions, sandbox):
    sandbox.requests_per_minute = 5

    assert run_next()

    assert not run_next()
    assert MaveHealth.current().held_reason == "few requests are left in Mavera's minute"
