"""Whether another call to Mave may begin: limits, budgets, order, and calls of dead workers."""

import time
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from briefs.models import Brief, MaveCall, MaveHealth, Priority, Research, ResearchPolicy
from briefs.models.research import LEASE
from briefs.research import breaker, settling, sharing, spending, working
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.pacing import (
    Search,
    Ticket,
    admit_read,
    claim_next,
    may_begin,
    slots_free,
    why_waiting,
)
from briefs.tests.factories import (
    make_brief,
    make_persona,
    make_research,
    make_threshold,
    question_for,
)
from providers.mavera import DEADLINE_SECONDS, MaveError, RateLimit
from webhooks.clock import database_now
from webhooks.tests.clock import clock
from webhooks.tests.threads import Aside, at_once

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-11-18T12:00")]


@pytest.fixture(autouse=True)
def _connected(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"


def policy(**fields):
    """The policy with these limits; all others are too high to matter."""
    unlimited = {"day_budget": None, "month_budget": None, "requests_per_minute": 1000}
    ResearchPolicy.objects.update_or_create(pk=1, defaults={**unlimited, **fields})
    return ResearchPolicy.objects.get()


def wanted(**fields):
    """A question that an open brief waits for."""
    asked = make_research(**fields)
    make_brief(research=asked, persona=asked.persona)
    return asked


def abandoned(**fields):
    """A question whose worker died in the middle of a call."""
    asked = wanted(**fields)
    ticket = claim_next()
    Research.objects.filter(pk=asked.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    return ticket


def spend(credits, started_at=None):
    call = MaveCall.objects.create(credits=credits, outcome="answered")
    if started_at:
        MaveCall.objects.update(started_at=started_at)
    return call


# A claim ------------------------------------------------------------------------------------------


def test_claim_leases_the_question_and_enters_the_call_with_its_credits_reserved():
    policy()
    asked = wanted()

    ticket = claim_next()

    asked.refresh_from_db()
    assert (asked.status, asked.tries, asked.lease_token) == ("running", 1, ticket.token)
    assert asked.started_at < asked.lease_until <= asked.started_at + LEASE
    call = asked.calls.get()
    assert call == ticket.call
    assert (call.outcome, call.credits, call.is_repeat) == ("pending", RESERVED_CREDITS, False)


def test_reference_is_of_this_very_call():
    policy()
    first, second = wanted(), wanted()

    references = {claim_next().call.reference for _ in range(2)}

    assert len(references) == 2
    assert {int(reference.split("-")[1]) for reference in references} == {first.pk, second.pk}


def test_nothing_due_is_nothing_claimed():
    policy()
    wanted(available_at=timezone.now() + timedelta(seconds=30))
    wanted(status="done")
    wanted(status="failed")

    assert claim_next() is None
    assert not may_begin()


def test_question_put_off_is_due_again_at_its_time():
    policy()
    wanted(available_at=timezone.now() - timedelta(seconds=1))

    assert claim_next()


def test_most_urgent_question_goes_first_and_the_older_of_two():
    policy()
    low = wanted(priority=Priority.LOW)
    older, newer = wanted(priority=Priority.HIGH), wanted(priority=Priority.HIGH)
    urgent = wanted(priority=Priority.URGENT)

    assert [claim_next().research for _ in range(4)] == [urgent, older, newer, low]


# What holds it back -------------------------------------------------------------------------------


def test_without_a_key_nothing_is_claimed(settings):
    settings.MAVERA_API_KEY = ""
    asked = wanted()

    assert claim_next() is None
    assert (may_begin(), slots_free()) == (False, 0)
    assert why_waiting(policy(), asked.priority).startswith("Mave is not connected")


def test_paused_policy_claims_nothing_and_says_why():
    wanted()
    policy().pause("credits are used up")

    assert claim_next() is None
    assert (may_begin(), slots_free()) == (False, 0)
    assert why_waiting(ResearchPolicy.current()) == "research is paused: credits are used up"


def test_resumed_policy_claims_again():
    wanted()
    policy().pause("credits are used up")

    ResearchPolicy.current().resume()

    assert claim_next()
    assert why_waiting(ResearchPolicy.current()) == ""


def test_second_pause_keeps_the_reason_and_the_time_of_the_first():
    policy().pause("the first")
    paused_at = ResearchPolicy.current().paused_at

    ResearchPolicy.current().pause("the second")

    assert ResearchPolicy.current().paused_reason == "the first"
    assert ResearchPolicy.current().paused_at == paused_at


def test_no_more_calls_at_once_than_allowed():
    policy(concurrency=2)
    for _ in range(3):
        wanted()

    assert slots_free() == 2
    assert all([claim_next(), claim_next()])
    assert claim_next() is None
    assert (may_begin(), slots_free()) == (False, 0)


def test_finished_call_frees_its_place():
    policy(concurrency=1)
    wanted(), wanted()
    ticket = claim_next()

    ticket.research.finish(ticket.token, answer="It is so.")

    assert claim_next()


def test_no_more_requests_in_a_minute_than_allowed():
    policy(requests_per_minute=2)
    wanted()
    spend(10), spend(10)

    assert claim_next() is None
    assert not may_begin()


@pytest.mark.parametrize(("age", "counts"), [(62, True), (68, True), (71, False)])
def test_request_counts_for_a_minute_and_the_time_in_which_it_may_be_sent(age, counts):
    policy(requests_per_minute=1)
    wanted()
    spend(10, timezone.now() - timedelta(seconds=age))

    assert (claim_next() is None) == counts


def over():
    """A moment that is over by any clock: SQLite's has thousandths of a second."""
    return timezone.now() - timedelta(seconds=1)


def test_last_requests_of_maveras_minute_begin_one_at_a_time():
    policy(concurrency=5)
    for _ in range(5):
        wanted()
    breaker.slow_down(RateLimit(2, 60))
    MaveHealth.objects.update(held_until=over())  # the first space is over

    begun = [claim_next() for _ in range(5)]

    assert [ticket is not None for ticket in begun] == [True, False, False, False, False]
    assert 10 < MaveHealth.current().held_seconds <= 20.1  # less what has gone by since


def test_free_requests_are_spaced_too():
    policy()
    breaker.slow_down(RateLimit(2, 60))
    MaveHealth.objects.update(held_until=over())

    assert admit_read(MaveCall.Purpose.THREADS)
    assert admit_read(MaveCall.Purpose.USAGE) is None


def test_next_minute_of_mavera_is_not_spaced():
    policy()
    for _ in range(2):
        wanted()
    breaker.slow_down(RateLimit(2, 60))
    MaveHealth.objects.update(held_until=over(), spaced_until=over())

    assert [claim_next() is not None for _ in range(2)] == [True, True]


def test_lost_call_counts_as_under_way_until_the_first_search():
    policy(concurrency=1)
    wanted(priority=Priority.URGENT), wanted()
    ticket = claim_next()
    ago = timezone.now() - timedelta(seconds=DEADLINE_SECONDS)
    Research.objects.filter(pk=ticket.research.pk).update(started_at=ago)
    error = MaveError("no complete answer within 180 s", is_outcome_unknown=True)

    settling.settle_error(ticket.research, ticket.token, ticket.call, error)

    assert isinstance(claim_next(), Search)
    assert claim_next() is None


# Budgets ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("budget", ["day_budget", "month_budget"])
def test_call_must_fit_into_what_is_left_of_the_budget(budget):
    limits = policy(urgent_reserve=0, **{budget: 100 + RESERVED_CREDITS})
    wanted()
    spend(101)

    assert claim_next() is None
    assert not may_begin()
    assert why_waiting(limits) == "the research budget is used up for now"

    MaveCall.objects.update(credits=100)
    assert claim_next()


def test_reserved_credits_of_calls_under_way_count():
    policy(urgent_reserve=0, day_budget=2 * RESERVED_CREDITS - 1)
    wanted(), wanted()

    assert claim_next()
    assert claim_next() is None


def test_reserve_is_kept_for_urgent_questions():
    make_threshold()
    limits = policy(day_budget=RESERVED_CREDITS + 99, urgent_reserve=100)
    high = wanted(priority=Priority.HIGH)

    assert claim_next() is None
    assert why_waiting(limits, high.priority) == (
        "the research budget is down to its reserve, which is for urgent briefs"
    )
    assert why_waiting(limits, Priority.URGENT) == ""

    urgent = wanted(priority=Priority.URGENT)
    assert claim_next().research == urgent


def test_reserve_is_for_high_questions_as_long_as_nothing_can_be_urgent():
    limits = policy(day_budget=RESERVED_CREDITS + 99, urgent_reserve=100)

    assert why_waiting(limits, Priority.HIGH) == ""
    assert why_waiting(limits, Priority.MEDIUM) == (
        "the research budget is down to its reserve, which is for high briefs"
    )


def test_reserve_larger_than_the_budget_leaves_it_to_urgent_questions():
    make_threshold()
    policy(day_budget=RESERVED_CREDITS, urgent_reserve=1000)
    wanted(priority=Priority.HIGH)
    urgent = wanted(priority=Priority.URGENT)

    assert claim_next().research == urgent
    assert claim_next() is None


def test_budget_of_nothing_buys_nothing():
    policy(day_budget=0, urgent_reserve=0)
    wanted(priority=Priority.URGENT)

    assert claim_next() is None


def test_credits_count_for_their_day_and_month_in_utc():
    clock.set("2028-02-29T23:59")
    MaveCall.objects.create(credits=1)
    clock.set("2028-03-01T00:00")
    MaveCall.objects.create(credits=10)
    assert taken() == [10, 10]

    clock.set("2028-03-02T00:00")
    MaveCall.objects.create(credits=100)

    assert taken() == [100, 110]


def taken():
    """This day's credits and this month's."""
    return [one.taken for one in spending.account(ResearchPolicy.current(), database_now())]


# Calls of dead workers ----------------------------------------------------------------------------


def test_abandoned_question_is_looked_for_before_it_is_paid_again():
    policy()
    lost = abandoned()

    found = claim_next()

    assert isinstance(found, Search)
    assert (found.research, found.call) == (lost.research, lost.call)
    assert found.token != lost.token
    assert (found.research.status, found.research.tries) == ("recovering", 1)
    lost.call.refresh_from_db()
    assert (lost.call.outcome, lost.call.credits) == ("unknown", RESERVED_CREDITS)
    assert lost.call.detail == "the worker was gone before the answer came"
    assert MaveCall.objects.count() == 1


@pytest.mark.parametrize("outcome", ["refused", "not_sent"])
def test_abandoned_question_that_was_certainly_not_paid_is_asked_at_once(outcome):
    policy()
    lost = abandoned()
    lost.call.settle(MaveCall.Outcome(outcome))

    ticket = claim_next()

    assert isinstance(ticket, Ticket)
    assert (ticket.research, ticket.call.is_repeat) == (lost.research, False)


def test_search_for_a_lost_answer_comes_first_and_needs_no_budget():
    policy(concurrency=1, day_budget=RESERVED_CREDITS, urgent_reserve=0)
    lost = abandoned()
    wanted(priority=Priority.URGENT)

    assert claim_next().research == lost.research


@pytest.mark.parametrize(
    ("outcome", "is_repeat"),
    [("unknown", True), ("answered", True), ("refused", False), ("not_sent", False)],
)
def test_call_is_a_repeat_if_an_earlier_one_may_have_been_paid(outcome, is_repeat):
    policy()
    MaveCall.objects.create(research=wanted(), outcome=outcome)

    assert claim_next().call.is_repeat == is_repeat


def test_question_under_way_is_not_claimed_a_second_time():
    policy()
    wanted()

    assert claim_next()
    assert claim_next() is None


def test_call_under_way_elsewhere_is_not_settled():
    policy()
    wanted(), wanted()
    first = claim_next()

    claim_next()

    first.call.refresh_from_db()
    assert first.call.outcome == "pending"


# Research that no brief waits for -----------------------------------------------------------------


def test_question_without_an_open_brief_is_cancelled_and_the_next_is_claimed():
    policy()
    unwanted = wanted(priority=Priority.URGENT)
    Brief.objects.get().close("churned")
    other = wanted()

    assert claim_next().research == other

    unwanted.refresh_from_db()
    assert unwanted.status == "cancelled"
    assert unwanted.status_reason == "no open brief waits for it any more"
    assert not unwanted.calls.exists()


def test_lost_answer_is_looked_for_even_if_no_open_brief_waits_for_it():
    policy()
    lost = abandoned()
    Brief.objects.get().close("churned")

    found = claim_next()
    assert isinstance(found, Search)

    found.research.ask_again(found.token, "not found")
    assert claim_next() is None
    lost.research.refresh_from_db()
    assert lost.research.status == "cancelled"


def test_question_that_one_of_two_briefs_still_waits_for_is_asked():
    policy()
    asked = wanted()
    make_brief(research=asked, persona=asked.persona).close("churned")

    assert claim_next().research == asked


# Many at once -------------------------------------------------------------------------------------


def test_many_claimers_at_once_never_exceed_the_cap(threaded_db):
    policy(concurrency=10)
    for _ in range(30):
        wanted()

    tickets = at_once(24, lambda number: claim_next())

    claimed = [ticket.research.pk for ticket in tickets if ticket]
    assert len(claimed) == len(set(claimed)) == 10
    assert Research.objects.in_flight().count() == MaveCall.objects.count() == 10


def test_many_claimers_at_once_never_exceed_the_budget(threaded_db):
    policy(concurrency=10, day_budget=4 * RESERVED_CREDITS, urgent_reserve=0)
    for _ in range(12):
        wanted()

    tickets = at_once(12, lambda number: claim_next())

    assert sum(ticket is not None for ticket in tickets) == 4


def test_first_claimers_of_all_find_or_make_the_policy(threaded_db):
    for _ in range(12):
        wanted()

    tickets = at_once(12, lambda number: claim_next())

    assert sum(ticket is not None for ticket in tickets) == 5  # as a new policy has it
    assert ResearchPolicy.objects.count() == 1


def test_mave_never_gets_more_calls_at_once_than_allowed(threaded_db, sandbox, monkeypatch):
    pause, end = sandbox._mavera.chat._pause, time.monotonic() + 60

    def overlap(seconds):
        while sandbox.max_in_flight < 3 and time.monotonic() < end:
            pause(0.01)
        pause(0.5)  # for one call too many to come

    monkeypatch.setattr(sandbox._mavera.chat, "_pause", overlap)
    policy(concurrency=3)
    for _ in range(6):
        wanted()

    def work(number):
        while Research.objects.active().exists():
            working.run_next()

    at_once(6, work)

    assert sandbox.max_in_flight == 3
    assert Research.objects.filter(status="done").count() == 6
    assert MaveCall.objects.filter(outcome="answered").count() == 6


needs_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite lets one writer in at a time"
)


@needs_postgres
def test_question_that_a_brief_joins_at_this_moment_is_not_cancelled(threaded_db):
    policy()
    persona = make_persona()
    asked = wanted(persona=persona, question_hash=question_for(persona, "unsubscribed", []).hash)
    Brief.objects.get().close("churned")
    joining = make_brief(persona=persona)

    with transaction.atomic():
        sharing.attach([joining])
        joining.save()
        claim = Aside(claim_next)
        claim.wait_until_blocked()

    assert claim.result.research == joining.research == asked


@needs_postgres
def test_answer_that_arrives_after_all_is_not_paid_for_again(threaded_db):
    policy()
    lost = abandoned()

    with transaction.atomic():
        lost.research.finish(lost.token, answer="It is so.")
        claim = Aside(claim_next)
        claim.wait_until_blocked()

    assert claim.result is None
    assert Research.objects.get().status == "done"
