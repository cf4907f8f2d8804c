"""Decides whether another request to Mavera may begin: the one place where its limits are counted.

The policy row is locked in a statement of its own and the ledger is counted in the next ones.
Counting inside the locking statement sees the state before the lock and lets too many through.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from briefs.models import Brief, MaveCall, MaveHealth, Priority, Research, ResearchPolicy
from briefs.research import spending
from briefs.research.reasons import Reason
from briefs.research.spending import RESERVED_CREDITS
from briefs.times import clock
from personas.models import Persona
from providers.mavera import CONNECT_SECONDS, Mave

MINUTE = timedelta(seconds=60)
# A request follows its row in the ledger within this time, or is not sent: so Mavera's own clock
# never sees more in a minute than the ledger does in a little longer.
BEGIN_WITHIN = timedelta(seconds=3)
SEND_WITHIN = BEGIN_WITHIN + timedelta(seconds=CONNECT_SECONDS)
KEPT_FOR_QUESTIONS = 4  # this part of a minute's requests: a long search must not hold them up
BY_URGENCY = ("-priority", "created_at")
_GONE = "the worker was gone before the answer came"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to make one paid call: the leased research, its token, and its row in the ledger."""

    research: Research
    token: uuid.UUID
    call: MaveCall

    @property
    def is_good(self) -> bool:
        """Whether the call may be made this very moment."""
        return self.research.still_held(self.token) and is_fresh(self.call)


@dataclass(frozen=True, slots=True)
class Search:
    """Leave to look for a lost answer; each of its requests needs leave of its own."""

    research: Research
    token: uuid.UUID
    call: MaveCall  # the lost one


def claim_next() -> Ticket | Search | None:
    """Lease a lost answer to look for, or the most urgent due question; None if neither may be.

    None means that nothing is due or that a limit is reached; `why_waiting` says which. A question
    is entered in the ledger before this returns.
    """
    if not Mave().is_configured:
        return None
    while True:  # each round claims, or ends one question that need not or must not be asked
        with transaction.atomic():
            policy = ResearchPolicy.locked()
            health = MaveHealth.current()
            if _is_held(policy, health) or requests_left(policy) < 1:
                return None
            lost = Research.objects.due().lost().order_by(*BY_URGENCY).first()
            candidate = lost or _most_urgent(policy, health)
            if candidate is None:
                return None
            # Locked before it is looked at: a brief may join it, or its answer arrive, right now.
            research = Research.objects.due().select_for_update().filter(pk=candidate.pk).first()
            claimed = research and (_search(research) if lost else _enter(research))
            if isinstance(claimed, Ticket):
                health.note_request()
            if claimed:
                return claimed


def admit_read(
    purpose: MaveCall.Purpose, research: Research | None = None, *, while_paused: bool = False
) -> MaveCall | None:
    """Leave for one request that costs nothing, entered in the ledger; None if none is left."""
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
    """Whether a request may follow its row: one that was frozen meanwhile would be in nobody's
    minute."""
    return MaveCall.objects.filter(pk=call.pk, started_at__gte=Now() - BEGIN_WITHIN).exists()


def may_send(call: MaveCall) -> bool:
    """Whether a free request may follow its row; else its row is settled, and nothing is sent."""
    if is_fresh(call):
        return True
    call.settle(MaveCall.Outcome.NOT_SENT, detail="not made in time after its row")
    return False


def may_begin() -> bool:
    """Whether something due could begin now; nothing is locked or claimed."""
    return workers_wanted() > 0


def workers_wanted() -> int:
    """How many workers would find something to do; an estimate, for waking them."""
    policy, health = ResearchPolicy.current(), MaveHealth.current()
    if not Mave().is_configured:
        return 0
    if _is_held(policy, health):
        return int(health.is_probe_due(policy))
    searches = Research.objects.due().lost().count()
    questions = 0
    if _most_urgent(policy, health):
        one_by_one = health.is_breaker_open or health.is_spaced
        free = 1 if one_by_one else slots_free()
        questions = min(Research.objects.due().count() - searches, free)
    return min(searches + questions, requests_left(policy))


def slots_free() -> int:
    """How many further calls may begin at once."""
    policy = ResearchPolicy.current()
    if policy.paused_at or not Mave().is_configured:
        return 0
    return max(0, policy.concurrency - Research.objects.in_flight().count())


def requests_left(policy: ResearchPolicy) -> int:
    """How many requests of any purpose the running minute still has."""
    recent = MaveCall.objects.filter(started_at__gt=Now() - MINUTE - SEND_WITHIN)
    return max(0, policy.requests_per_minute - recent.count())


def why_waiting(
    policy: ResearchPolicy, priority: int = Priority.LOW, persona: Persona | None = None
) -> str:
    """In words and with Mavera's code, what holds research back at present; empty if nothing."""
    return what_holds(policy, priority, persona).in_full


def what_holds(
    policy: ResearchPolicy, priority: int = Priority.LOW, persona: Persona | None = None
) -> Reason:
    """What holds research back at present; an empty reason if nothing does.

    persona: whose own budget may hold a question back as well.
    """
    if not Mave().is_configured:
        return Reason("Mave is not connected: MAVERA_API_KEY is not set")
    if policy.paused_at:
        return _why_paused(policy)
    health = MaveHealth.current()
    if trouble := health.why_held:
        is_open = health.is_breaker_open
        return Reason(trouble, health.breaker_code if is_open else health.held_code)
    account = spending.account(policy, health.now)
    if not account.fits(Priority.URGENT):
        return Reason("the research budget is used up for now")
    if not account.fits(priority):
        return Reason("the research budget is down to its reserve, which is for urgent briefs")
    if persona and not spending.of_persona(persona, health.now).fits():
        return Reason(f"the month's research budget of “{persona}” is used up")
    return Reason()


def _why_paused(policy: ResearchPolicy) -> Reason:
    why = f"research is paused: {policy.paused_reason}"
    if not policy.is_paused_by_mavera:
        return Reason(why)
    at = MaveHealth.current().next_probe_at
    then = f"Mavera is asked again for free at {clock(at)}, and it resumes by itself"
    return Reason(why, policy.paused_code, then)


def _is_held(policy: ResearchPolicy, health: MaveHealth) -> bool:
    return policy.paused_at is not None or health.is_held


def _most_urgent(policy: ResearchPolicy, health: MaveHealth) -> Research | None:
    """The next question that may be asked, by all limits but the requests of the minute."""
    in_flight = Research.objects.in_flight()
    if in_flight.count() >= policy.concurrency or not health.admits(in_flight):
        return None
    least = spending.account(policy, health.now).least_priority
    if least is None:
        return None
    queued = Research.objects.due().filter(status=Research.Status.QUEUED, priority__gte=least)
    # Read for all personas at once: a long queue of one of them costs no query more.
    if used_up := spending.used_up_personas(health.now):
        queued = queued.exclude(persona__in=used_up)
    if health.is_breaker_open:  # one that Mave fails on must not be every trial there is
        return queued.order_by(F("started_at").asc(nulls_first=True), *BY_URGENCY).first()
    return queued.order_by(*BY_URGENCY).first()


def _search(research: Research) -> Search | None:
    """Lease a lost answer, or return None and queue what was certainly never paid."""
    is_abandoned = research.status == Research.Status.RUNNING
    call = research.calls.chats().order_by("-pk").first()
    token = research.claim_search()
    if call is None or call not in MaveCall.objects.maybe_paid():
        research.ask_again(token, _GONE)
        return None
    if is_abandoned:  # nobody knows whether it was charged
        call.settle(MaveCall.Outcome.UNKNOWN, detail=_GONE)
        call.refresh_from_db()
    return Search(research, token, call)


def _enter(research: Research) -> Ticket | None:
    """Lease a question and enter its call; None, and the question ends, if nobody waits for it."""
    wanted = Brief.objects.open()
    if not (wanted.filter(research=research) | wanted.filter(renewal=research)).exists():
        research.cancel("no open brief waits for it any more")
        return None
    same = Q(question_hash=research.question_hash, status__in=Research.GIVEN_UP)
    asked = Research.objects.filter(Q(pk=research.pk) | same)  # this one, and those lost before it
    is_repeat = MaveCall.objects.maybe_paid().filter(research__in=asked).exists()
    token = research.claim()
    call = MaveCall.objects.create(
        research=research,
        reference=f"savedesk-{research.pk}-{secrets.token_hex(6)}",
        credits=RESERVED_CREDITS,
        is_repeat=is_repeat,
    )
    return Ticket(research, token, call)
