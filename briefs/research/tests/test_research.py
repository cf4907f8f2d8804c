"""Research from the first brief that asks to the answer that all its briefs rest on."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import OrmQ

from briefs.models import Brief, MaveCall, MaveHealth, Priority, Research, ResearchPolicy
from briefs.models.research import MAX_TRIES
from briefs.research import settling, sharing, working
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.pacing import claim_next
from briefs.research.sharing import attach, hurry, upgrade_briefs
from briefs.research.working import run_next, wake
from briefs.tests.factories import make_brief, make_persona, make_research, question_for
from providers import mavera
from webhooks import waking
from webhooks.tests.threads import Aside

pytestmark = pytest.mark.django_db
needs_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)


@pytest.fixture
def persona():
    return make_persona()


def asked(persona, **fields):
    """Research on the question that a brief of this persona asks."""
    question = question_for(persona, "unsubscribed", [])
    return make_research(
        persona=persona, question=question.text, question_hash=question.hash, **fields
    )


def attached(*briefs):
    with transaction.atomic():
        new = attach(list(briefs))
        for brief in briefs:
            brief.save()
    for brief in briefs:
        brief.refresh_from_db()
    return new


def reload(row):
    row.refresh_from_db()
    return row


# Attach -------------------------------------------------------------------------------------------


def test_first_brief_with_a_question_opens_its_research(persona):
    brief = make_brief(persona=persona, question_facts=["plan is pro"], priority=Priority.HIGH)

    assert attached(brief) == 1

    row = Research.objects.get()
    assert brief.research == row
    assert (brief.basis, brief.is_sharing, brief.researched_at) == ("playbook", False, None)
    assert (row.status, row.priority, row.persona, row.kind) == (
        "queued",
        Priority.HIGH,
        persona,
        "unsubscribed",
    )
    assert "plan is pro" in row.question
    assert row.question_hash == question_for(persona, "unsubscribed", ["plan is pro"]).hash


def test_other_facts_are_another_question(persona):
    briefs = [make_brief(persona=persona, question_facts=[fact]) for fact in ("a is b", "a is c")]

    assert attached(*briefs) == 2
    assert Research.objects.count() == 2


@pytest.mark.parametrize("status", ["queued", "running", "recovering"])
def test_brief_joins_research_that_is_under_way(persona, status):
    under_way = asked(persona, status=status)
    brief = make_brief(persona=persona)

    assert attached(brief) == 0
    assert brief.research == under_way
    assert (brief.basis, brief.is_sharing) == ("playbook", True)


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_research_that_ended_without_an_answer_is_not_joined(persona, status):
    asked(persona, status=status, finished_at=timezone.now())
    brief = make_brief(persona=persona)

    assert attached(brief) == 1
    assert brief.research.status == "queued"


def test_fresh_answer_is_shared_at_once(persona):
    hours = timedelta(hours=persona.reuse_hours - 1)
    answered = asked(persona, status="done", finished_at=timezone.now() - hours)
    brief = make_brief(persona=persona)

    assert attached(brief) == 0
    assert brief.research == answered
    assert (brief.basis, brief.is_sharing) == ("shared", True)
    assert brief.researched_at


def test_newest_of_several_answers_is_shared(persona):
    for hours in (3, 1, 2):
        asked(persona, status="done", finished_at=timezone.now() - timedelta(hours=hours))
    brief = make_brief(persona=persona)

    attached(brief)

    assert timezone.now() - brief.research.finished_at < timedelta(hours=1.5)


def test_answer_older_than_its_persona_allows_is_asked_for_again(persona):
    hours = timedelta(hours=persona.reuse_hours, seconds=1)
    old = asked(persona, status="done", finished_at=timezone.now() - hours)
    brief = make_brief(persona=persona)

    assert attached(brief) == 1
    assert brief.research != old


def test_of_two_briefs_in_one_batch_the_first_is_new_and_the_other_shares(persona, sandbox):
    first, second = make_brief(persona=persona), make_brief(persona=persona)

    assert attached(first, second) == 1
    assert run_next()

    assert first.research == second.research
    assert [reload(first).basis, reload(second).basis] == ["new", "shared"]


def test_most_urgent_of_a_batch_sets_the_priority(persona):
    briefs = [make_brief(persona=persona, priority=p) for p in (Priority.LOW, Priority.HIGH)]

    attached(*briefs)

    assert Research.objects.get().priority == Priority.HIGH


@pytest.mark.parametrize(
    ("joining", "left"), [(Priority.URGENT, Priority.URGENT), (Priority.LOW, Priority.MEDIUM)]
)
def test_urgent_brief_raises_the_priority_of_what_it_joins(persona, joining, left):
    under_way = asked(persona, priority=Priority.MEDIUM)

    attached(make_brief(persona=persona, priority=joining))

    assert reload(under_way).priority == left


@pytest.mark.parametrize("fields", [{"opens_brief": False}, {"is_unknown": True}])
def test_persona_that_opens_no_brief_or_is_unknown_buys_nothing(fields):
    brief = make_brief(persona=make_persona(**fields))

    assert attached(brief) == 0
    assert brief.research is None
    assert not Research.objects.exists()


def test_question_is_under_way_once_at_most(persona):
    asked(persona, status="running")

    with pytest.raises(IntegrityError), transaction.atomic():
        asked(persona)

    asked(persona, status="done")


@needs_postgres
def test_brief_that_joins_while_the_answer_arrives_is_upgraded(threaded_db, settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    persona = make_persona()
    attached(make_brief(persona=persona))
    ticket = claim_next()
    joining = make_brief(persona=persona)

    with transaction.atomic():
        attach([joining])
        joining.save()
        answer = Aside(lambda: saved(ticket, ANSWER))
        answer.wait_until_blocked()

    assert answer.result
    assert reload(joining).basis == "shared"


@needs_postgres
def test_two_drains_that_ask_the_same_at_once_ask_once(threaded_db):
    persona = make_persona()
    first, second = make_brief(persona=persona), make_brief(persona=persona)

    with transaction.atomic():
        attach([first])
        other = Aside(lambda: attached(second))
        other.wait_until_blocked()
        first.save()

    assert other.result is not None
    assert reload(first).research == reload(second).research == Research.objects.get()


def test_answer_that_arrives_between_two_looks_is_shared_and_not_asked_for_again(
    persona, monkeypatch
):
    under_way = asked(persona, status="running")
    brief = make_brief(persona=persona)
    look = sharing._under_way

    def arrive_first(hashes):
        Research.objects.update(status="done", finished_at=timezone.now(), answer="So.")
        return look(hashes)

    monkeypatch.setattr(sharing, "_under_way", arrive_first)

    assert attached(brief) == 0
    assert (brief.research, brief.basis) == (under_way, "shared")


# Answers ------------------------------------------------------------------------------------------


@pytest.fixture
def ticket(persona, sandbox):
    """Permission to ask the question of two briefs."""
    attached(make_brief(persona=persona), make_brief(persona=persona))
    return claim_next()


def saved(ticket, answer):
    return settling.save(ticket.research, ticket.token, ticket.call, answer)


def lose(ticket):
    """Let the lease run out and another worker look for the answer."""
    Research.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    return claim_next()


ANSWER = mavera.Answer(
    content="## First 24 hours\n\nCall.",
    sources=[{"title": "A study", "url": "https://example.com/a", "domain": "", "snippet": ""}],
    personas_used=["Researcher"],
    validation={"confidence_score": 0.9},
    thread_id="mave_thread_1",
    credits=23,
    raw={"content": "## First 24 hours\n\nCall.", "surplus": 1},
)


def test_answer_is_kept_in_full_and_upgrades_its_briefs(ticket):
    assert saved(ticket, ANSWER)

    row = Research.objects.get()
    assert (row.status, row.answer, row.thread_id) == ("done", ANSWER.content, "mave_thread_1")
    assert (row.sources, row.raw_reply) == (ANSWER.sources, ANSWER.raw)
    assert (row.credits, row.confidence, row.personas_used) == (23, 90, ["Researcher"])
    assert (row.lease_token, row.lease_until) == (None, None)
    assert row.finished_at
    assert {brief.basis for brief in Brief.objects.all()} == {"new", "shared"}
    call = row.calls.get()
    assert (call.outcome, call.credits, call.http_status) == ("answered", 23, 200)
    assert call.finished_at


def test_answer_without_a_figure_costs_what_was_reserved(ticket):
    saved(ticket, mavera.Answer("So.", [], [], {}, "", None, {}))

    row = Research.objects.get()
    assert row.credits == row.calls.get().credits == RESERVED_CREDITS


def test_answer_that_costs_nothing_is_entered_as_such(ticket):
    saved(ticket, mavera.Answer("So.", [], [], {}, "", 0, {}))

    assert Research.objects.get().credits == MaveCall.objects.get().credits == 0


def test_closed_brief_is_upgraded_too(ticket):
    brief = Brief.objects.first()
    brief.close("churned")

    saved(ticket, ANSWER)

    assert reload(brief).basis == "new"


def test_late_answer_is_kept_and_the_worker_that_searches_writes_nothing(ticket):
    other = lose(ticket)

    assert saved(ticket, ANSWER)

    row = Research.objects.get()
    assert (row.status, row.answer, row.lease_token) == ("done", ANSWER.content, None)
    assert not row.ask_again(other.token, "it is in none of Mave's threads")
    assert {brief.basis for brief in Brief.objects.all()} == {"new", "shared"}
    assert (reload(ticket.call).outcome, ticket.call.credits) == ("answered", 23)


def test_late_answer_is_charged_but_not_saved_while_another_worker_asks_again(ticket):
    other = lose(ticket)
    Research.objects.update(status="running")

    assert not saved(ticket, ANSWER)

    row = Research.objects.get()
    assert (row.status, row.answer, row.lease_token) == ("running", "", other.token)
    assert (reload(ticket.call).outcome, ticket.call.credits) == ("answered", 23)


@pytest.mark.parametrize("status", ["queued", "recovering", "failed", "cancelled"])
def test_late_answer_to_a_question_that_no_worker_has_is_kept(ticket, status):
    Research.objects.update(status=status, lease_token=None, lease_until=None)

    assert saved(ticket, ANSWER)

    assert (Research.objects.get().status, Research.objects.get().answer) == (
        "done",
        ANSWER.content,
    )
    assert {brief.basis for brief in Brief.objects.all()} == {"new", "shared"}


def test_late_answer_to_an_answered_question_changes_nothing(ticket):
    Research.objects.update(status="done", answer="Earlier.", lease_token=None)

    assert not saved(ticket, ANSWER)

    assert Research.objects.get().answer == "Earlier."


def test_worker_that_lost_its_lease_does_not_ask(ticket, sandbox):
    other = lose(ticket)

    working._ask(ticket)

    assert not sandbox.requests
    assert Research.objects.get().lease_token == other.token
    assert (reload(ticket.call).outcome, ticket.call.credits) == ("not_sent", 0)


def test_worker_whose_lease_has_run_out_does_not_ask_and_is_not_charged(ticket, sandbox):
    Research.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    working._ask(ticket)

    assert not sandbox.requests
    call = reload(ticket.call)
    assert (call.outcome, call.credits) == ("not_sent", 0)
    assert call.detail == "the call was not made in time after its claim"


def test_worker_that_was_frozen_before_the_call_asks_no_more_and_uses_no_try(ticket, sandbox):
    MaveCall.objects.update(started_at=timezone.now() - timedelta(seconds=6))

    working._ask(ticket)

    assert not sandbox.requests
    row = Research.objects.get()
    assert (row.status, row.tries, row.available_at is not None) == ("queued", 0, True)
    assert reload(ticket.call).outcome == "not_sent"


def test_question_is_sent_with_its_reference_which_is_not_part_of_the_hash(ticket, sandbox):
    working._ask(ticket)

    row = Research.objects.get()
    message = sandbox.requests[0].body
    assert f"Reference: {ticket.call.reference}" in message
    assert "Reference" not in row.question


def test_briefs_whose_worker_died_before_upgrading_them_are_upgraded_by_the_sweep(ticket):
    Research.objects.update(status="done", answer="So.", finished_at=timezone.now())

    sharing.upgrade_briefs()

    assert {brief.basis for brief in Brief.objects.all()} == {"new", "shared"}


def test_interrupted_call_stays_open_until_its_lease_runs_out(ticket, monkeypatch):
    def interrupted(client, message):
        raise SystemExit(1)

    monkeypatch.setattr(mavera.Mave, "chat", interrupted)

    with pytest.raises(SystemExit):
        working._ask(ticket)

    assert reload(ticket.call).outcome == "pending"
    assert Research.objects.get().status == "running"


# Faults -------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(persona, sandbox):
    attached(make_brief(persona=persona))
    return Research.objects.get()


def due_in(row):
    return (row.available_at - timezone.now()).total_seconds()


@pytest.mark.parametrize(("tries", "minutes"), [(1, 1), (2, 5), (5, 180), (7, 840)])
def test_passing_fault_puts_the_question_off_for_longer_each_time(waiting, sandbox, tries, minutes):
    Research.objects.update(tries=tries - 1)
    sandbox.faults.add("mave/chat", "500")

    assert run_next()

    reload(waiting)
    assert (waiting.status, waiting.tries) == ("queued", tries)
    assert (waiting.status_reason, waiting.mavera_code) == ("Mavera failed", "500 (internal_error)")
    assert minutes * 60 - 5 < due_in(waiting) < minutes * 60 * 1.2 + 5
    assert (waiting.lease_token, waiting.lease_until) == (None, None)
    call = waiting.calls.get()
    assert (call.outcome, call.credits, call.http_status) == ("refused", 0, 500)
    assert call.detail == waiting.reason_in_full
    assert call.detail == "Mavera failed (Mavera answered 500 (internal_error))"


def test_last_try_leaves_the_question_failed(waiting, sandbox):
    Research.objects.update(tries=MAX_TRIES - 1)
    sandbox.faults.add("mave/chat", "503")

    run_next()

    assert reload(waiting).status == "failed"
    assert waiting.status_reason == "Mavera failed (try 8, the last)"
    assert waiting.mavera_code == "503 (service_unavailable)"
    assert waiting.finished_at
    assert not run_next()


@pytest.mark.parametrize(("retry_after", "seconds"), [(7, 60), (600, 600)])
def test_named_waiting_time_is_kept_where_it_is_the_longer_one(
    waiting, settings, retry_after, seconds
):
    ticket = claim_next()

    ticket.research.try_again(ticket.token, "trouble", retry_after)

    assert seconds - 5 < due_in(reload(waiting)) < seconds * 1.2 + 5


@pytest.mark.parametrize(("retry_after", "seconds"), [(7, 7), (None, 30)])
def test_too_many_requests_uses_no_try(waiting, sandbox, retry_after, seconds):
    sandbox.faults.add("mave/chat", "429", retry_after=retry_after)

    run_next()

    assert (reload(waiting).status, waiting.tries) == ("queued", 0)
    assert due_in(waiting) == pytest.approx(seconds, abs=5)
    assert waiting.calls.get().credits == 0


@pytest.mark.parametrize(
    ("fault", "words"), [("401", "refuses the API key"), ("402", "credits are used up")]
)
def test_fault_of_the_account_pauses_all_research_and_uses_no_try(waiting, sandbox, fault, words):
    sandbox.faults.add("mave/chat", fault)

    run_next()

    policy = ResearchPolicy.current()
    assert policy.paused_at
    assert words in policy.paused_reason
    assert (reload(waiting).status, waiting.tries) == ("queued", 0)
    assert not run_next()

    policy.resume()
    assert run_next()
    assert reload(waiting).status == "done"


def test_question_that_mavera_cannot_take_fails_at_once(waiting, sandbox):
    sandbox.max_message_chars = 10

    run_next()

    assert reload(waiting).status == "failed"
    assert waiting.status_reason == "Mavera refused the request"
    assert (waiting.mavera_code, waiting.tries) == ("400 (invalid_field)", 1)


def test_the_next_state_drops_the_codes_of_the_one_before(waiting, sandbox):
    Research.objects.update(mavera_code="503", reason_code="asked_back")

    run_next()

    assert reload(waiting).status == "done"
    assert (waiting.mavera_code, waiting.reason_code) == (None, None)


def test_a_question_started_again_by_hand_drops_its_codes(waiting):
    Research.objects.update(status="failed", mavera_code="503", reason_code="asked_back")

    assert reload(waiting).retry()

    assert (reload(waiting).mavera_code, waiting.reason_code) == (None, None)


def test_unreachable_mavera_is_not_charged(waiting, settings):
    settings.MAVERA_BASE_URL = "http://127.0.0.1:9"

    run_next()

    call = waiting.calls.get()
    assert (call.outcome, call.credits) == ("not_sent", 0)
    assert reload(waiting).tries == 1


# Arrows -------------------------------------------------------------------------------------------

LEAVING = {
    "finish": lambda row, token: row.finish(token, answer="So."),
    "try_again": lambda row, token: row.try_again(token, "trouble"),
    "give_back": lambda row, token: row.give_back(token, "trouble"),
    "lose": lambda row, token: row.lose(token, "trouble"),
    "ask_again": lambda row, token: row.ask_again(token, "trouble"),
    "fail": lambda row, token: row.fail(token, "trouble"),
}
LEADS_TO = {
    "finish": "done",
    "try_again": "queued",
    "give_back": "queued",
    "lose": "recovering",
    "ask_again": "queued",
    "fail": "failed",
}


@pytest.mark.parametrize("arrow", LEAVING)
def test_running_question_leaves_by_every_arrow_once(ticket, arrow):
    row = ticket.research

    assert LEAVING[arrow](row, ticket.token)
    assert (row.status, row.lease_token, row.lease_until) == (LEADS_TO[arrow], None, None)
    assert not LEAVING[arrow](row, ticket.token)


@pytest.mark.parametrize("arrow", LEAVING)
def test_no_arrow_moves_a_question_that_another_worker_has(ticket, arrow):
    other = lose(ticket)

    assert not LEAVING[arrow](ticket.research, ticket.token)
    assert (ticket.research.status, ticket.research.lease_token) == ("recovering", other.token)
    assert ticket.research.tries == 1


@pytest.mark.parametrize("arrow", LEAVING)
def test_late_worker_may_still_write_while_no_other_worker_has_the_question(ticket, arrow):
    Research.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert not ticket.research.still_held(ticket.token)
    assert LEAVING[arrow](ticket.research, ticket.token)


def test_queued_question_can_be_cancelled_and_a_running_one_cannot(ticket, persona):
    running, queued = ticket.research, make_research()

    running.cancel("nobody waits")
    queued.cancel("nobody waits")

    assert reload(running).status == "running"
    assert (reload(queued).status, queued.status_reason) == ("cancelled", "nobody waits")
    assert queued.finished_at


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_ended_question_can_be_asked_again_by_hand(status):
    row = make_research(status=status, tries=8, finished_at=timezone.now())

    assert row.retry()

    assert (reload(row).status, row.tries, row.finished_at) == ("queued", 0, None)
    assert row.status_reason == "started again by hand"
    assert Research.objects.due().get() == row


@pytest.mark.parametrize("status", ["queued", "running", "recovering", "done"])
def test_question_that_is_under_way_or_answered_is_not_retried(status):
    row = make_research(status=status, tries=3)

    assert not row.retry()
    assert (reload(row).status, row.tries) == (status, 3)


def test_question_that_is_under_way_in_another_row_is_not_retried(persona):
    failed = asked(persona, status="failed")
    asked(persona)

    assert not failed.retry()
    assert reload(failed).status == "failed"


def test_more_urgent_brief_makes_what_it_waits_for_more_urgent(persona):
    research, renewal = asked(persona, priority=3), make_research(priority=3)
    brief = make_brief(persona=persona, research=research, renewal=renewal, priority=4)

    hurry([brief])

    assert (reload(research).priority, reload(renewal).priority) == (4, 4)


def test_answer_that_was_saved_before_its_worker_died_reaches_those_that_had_failed(persona):
    failed = asked(persona, status="failed", finished_at=timezone.now() - timedelta(hours=1))
    brief = make_brief(persona=persona, research=failed)
    asked(persona, status="done", answer="It is so.", finished_at=timezone.now())

    upgrade_briefs()

    assert (reload(brief).basis, brief.research.status) == ("shared", "done")


def test_answer_from_before_a_failure_does_not_upgrade_its_briefs(persona):
    asked(
        persona, status="done", answer="It was so.", finished_at=timezone.now() - timedelta(days=9)
    )
    failed = asked(persona, status="failed", finished_at=timezone.now())
    brief = make_brief(persona=persona, research=failed)

    upgrade_briefs()

    assert reload(brief).research == failed


@needs_postgres
def test_drain_that_was_stopped_opens_no_question_that_was_answered_meanwhile(
    threaded_db, settings, monkeypatch
):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"
    persona = make_persona()
    first, second = make_brief(persona=persona), make_brief(persona=persona)
    look, others = sharing._given_up, []

    def stand_still(*args):
        found = look(*args)
        if not others:
            others.append(Aside(lambda: attached(first) and saved(claim_next(), ANSWER)))
            assert others[0].result
        return found

    monkeypatch.setattr(sharing, "_given_up", stand_still)

    attached(second)

    assert Research.objects.get().status == "done"
    assert reload(second).basis == "shared"


def test_question_that_another_person_retried_meanwhile_is_not_retried_again():
    row = make_research(status="failed")
    Research.objects.get().retry()
    Research.objects.update(status="done")

    assert not row.retry()
    assert reload(row).status == "done"


@needs_postgres
def test_question_that_a_brief_asks_anew_at_this_moment_is_not_retried(threaded_db):
    persona = make_persona()
    failed = asked(persona, status="failed")

    with transaction.atomic():
        asked(persona)
        retry = Aside(failed.retry)
        retry.wait_until_blocked()

    assert retry.result is False
    assert reload(failed).status == "failed"


@pytest.mark.parametrize("outcome", ["refused", "not_sent"])
def test_call_that_was_refused_or_never_sent_costs_nothing(outcome):
    call = MaveCall.objects.create(credits=RESERVED_CREDITS)

    call.settle(MaveCall.Outcome(outcome))

    assert reload(call).credits == 0


def test_settled_call_is_not_settled_again():
    call = MaveCall.objects.create(credits=RESERVED_CREDITS)
    call.settle(MaveCall.Outcome.ANSWERED, credits=20)

    call.settle(MaveCall.Outcome.UNKNOWN)

    assert (reload(call).outcome, call.credits) == ("answered", 20)


# Waking -------------------------------------------------------------------------------------------


@pytest.fixture
def _connected(settings):
    settings.MAVERA_API_KEY = "mvra_live_of_the_tests"


@pytest.mark.usefixtures("_connected")
@pytest.mark.parametrize(
    ("due", "concurrency", "woken"), [(0, 5, 0), (2, 5, 2), (8, 3, 3), (9, 10, 5)]
)
def test_as_many_workers_are_woken_as_have_something_to_do(due, concurrency, woken):
    ResearchPolicy.objects.create(pk=1, concurrency=concurrency)
    for _ in range(due):
        make_research()

    assert wake() == woken  # there are five workers
    assert OrmQ.objects.filter(key="research").count() == woken


@pytest.mark.usefixtures("_connected")
def test_calls_under_way_leave_fewer_to_wake():
    ResearchPolicy.objects.create(pk=1, concurrency=2)
    make_research(status="running", lease_until=timezone.now() + timedelta(minutes=1))
    make_research(), make_research()

    assert wake() == 1


@pytest.mark.usefixtures("_connected")
def test_wake_up_that_nobody_has_taken_yet_is_not_repeated():
    make_research(), make_research()
    wake()
    get_broker("research").dequeue()

    assert wake() == 1
    assert OrmQ.objects.filter(key="research").count() == 3


@pytest.mark.usefixtures("_connected")
def test_paused_research_wakes_no_worker():
    make_research()
    ResearchPolicy.current().pause("enough")

    assert wake() == 0


def test_finished_call_wakes_the_next(persona, sandbox):
    attached(make_brief(persona=persona), make_brief(persona=persona, question_facts=["a is b"]))

    run_next()

    assert OrmQ.objects.filter(key="research").count() == 1


@pytest.mark.usefixtures("_connected")
def test_waking_through_a_dead_broker_raises_nothing(monkeypatch, caplog):
    def refuse(*args, **kwargs):
        raise ConnectionError("redis://:secret@host is away")

    monkeypatch.setattr(waking, "async_task", refuse)
    make_research()

    assert wake() == 0
    assert "briefs.tasks.research not put into the queue" in caplog.text
    assert "secret" not in caplog.text


def test_short_hold_is_waited_out_and_the_next_is_woken(persona, sandbox, monkeypatch):
    attached(make_brief(persona=persona), make_brief(persona=persona, question_facts=["a is b"]))
    MaveHealth.current().hold(0.3, "few requests are left in Mavera's minute")

    working.work()

    assert OrmQ.objects.filter(key="research").count() == 2


def test_long_hold_is_left_to_the_sweep(persona, sandbox, monkeypatch):
    attached(make_brief(persona=persona))
    MaveHealth.current().hold(40, "Mavera asked to wait")
    monkeypatch.setattr(working.time, "sleep", lambda seconds: pytest.fail("it slept"))

    working.work()

    assert not OrmQ.objects.exists()


# Failed, and perhaps paid -------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["answered", "unknown"])
def test_new_brief_does_not_pay_again_for_a_question_that_failed_recently(persona, outcome):
    failed = asked(persona, status="failed", finished_at=timezone.now())
    MaveCall.objects.create(research=failed, outcome=outcome)
    brief = make_brief(persona=persona)

    assert attached(brief) == 0

    assert (brief.research, brief.basis) == (failed, "playbook")


@pytest.mark.parametrize("outcome", ["refused", "not_sent"])
def test_new_brief_asks_anew_what_failed_without_costing_anything(persona, outcome):
    failed = asked(persona, status="failed", finished_at=timezone.now())
    MaveCall.objects.create(research=failed, outcome=outcome)

    assert attached(make_brief(persona=persona)) == 1


def test_question_that_failed_before_the_reuse_time_is_asked_anew(persona):
    long_ago = timezone.now() - timedelta(hours=persona.reuse_hours + 1)
    failed = asked(persona, status="failed", finished_at=long_ago)
    MaveCall.objects.create(research=failed, outcome="unknown")

    assert attached(make_brief(persona=persona)) == 1
