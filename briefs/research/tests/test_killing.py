"""No second payment goes unnoticed, wherever a worker is killed, or frozen and thawed much later.

A real worker stops at a step (see step_worker.py). Then, as if its lease had run out, others work
until nothing is left to do. A frozen worker thaws after that and finishes what it was about to do.
"""

import signal
import threading
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F, Sum

from briefs.models import Brief, MaveCall, MaveHealth, Research, ResearchPolicy
from briefs.research import sharing, working
from briefs.research.renewal import renew
from briefs.research.tests.workers import PATIENCE, Workers
from briefs.tests.factories import make_brief, make_research
from personas.models import Persona

pytestmark = pytest.mark.processes

# At each of these steps a transaction is open. SQLite has one lock, which a frozen worker keeps;
# PostgreSQL ends a transaction that is idle for long.
LOCKING = {"policy locked", "saving", "not asked"} if connection.vendor == "sqlite" else set()


@pytest.fixture(scope="module")
def workers():
    workers = Workers()
    yield workers
    workers.close()


@pytest.fixture
def waiting(threaded_db, sandbox):
    """A question that a brief waits for."""
    asked = make_research(question="What keeps such a customer?")
    make_brief(research=asked, persona=asked.persona)
    return asked


@pytest.fixture(params=["killed", "frozen"])
def fate(request, workers, sandbox):
    """Kill a stopped worker, or freeze and thaw it, while others finish all there is to do."""

    def happen(pid, blocks_others=False):
        if request.param == "killed":
            workers.kill(pid)
        elif not blocks_others:
            others_finish()
            before = snapshot()
        if request.param == "frozen":
            workers.send(pid, signal.SIGCONT)
            workers.result(pid)
            assert blocks_others or snapshot() == before, "the thawed worker changed rows"
        others_finish()
        assert_sound(sandbox)

    happen.name = request.param
    return happen


def stop(workers, step, **order):
    pid = workers.start(step=step, **order)
    workers.wait_until_at(pid, step)
    return pid


def others_finish():
    """Workers and the sweep, until nothing is left; six minutes pass before each round."""
    for _ in range(8):
        pass_time()
        while working.run_next():
            pass
        sharing.upgrade_briefs()
        MaveCall.objects.end_forgotten_reads()
        if not Research.objects.active().exists():
            return


def pass_time(minutes=6):
    span = timedelta(minutes=minutes)
    MaveCall.objects.update(started_at=F("started_at") - span)
    Research.objects.update(
        created_at=F("created_at") - span,
        available_at=None,
        busy_until=F("busy_until") - span,
        lease_until=F("lease_until") - span,
    )
    MaveHealth.objects.update(held_until=None, probe_at=F("probe_at") - span)


def snapshot():
    """What is done, and what people see of it."""
    return (
        list(Research.objects.order_by("pk").values_list("status", "answer", "finished_at")),
        list(Brief.objects.order_by("pk").values_list("research", "renewal", "basis")),
    )


def paid(sandbox):
    """How often each question was carried out and charged, by its words."""
    asked = Counter()
    threads = sandbox._mavera._threads
    with threads._lock:  # a thread is not there before its first message
        for thread in threads._threads.values():
            asked[thread.messages[0]["content"].split("\n\nReference:")[0]] += 1
    # Read after the threads: a question may arrive meanwhile, and its request comes first.
    chats = [r for r in sandbox.requests if r.path.endswith("/mave/chat")]
    assert asked.total() <= len(chats)
    return asked


def assert_sound(sandbox):
    """What must be true after every test of this file."""
    charged = paid(sandbox)
    assert all(times <= 2 for times in charged.values())
    for asked in Research.objects.all():
        calls = list(asked.calls.chats().order_by("pk"))
        assert asked.status == "done" or asked.status_reason
        maybe_paid = [c for c in calls if c.outcome not in ("refused", "not_sent")]
        assert all(call.is_repeat for call in maybe_paid[1:]), "paid again without saying so"
    assert not MaveCall.objects.filter(outcome="pending").exists()
    assert MaveCall.objects.aggregate(sum=Sum("credits"))["sum"] >= sandbox.credits_used


def ledger():
    """Outcome, repeated, and found again, of each call that may cost."""
    calls = MaveCall.objects.chats().order_by("pk")
    return list(calls.values_list("outcome", "is_repeat", "is_recovered"))


def reload(row):
    row.refresh_from_db()
    return row


NEVER_SENT = [("unknown", False, False), ("answered", True, False)]
ONCE = [("answered", False, False)]
FOUND = [("answered", False, True)]


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("before the claim", ONCE),
        ("policy locked", ONCE),
        ("claimed", NEVER_SENT),
        ("answered", FOUND),
        ("saving", FOUND),
        ("saved", ONCE),
        ("upgraded", ONCE),
    ],
)
def test_question_is_paid_once_wherever_its_worker_stops(
    waiting, workers, fate, sandbox, step, expected
):
    fate(stop(workers, step), step in LOCKING)

    if fate.name == "frozen" and step in LOCKING:  # all others had to wait for this worker
        expected = ONCE
    elif fate.name == "frozen" and expected == NEVER_SENT:  # as the thawed worker enters it
        expected = [("not_sent", False, False), *NEVER_SENT[1:]]
    assert ledger() == expected
    assert paid(sandbox).total() == 1
    assert (reload(waiting).status, Brief.objects.get().basis) == ("done", "new")


def test_question_is_looked_for_after_a_worker_that_was_about_to_ask(
    waiting, workers, fate, sandbox
):
    fate(stop(workers, "lease checked"))

    lost, again = ledger()
    assert again == ("answered", True, False)
    if fate.name == "killed":
        assert (lost, paid(sandbox).total()) == (("unknown", False, False), 1)
    else:  # it asked after all: the request was past the last check
        assert (lost[0], paid(sandbox).total()) == ("answered", 2)
    assert Brief.objects.get().basis == "new"


def test_question_that_mave_works_on_is_paid_once(waiting, workers, fate, sandbox, monkeypatch):
    may_answer = threading.Event()
    monkeypatch.setattr(sandbox._mavera.chat, "_pause", lambda seconds: may_answer.wait(PATIENCE))
    pid = workers.start()
    workers.wait_until(lambda: paid(sandbox), "the question to reach Mave")
    workers.stop(pid)
    may_answer.set()
    workers.wait_until(lambda: sandbox.requests[-1].finished, "Mave's answer")

    fate(pid)

    assert (ledger(), paid(sandbox).total()) == (FOUND, 1)
    assert Brief.objects.get().basis == "new"


@pytest.mark.parametrize("step", ["search claimed", "read entered", "page listed", "thread read"])
def test_lost_answer_is_found_wherever_its_searcher_stops(waiting, workers, fate, sandbox, step):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    working.run_next()
    assert reload(waiting).status == "recovering"

    fate(stop(workers, step))

    assert (ledger(), paid(sandbox).total()) == (FOUND, 1)
    assert Brief.objects.get().basis == "new"


@pytest.mark.parametrize("step", ["answered", "saving", "saved", "upgraded"])
def test_found_answer_is_saved_wherever_its_finder_stops(waiting, workers, fate, sandbox, step):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    working.run_next()

    fate(stop(workers, step), step in LOCKING)

    assert (ledger(), paid(sandbox).total()) == (FOUND, 1)
    assert Brief.objects.get().basis == "new"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("503", [("refused", False, False), ("answered", False, False)]),
        ("paid_then_dropped", FOUND),
        ("drop", NEVER_SENT),
        ("empty", [("answered", False, False), ("answered", True, False)]),
    ],
)
def test_error_that_is_in_the_ledger_only_leads_to_one_further_call(
    waiting, workers, fate, sandbox, fault, expected
):
    sandbox.faults.add("mave/chat", fault)

    fate(stop(workers, "error in the ledger"))

    assert ledger() == expected
    assert paid(sandbox).total() == (2 if fault == "empty" else 1)
    assert Brief.objects.get().basis == "new"


def test_call_that_is_too_late_after_its_claim_is_never_sent(waiting, workers, fate, sandbox):
    fate(stop(workers, "not asked", dawdles=True), "not asked" in LOCKING)

    has_waited = fate.name == "frozen" and "not asked" in LOCKING
    assert ledger() == ([("not_sent", False, False), *ONCE] if has_waited else NEVER_SENT)
    assert paid(sandbox).total() == 1


@pytest.mark.parametrize("step", ["probe claimed", "probe answered"])
def test_research_goes_on_after_a_prober_that_stopped(waiting, workers, fate, sandbox, step):
    ResearchPolicy.current().pause("Mavera's credits are used up", 402)

    fate(stop(workers, step))

    assert ResearchPolicy.current().paused_at is None
    assert (ledger(), paid(sandbox).total()) == (ONCE, 1)


@pytest.fixture
def any_age(waiting):
    """An answer may be bought anew however young it is."""
    ResearchPolicy.current()
    ResearchPolicy.objects.update(fresh_after_minutes=0)


@pytest.mark.usefixtures("any_age")
def test_renewal_is_asked_once_wherever_its_process_stops(waiting, workers, fate, sandbox):
    working.run_next()
    Persona.objects.update(reuse_hours=0)
    brief = Brief.objects.get()

    fate(stop(workers, "renewing", job="renew", brief=brief.pk), blocks_others=True)

    asked = Research.objects.exclude(pk=waiting.pk).count()
    assert asked <= 1
    assert paid(sandbox).total() == 1 + asked
    assert reload(brief).renewal is None
    assert not Research.objects.active().exists()


@pytest.mark.usefixtures("any_age")
@pytest.mark.parametrize("step", ["answered", "saving", "saved", "upgraded"])
def test_renewed_answer_arrives_wherever_its_worker_stops(waiting, workers, fate, sandbox, step):
    working.run_next()
    renew(Brief.objects.get(), None)

    fate(stop(workers, step), step in LOCKING)

    brief = Brief.objects.get()
    assert brief.renewal is None
    assert (brief.research.status, brief.research == waiting) == ("done", False)
    assert paid(sandbox).total() == 2


def test_late_answer_to_a_question_that_is_about_to_be_paid_again_is_kept(
    waiting, workers, sandbox
):
    frozen = stop(workers, "answered")
    sandbox._mavera._threads._threads.clear()  # Mave's threads do not show it
    pass_time()
    working.run_next()
    assert reload(waiting).status == "queued"

    workers.send(frozen, signal.SIGCONT)
    workers.result(frozen)

    assert (reload(waiting).status, Brief.objects.get().basis) == ("done", "new")
    assert not working.run_next()
    assert ledger() == ONCE


def test_late_worker_changes_no_question_that_another_worker_has_now(waiting, workers, sandbox):
    sandbox.faults.add("mave/chat", "503")
    frozen = stop(workers, "error in the ledger")
    pass_time()
    holder = stop(workers, "lease checked")
    held = reload(waiting).lease_token

    workers.send(frozen, signal.SIGCONT)
    workers.result(frozen)

    assert (reload(waiting).status, waiting.lease_token) == ("running", held)
    workers.send(holder, signal.SIGCONT)
    assert workers.result(holder) is True
    assert (reload(waiting).status, paid(sandbox).total()) == ("done", 1)
