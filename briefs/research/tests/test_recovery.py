"""Answers that were lost on their way: found in Mave's threads, or paid for once more."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from briefs.models import Brief, MaveCall, MaveHealth, Research, ResearchPolicy
from briefs.research import pacing, recovery, searching, settling, working
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.pacing import Search, Ticket, claim_next
from briefs.research.working import run_next
from briefs.tests.factories import make_brief, make_research
from providers.mavera import Mave

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting(sandbox):
    """A question that a brief waits for."""
    asked = make_research(question="What keeps such a customer?")
    make_brief(research=asked, persona=asked.persona)
    return asked


def reload(row):
    row.refresh_from_db()
    return row


def pass_time(**span):
    """As if so much time had passed since every call, and every pause were over."""
    delta = timedelta(**span)
    MaveCall.objects.update(started_at=F("started_at") - delta)
    Research.objects.update(created_at=F("created_at") - delta, available_at=None, busy_until=None)


def kill_the_worker():
    """Claim the question and never come back."""
    ticket = claim_next()
    Research.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    return ticket


def chats(sandbox):
    return [r for r in sandbox.requests if r.path.endswith("/mave/chat")]


def reads(sandbox):
    return [r for r in sandbox.requests if "/mave/threads" in r.path]


@pytest.mark.parametrize("fault", ["paid_then_dropped", "truncated"])
def test_lost_answer_is_found_with_its_sources_and_its_price(waiting, sandbox, fault):
    sandbox.faults.add("mave/chat", fault)
    run_next()
    assert reload(waiting).status == "recovering"

    assert run_next()

    assert reload(waiting).status == "done"
    assert "## " in waiting.answer
    assert waiting.sources[0]["url"].startswith("https://")
    assert waiting.thread_id.startswith("mave_thread_")
    call = waiting.calls.chats().get()
    assert (call.outcome, call.credits) == ("answered", sandbox.credits_used)
    assert (call.is_recovered, call.is_repeat) == (True, False)
    assert waiting.credits == sandbox.credits_used
    assert Brief.objects.get().basis == "new"
    assert len(chats(sandbox)) == 1


def test_every_read_of_a_search_is_in_the_ledger(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    run_next(), run_next()

    rows = waiting.calls.filter(purpose="threads")
    assert rows.count() == len(reads(sandbox)) == 2
    assert {(row.outcome, row.credits, row.http_status) for row in rows} == {("answered", 0, 200)}


def test_answer_of_a_killed_worker_is_found(waiting, sandbox):
    ticket = kill_the_worker()
    reference = f"\n\nReference: {ticket.call.reference}"
    Mave().chat(waiting.question + reference)

    assert run_next()

    assert reload(waiting).status == "done"
    assert reload(ticket.call).is_recovered


def test_while_mave_is_at_work_on_it_nothing_is_paid(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    run_next()

    run_next()
    assert reload(waiting).status == "recovering"
    assert waiting.status_reason == "Mave has not finished the answer in its thread yet"
    assert waiting.thread_id

    pass_time(minutes=14)
    run_next()
    assert (reload(waiting).status, len(chats(sandbox))) == ("recovering", 1)


def test_thread_that_never_gets_its_answer_is_given_up_after_a_quarter_of_an_hour(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    run_next(), run_next()
    pass_time(minutes=16)

    run_next()

    assert reload(waiting).status == "queued"
    assert "never finished" in waiting.status_reason
    assert run_next()
    assert waiting.calls.chats().latest("pk").is_repeat


def test_for_five_minutes_a_lost_question_is_only_looked_for(waiting, sandbox):
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    pass_time(minutes=4)

    run_next()

    assert reload(waiting).status == "recovering"
    assert "looking for it in Mave's threads" in waiting.status_reason
    assert len(chats(sandbox)) == 1
    assert 5 < (waiting.available_at - timezone.now()).total_seconds() < 25


@pytest.mark.parametrize("fault", ["drop", "html"])
def test_question_that_no_thread_holds_is_paid_once_more_and_flagged(waiting, sandbox, fault):
    sandbox.faults.add("mave/chat", fault)
    run_next()
    lost = waiting.calls.chats().get()
    assert (lost.outcome, lost.credits) == ("unknown", RESERVED_CREDITS)
    pass_time(minutes=6)

    run_next()
    assert reload(waiting).status == "queued"
    assert waiting.status_reason.startswith("Asked once more, perhaps for a second price")
    run_next()

    assert reload(waiting).status == "done"
    assert waiting.calls.chats().latest("pk").is_repeat
    assert reload(lost).outcome == "unknown"


def test_question_lost_twice_is_not_paid_a_third_time(waiting, sandbox):
    sandbox.faults.add("mave/chat", "drop", count=2)
    for _ in range(2):
        run_next()
        pass_time(minutes=6)
        run_next()

    assert reload(waiting).status == "failed"
    assert waiting.status_reason.startswith("Asked twice, and without an answer both times")
    assert not run_next()
    assert len(chats(sandbox)) == 2


def test_question_that_a_person_starts_again_may_be_paid_again(waiting, sandbox):
    sandbox.faults.add("mave/chat", "drop", count=3)
    for _ in range(2):
        run_next()
        pass_time(minutes=6)
        run_next()
    reload(waiting).retry()
    run_next()  # looked for once more

    run_next()
    pass_time(minutes=6)
    Research.objects.update(restarted_at=F("restarted_at") - timedelta(minutes=6))
    run_next()

    assert reload(waiting).status == "queued"


def test_empty_answer_is_entered_with_its_price_and_asked_once_more(waiting, sandbox):
    sandbox.faults.add("mave/chat", "empty")
    run_next()
    call = waiting.calls.chats().get()
    assert (call.outcome, call.credits) == ("answered", sandbox.credits_used)
    assert call.credits < RESERVED_CREDITS

    run_next()
    assert reload(waiting).status_reason.endswith("Mave's answer is empty")
    run_next()

    assert reload(waiting).status == "done"
    assert waiting.calls.chats().latest("pk").is_repeat


def test_search_that_fails_is_no_reason_to_pay(waiting, sandbox):
    sandbox.faults.add("mave/chat", "drop")
    sandbox.faults.add("mave/threads", "503")
    run_next()
    pass_time(minutes=6)

    run_next()

    assert reload(waiting).status == "recovering"
    assert waiting.status_reason == "Looking for a lost answer: Mavera failed"
    assert waiting.mavera_code.startswith("503")


def test_search_without_requests_left_goes_on_later(waiting, sandbox):
    ResearchPolicy.objects.create(pk=1, requests_per_minute=2)
    Mave().chat("somebody else's question")
    sandbox.faults.add("mave/chat", "drop")
    run_next()

    run_next()

    assert reload(waiting).status == "recovering"
    assert "requests are used up" in waiting.status_reason
    assert len(reads(sandbox)) == 1


def test_search_goes_through_every_page(waiting, sandbox, monkeypatch):
    monkeypatch.setattr("providers.mavera.PAGE_SIZE", 2)
    ticket = kill_the_worker()
    Mave().chat(f"{waiting.question}\n\nReference: {ticket.call.reference}")
    for number in range(5):
        Mave().chat(f"somebody else's question {number}")

    run_next()

    assert reload(waiting).status == "done"
    assert sum("limit=" in r.path or "limit" in r.query for r in reads(sandbox)) == 3


def test_threads_that_were_looked_into_are_not_read_again(waiting, sandbox):
    Mave().chat("somebody else's question")
    sandbox.faults.add("mave/chat", "drop")
    run_next(), run_next()
    assert len(reads(sandbox)) == 2
    pass_time(minutes=1)

    run_next()

    assert len(reads(sandbox)) == 3
    assert len(reload(waiting).searched) == 1


def test_thread_that_was_deleted_does_not_stop_the_search(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    run_next(), run_next()
    sandbox._mavera._threads.delete(reload(waiting).thread_id)
    pass_time(minutes=6)

    run_next()

    assert reload(waiting).status == "queued"


def test_broken_off_call_counts_as_under_way_until_mave_must_have_ended(waiting, sandbox):
    ResearchPolicy.objects.create(pk=1, concurrency=1)
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    assert Research.objects.in_flight().get() == waiting

    Research.objects.update(busy_until=timezone.now() - timedelta(seconds=1))

    assert not Research.objects.in_flight().exists()


def test_answer_of_a_broken_shape_does_not_count_as_under_way(waiting, sandbox):
    sandbox.faults.add("mave/chat", "html")

    run_next()

    assert not Research.objects.in_flight().exists()


def test_search_of_a_worker_that_lost_its_lease_saves_the_answer_it_found(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    run_next()
    mine = claim_next()
    assert isinstance(mine, Search)
    Research.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other = claim_next()

    recovery.search(mine)
    before = reload(waiting).answer
    recovery.search(other)

    assert (reload(waiting).status, waiting.lease_token) == ("done", None)
    assert waiting.answer == before
    assert len(chats(sandbox)) == 1


def test_search_of_a_worker_that_lost_its_lease_saves_nothing_else(waiting, sandbox):
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    mine = claim_next()
    Research.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    other = claim_next()
    pass_time(minutes=6)

    recovery.search(mine)

    assert (reload(waiting).status, waiting.lease_token) == ("recovering", other.token)


# Lists and threads that are not as they should be -------------------------------------------------


def ask_as_lost(ticket, waiting):
    Mave().chat(f"{waiting.question}\n\nReference: {ticket.call.reference}")


@pytest.mark.parametrize("next_cursor", ["always the same", None])
def test_list_that_repeats_its_page_for_ever_ends(waiting, sandbox, monkeypatch, next_cursor):
    real = {"data": [], "has_more": True}

    def page(items, query, style):
        turn = {"next_cursor": f"turn {len(reads(sandbox)) % 2}" if next_cursor else None}
        return {**real, "data": [item for _, item in items][:1], **turn}

    monkeypatch.setattr("sandbox.mavera.page", page)
    Mave().chat("somebody else's question")
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    pass_time(minutes=6)

    run_next()

    assert len(reads(sandbox)) == 3
    assert reload(waiting).status_reason.endswith("the answer is in none of Mave's threads")


def test_list_that_begins_with_the_oldest_is_read_to_its_end(waiting, sandbox, monkeypatch):
    from sandbox import paging

    ticket = kill_the_worker()
    Mave().chat("a question of last year")
    Mave().chat("another one")
    for thread in sandbox._mavera._threads._threads.values():
        thread.created_at = f"2025-01-0{thread.number}T10:00:00Z"
    ask_as_lost(ticket, waiting)

    def oldest_first(items, query, style):
        return paging.page(items[::-1], {**query, "offset": query.get("offset", "0")})

    monkeypatch.setattr("sandbox.mavera.page", oldest_first)
    monkeypatch.setattr("providers.mavera.PAGE_SIZE", 2)

    run_next()

    assert reload(waiting).status == "done"


def test_list_that_cannot_be_read_is_tried_for_a_day_and_then_a_person_decides(
    waiting, sandbox, monkeypatch
):
    monkeypatch.setattr("providers.mavera.PAGE_SIZE", 0)  # Mavera refuses such a request
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    run_next()  # from now on the threads cannot be read
    pass_time(hours=23)
    run_next()
    assert reload(waiting).status == "recovering"
    pass_time(hours=2)

    run_next()

    assert reload(waiting).status == "failed"
    assert "Mave's threads cannot be read: Mavera refused" in waiting.status_reason
    assert waiting.mavera_code.startswith("400")


@pytest.fixture
def gone(sandbox, monkeypatch):
    """Mavera answers 404 to the list of threads."""
    from sandbox.mavera_errors import error

    def refuse(request):
        is_list = request.path.endswith("/mave/threads")
        return error("resource_not_found") if is_list else None

    monkeypatch.setattr(sandbox._mavera, "refuse", refuse)


def test_list_that_does_not_exist_puts_the_search_off(waiting, sandbox, gone):
    sandbox.faults.add("mave/chat", "drop")
    run_next()

    assert run_next()

    assert reload(waiting).lease_token is None
    assert waiting.mavera_code.startswith("404")


def test_one_unreadable_thread_does_not_hide_the_others(waiting, sandbox, monkeypatch):
    ticket = kill_the_worker()
    ask_as_lost(ticket, waiting)
    Mave().chat("somebody else's question")
    threads = sandbox._mavera._threads
    broken, get = list(threads._threads)[-1], threads.get
    monkeypatch.setattr(threads, "get", lambda key: {"id": key} if key == broken else get(key))

    run_next()

    assert reload(waiting).status == "done"


def test_unreadable_thread_may_have_the_answer_so_nothing_is_paid(waiting, sandbox, monkeypatch):
    ask_as_lost(kill_the_worker(), waiting)
    monkeypatch.setattr(sandbox._mavera._threads, "get", lambda key: {"id": key})
    pass_time(minutes=6)

    run_next()

    assert reload(waiting).status == "recovering"
    assert "without the thread's messages" in waiting.status_reason


def test_thread_that_quotes_the_reference_is_not_taken_for_the_answer(waiting, sandbox):
    ticket = kill_the_worker()
    ask_as_lost(ticket, waiting)
    Mave().chat(f"Why did you not answer {ticket.call.reference}?")
    other = sandbox._mavera._threads.ask(None, "somebody else's question", "ws_sandbox")
    sandbox._mavera._threads.ask(other.id, f"And {ticket.call.reference}?", "ws_sandbox")

    run_next()

    first = next(iter(sandbox._mavera._threads._threads))
    assert (reload(waiting).status, waiting.thread_id) == ("done", first)


def test_answer_to_what_somebody_asked_later_in_the_thread_is_not_ours(waiting, sandbox):
    ticket = kill_the_worker()
    ask_as_lost(ticket, waiting)
    threads = sandbox._mavera._threads
    thread = next(iter(threads._threads.values()))
    threads.ask(thread.id, "Say it in one word.", "ws_sandbox")
    thread.messages.append({"role": "assistant", "content": "Leave."})

    run_next()

    assert reload(waiting).answer.startswith("## ")


def test_answer_that_is_still_empty_is_waited_for(waiting, sandbox):
    ticket = kill_the_worker()
    thread = sandbox._mavera._threads.ask(
        None, f"{waiting.question}\n\nReference: {ticket.call.reference}", "ws_sandbox"
    )
    thread.messages.append({"role": "assistant", "content": ""})

    run_next()

    assert reload(waiting).status == "recovering"
    assert waiting.status_reason == "Mave has not finished the answer in its thread yet"


def test_thread_of_an_earlier_call_is_not_taken_for_that_of_a_later_one(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", count=2, seconds=600)
    for _ in range(2):
        run_next(), run_next()
        pass_time(minutes=16)
        run_next()
    assert reload(waiting).status == "failed"
    waiting.retry()
    run_next()  # looked for once more
    ask_as_lost(kill_the_worker(), waiting)

    run_next()

    assert reload(waiting).status == "done"


def test_read_of_a_killed_worker_does_not_stay_under_way(db):
    old, new, paid = (MaveCall.objects.create(purpose=p) for p in ("threads", "usage", "chat"))
    MaveCall.objects.exclude(pk=new.pk).update(started_at=timezone.now() - timedelta(minutes=6))

    assert MaveCall.objects.end_forgotten_reads() == 1

    assert (reload(old).outcome, reload(new).outcome, reload(paid).outcome) == (
        "unknown", "pending", "pending",
    )  # fmt: skip


def test_search_leaves_requests_to_the_questions(waiting, sandbox):
    ResearchPolicy.objects.create(pk=1, requests_per_minute=20)
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    for number in range(30):
        Mave().chat(f"somebody else's question {number}")
    other = make_research(question="Another question?")
    make_brief(research=other, persona=other.persona)

    run_next()
    assert len(reads(sandbox)) == 14
    run_next()

    assert (reload(waiting).status, reload(other).status) == ("recovering", "done")


def test_question_that_was_lost_for_another_brief_is_asked_as_a_repeat(waiting, sandbox):
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    Research.objects.update(status="failed", lease_token=None)
    again = make_research(question_hash=waiting.question_hash, persona=waiting.persona)
    make_brief(research=again, persona=waiting.persona)

    run_next()

    assert again.calls.chats().get().is_repeat


# What gateways and refusals say -------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["502", "504"])
def test_gateway_that_gave_up_says_nothing_of_the_answer(waiting, sandbox, fault):
    sandbox.faults.add("mave/chat", fault)

    run_next()

    call = waiting.calls.chats().get()
    assert (call.outcome, call.credits) == ("unknown", RESERVED_CREDITS)
    assert reload(waiting).status == "recovering"
    assert Research.objects.in_flight().get() == waiting


def test_answer_of_the_late_worker_ends_the_search_for_it(waiting, sandbox):
    ticket = kill_the_worker()
    search = claim_next()
    assert isinstance(search, Search)
    answer = Mave().chat(waiting.question)

    assert settling.save(ticket.research, ticket.token, ticket.call, answer)
    pass_time(minutes=6)
    recovery.search(search)

    assert reload(waiting).status == "done"
    assert claim_next() is None


def test_answer_of_the_late_worker_leaves_the_second_call_under_way(waiting, sandbox):
    first = kill_the_worker()
    pass_time(minutes=6)
    run_next()
    second = claim_next()
    assert isinstance(second, Ticket)

    settling.save(first.research, first.token, first.call, Mave().chat(waiting.question))

    assert Research.objects.in_flight().get() == waiting


def test_late_worker_that_sent_nothing_enters_so_in_the_ledger(waiting, sandbox):
    ticket = kill_the_worker()
    assert isinstance(claim_next(), Search)

    working._ask(ticket)

    assert not chats(sandbox)
    assert (reload(ticket.call).outcome, ticket.call.credits) == ("not_sent", 0)


def test_search_in_a_list_too_long_for_one_goes_on_where_it_ended(waiting, sandbox, monkeypatch):
    monkeypatch.setattr("providers.mavera.PAGE_SIZE", 1)
    monkeypatch.setattr(searching, "MOST_PAGES", 2)
    ticket = kill_the_worker()
    ask_as_lost(ticket, waiting)
    for number in range(4):
        Mave().chat(f"question {number} of somebody else")
    pass_time(minutes=6)

    for _ in range(2):
        assert run_next()
        assert "many threads" in reload(waiting).status_reason
        pass_time(seconds=21)
    run_next()

    assert reload(waiting).status == "done"


def test_search_that_went_on_in_a_long_list_begins_anew_before_anything_is_paid(
    waiting, sandbox, monkeypatch
):
    monkeypatch.setattr("providers.mavera.PAGE_SIZE", 1)
    monkeypatch.setattr(searching, "MOST_PAGES", 2)
    kill_the_worker()
    for number in range(3):
        Mave().chat(f"question {number} of somebody else")
    pass_time(minutes=6)

    run_next()
    pass_time(seconds=21)
    run_next()
    assert (reload(waiting).status, waiting.search_page) == ("recovering", None)


def test_read_that_was_frozen_before_it_was_sent_is_not_sent(waiting, sandbox, monkeypatch):
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    admit = pacing.admit_read

    def freeze(*args, **options):
        row = admit(*args, **options)
        MaveCall.objects.filter(pk=row.pk).update(started_at=F("started_at") - timedelta(seconds=4))
        return row

    monkeypatch.setattr(pacing, "admit_read", freeze)

    run_next()

    assert not reads(sandbox)
    assert waiting.calls.get(purpose="threads").outcome == "not_sent"


@pytest.mark.parametrize("fault", ["502", "504"])
def test_outage_behind_a_gateway_costs_no_credits_and_fails_no_question(waiting, sandbox, fault):
    sandbox.faults.add("mave/chat", fault, count=4)
    for _ in range(4):
        pass_time(minutes=61)
        run_next()
        pass_time(minutes=6)
        run_next()  # the search that ends without a thread

    assert (reload(waiting).status, waiting.tries) == ("queued", 4)
    assert "gave up waiting" in waiting.status_reason
    assert waiting.available_at > timezone.now() + timedelta(minutes=59)
    pass_time(minutes=61)
    run_next()
    assert reload(waiting).status == "done"
    calls = waiting.calls.chats()
    assert sum(call.credits for call in calls) == sandbox.credits_used
    assert not calls.filter(is_repeat=True).exists()


def test_trial_that_a_gateway_answered_uses_up_no_try(waiting, sandbox):
    MaveHealth.objects.update_or_create(
        pk=1, defaults={"opened_at": timezone.now(), "breaker_until": timezone.now()}
    )
    sandbox.faults.add("mave/chat", "502")
    run_next()
    MaveHealth.objects.update(opened_at=F("opened_at") - timedelta(minutes=7))
    pass_time(minutes=6)

    run_next()

    assert (reload(waiting).status, waiting.tries) == ("queued", 0)


def test_pause_does_not_count_as_time_in_which_threads_cannot_be_read(
    waiting, sandbox, monkeypatch
):
    monkeypatch.setattr(recovery, "GIVE_UP_AFTER", timedelta(minutes=3))
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    sandbox.faults.add("mave/threads", "503", count=2)
    run_next()
    run_next()
    pass_time(minutes=4)
    ResearchPolicy.current().pause("the weekend")
    ResearchPolicy.current().resume()

    run_next()
    assert reload(waiting).status == "recovering"
    pass_time(seconds=21)
    run_next()

    assert reload(waiting).status == "done"
    assert len(chats(sandbox)) == 1


def test_lost_answer_is_looked_for_before_a_retry_pays_again(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    run_next()
    Research.objects.update(status="failed", status_reason="cannot be read", lease_token=None)

    assert reload(waiting).retry()
    run_next()

    assert reload(waiting).status == "done"
    assert len(chats(sandbox)) == 1


@pytest.mark.parametrize(("fault", "paused_by"), [("401", 401), ("403", None)])
def test_thread_that_is_refused_pauses_nothing_but_a_key_that_is(
    waiting, sandbox, fault, paused_by
):
    Mave().chat("somebody else's question")
    sandbox.faults.add("mave/chat", "drop")
    run_next()
    claimed = claim_next()
    searcher = searching.Searcher(claimed.research, claimed.call)
    sandbox.faults.add("mave/threads", fault, count=None)

    with pytest.raises(searching.Interrupted):
        searcher.find()

    assert ResearchPolicy.current().paused_status == paused_by


def test_search_that_is_asked_to_wait_for_seconds_waits(waiting, sandbox, monkeypatch):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    run_next()
    MaveHealth.current().hold(0.4, "few requests are left in Mavera's minute")
    held = MaveHealth.current().held_until
    monkeypatch.setattr("briefs.research.breaker.slow_down", lambda limit: None)

    searcher = searching.Searcher(reload(waiting), waiting.calls.chats().get())

    assert searcher.find()
    assert waiting.calls.filter(purpose="threads").earliest("pk").started_at >= held


def test_answer_is_found_although_maveras_clock_is_far_off(waiting, sandbox, monkeypatch):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    run_next()
    ahead = timedelta(hours=3)
    for thread in sandbox._mavera._threads._threads.values():
        thread.created_at = (timezone.now() + ahead).isoformat()
    monkeypatch.setattr("providers.mavera_replies.told_at", lambda reply: timezone.now() + ahead)

    run_next()

    assert reload(waiting).status == "done"


def test_lost_question_that_mave_works_on_counts_as_under_way(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    run_next()
    pass_time(minutes=4)
    assert not Research.objects.in_flight().exists()

    run_next()

    assert Research.objects.in_flight().get() == waiting


def test_late_answer_to_the_first_call_is_found_when_the_second_is_lost_too(waiting, sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    run_next(), run_next()
    pass_time(minutes=16)
    run_next()
    first = waiting.calls.chats().get()
    [thread] = sandbox._mavera._threads._threads.values()
    thread.messages.append({"role": "assistant", "content": "## A late answer\n\nCall them."})
    sandbox.faults.add("mave/chat", "drop")
    run_next()

    run_next()

    assert reload(waiting).answer.startswith("## A late answer")
    assert reload(first).is_recovered
    assert waiting.calls.chats().latest("pk").outcome == "unknown"
