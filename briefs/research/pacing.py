"""Decides whether another request to Mavera may begin. Only this module counts the limits.

One statement locks the policy's row, and the next statements count the ledger. A count within the
locking statement would see the state before the lock, and would admit too many requests.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, F, Q
from django.db.models.functions import Now

from briefs.models import MaveCall, MaveHealth, Priority, Research, ResearchPolicy
from briefs.models.research import ResearchQuerySet
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.waiting import Standstill
from personas.models import Persona
from providers.mavera import CONNECT_SECONDS, Mave

MINUTE = timedelta(seconds=60)
# A request is sent within this time after its row was written, or not at all. So in any minute
# Mavera gets no more requests than the ledger counts in that minute and this time before it.
BEGIN_WITHIN = timedelta(seconds=3)
SEND_WITHIN = BEGIN_WITHIN + timedelta(seconds=CONNECT_SECONDS)
KEPT_FOR_QUESTIONS = 4  # a quarter of a minute's requests, which searches may not use
BY_URGENCY = ("-priority", "created_at")
_GONE = "the worker was gone before the answer came"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Permission for one paid call: the leased research, its token, and its row in the ledger."""

    research: Research
    token: uuid.UUID
    call: MaveCall

    @property
    def is_good(self) -> bool:
        """Whether the call may be made at this moment."""
        return self.research.still_held(self.token) and is_fresh(self.call)


@dataclass(frozen=True, slots=True)
class Search:
    """Permission to look for a lost answer. `admit_read` is called for each of its requests."""

    research: Research
    token: uuid.UUID
    call: MaveCall  # the lost one


def claim_next() -> Ticket | Search | None:
    """Lease a lost answer to look for, or the most urgent due question; None if neither may be.

    None means that nothing is due or that a limit is reached; `why_waiting` says which. The
    call for a question is in the ledger before this returns.
    """
    if not Mave().is_configured:
        return None
    while True:  # each round claims a question, or cancels it, or queues it again
        with transaction.atomic():
            standstill = Standstill(ResearchPolicy.locked())
            if _is_stopped(standstill) or requests_left(standstill.policy) < 1:
                return None
            lost = _first(Research.objects.due().lost().order_by(*BY_URGENCY))
            key = lost or _most_urgent(standstill)
            if key is None:
                return None
            # Lock the row before judging it: a brief may join it, or its answer arrive, right now.
            research = Research.objects.due().select_for_update().filter(pk=key).first()
            claimed = research and (_lease_search(research) if lost else _lease_question(research))
            if isinstance(claimed, Ticket):
                standstill.health.note_request()
            if claimed:
                return claimed


def admit_read(
    purpose: MaveCall.Purpose, research: Research | None = None, *, while_paused: bool = False
) -> MaveCall | None:
    """Enter one free request in the ledger; None if no request may be sent now."""
    with transaction.atomic():
        policy = ResearchPolicy.locked()
        is_paused = policy.paused_at is not None and not while_paused
        health = MaveHealth.current()
        if is_paused or health.is_held:
            return None
        is_search = purpose == MaveCall.Purpose.THREADS and not while_paused
        kept_back = policy.requests_per_minute // KEPT_FOR_QUESTIONS if is_search else 0
        if requests_left(policy) <= kept_back:
            return None
        health.note_request()
        return MaveCall.objects.create(purpose=purpose, research=research)


def is_fresh(call: MaveCall) -> bool:
    """Whether the row is young enough to send its request.

    A worker may be frozen after it wrote the row. Its request would then come in a minute in which
    the ledger does not count it.
    """
    return MaveCall.objects.filter(pk=call.pk, started_at__gte=Now() - BEGIN_WITHIN).exists()


def may_send(call: MaveCall) -> bool:
    """Whether a free request may be sent; if its row is too old, settle the row as not sent."""
    if is_fresh(call):
        return True
    call.settle(MaveCall.Outcome.NOT_SENT, detail="not made in time after its row")
    return False


def may_begin(standstill: Standstill | None = None) -> bool:
    """Whether something due could begin now. Locks nothing and claims nothing."""
    return workers_wanted(standstill) > 0


def workers_wanted(standstill: Standstill | None = None) -> int:
    """How many workers would find something to do; an estimate, for waking them."""
    if not Mave().is_configured:
        return 0
    standstill = standstill or Standstill()
    policy, health = standstill.policy, standstill.health
    if _is_stopped(standstill):
        return int(health.is_probe_due(policy))
    by_status = Research.objects.due().order_by().values_list("status").annotate(Count("pk"))
    due = dict(by_status)
    questions = due.pop(Research.Status.QUEUED, 0)
    searches = sum(due.values())
    if questions and _most_urgent(standstill):
        one_by_one = health.is_breaker_open or health.is_spaced
        questions = min(questions, 1 if one_by_one else slots_free(standstill))
    else:
        questions = 0
    wanted = searches + questions
    return min(wanted, requests_left(policy)) if wanted else 0


def slots_free(standstill: Standstill | None = None) -> int:
    """How many further calls may begin at once."""
    standstill = standstill or Standstill()
    if standstill.policy.paused_at or not Mave().is_configured:
        return 0
    return max(0, standstill.policy.concurrency - standstill.in_flight)


def requests_left(policy: ResearchPolicy) -> int:
    """How many requests of any purpose the running minute still has."""
    recent = MaveCall.objects.filter(started_at__gt=Now() - (MINUTE + SEND_WITHIN))
    return max(0, policy.requests_per_minute - recent.count())


def why_waiting(
    policy: ResearchPolicy, priority: int = Priority.LOW, persona: Persona | None = None
) -> str:
    """In words and with Mavera's code, what holds research back now; empty if nothing does."""
    return Standstill(policy).reason(priority, persona).in_full


def _is_stopped(standstill: Standstill) -> bool:
    return standstill.policy.paused_at is not None or standstill.health.is_held


def _first(rows: ResearchQuerySet) -> int | None:
    key: int | None = rows.values_list("pk", flat=True).first()
    return key


def _most_urgent(standstill: Standstill) -> int | None:
    """The key of the next question that all limits allow.

    Does not count the requests of the minute.
    """
    policy, health = standstill.policy, standstill.health
    if standstill.in_flight >= policy.concurrency:
        return None
    if not health.admits(Research.objects.in_flight()):
        return None
    least = standstill.account.least_priority
    if least is None:
        return None
    queued = Research.objects.due().filter(status=Research.Status.QUEUED, priority__gte=least)
    # One query for all personas, however long the queue of one of them is.
    if used_up := standstill.used_up_personas:
        queued = queued.exclude(persona__in=used_up)
    if health.is_breaker_open:  # a question that makes Mave fail must not be every trial
        return _first(queued.order_by(F("started_at").asc(nulls_first=True), *BY_URGENCY))
    return _first(queued.order_by(*BY_URGENCY))


def _lease_search(research: Research) -> Search | None:
    """Lease the search for a lost answer; None, and queue the question, if it was never paid."""
    is_abandoned = research.status == Research.Status.RUNNING
    call = research.calls.chats().order_by("-pk").first()
    token = research.claim_search()
    if call is None or call not in MaveCall.objects.maybe_paid():
        research.ask_again(token, _GONE)
        return None
    if is_abandoned:  # whether it was charged is not known
        call.settle(MaveCall.Outcome.UNKNOWN, detail=_GONE)
        call.refresh_from_db()
    return Search(research, token, call)


def _lease_question(research: Research) -> Ticket | None:
    """Lease a question and enter its call; None, and cancel it, if no open brief waits for it."""
    if not Research.objects.filter(pk=research.pk).wanted().exists():
        research.cancel("no open brief waits for it any more")
        return None
    same = Q(question_hash=research.question_hash, status__in=Research.GIVEN_UP)
    asked = Research.objects.filter(Q(pk=research.pk) | same)  # this row and those given up
    is_repeat = MaveCall.objects.maybe_paid().filter(research__in=asked).exists()
    token = research.claim()
    call = MaveCall.objects.create(
        research=research,
        reference=f"savedesk-{research.pk}-{secrets.token_hex(6)}",
        asked_by_id=research.asked_by_id,
        credits=RESERVED_CREDITS,
        is_repeat=is_repeat,
    )
    return Ticket(research, token, call)
