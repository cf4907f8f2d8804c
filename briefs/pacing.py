"""Decides whether another call to Mave may begin: the one place where its limits are counted.

The policy row is locked in a statement of its own and the ledger is counted in the next ones.
Counting inside the locking statement sees the state before the lock and lets too many through.
"""

import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Q, Sum
from django.db.models.functions import Now, TruncDay, TruncMonth

from briefs.mave import Mave
from briefs.models import Brief, MaveCall, Priority, Research, ResearchPolicy
from briefs.models.research import MAX_TRIES

RESERVED_CREDITS = 75  # the most that one answer is said to cost
WINDOW = timedelta(seconds=60)
_GONE = "the worker was gone before the answer came"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to make one call: the leased research, its token, and its row in the ledger."""

    research: Research
    token: uuid.UUID
    call: MaveCall


def claim_next() -> Ticket | None:
    """Lease the most urgent due question and enter its call in the ledger, or return None.

    None means that nothing is due or that a limit is reached; `why_waiting` says which.
    """
    if not Mave().is_configured:
        return None
    while True:  # each round claims, or ends one question that need not or must not be asked
        with transaction.atomic():
            policy = ResearchPolicy.locked()
            if policy.paused_at or _full(policy):
                return None
            candidate = _most_urgent(policy)
            if candidate is None:
                return None
            # Locked before it is looked at: a brief may join it, or its answer arrive, right now.
            research = Research.objects.due().select_for_update().filter(pk=candidate.pk).first()
            if research and _is_worth_asking(research):
                return _enter(research)


def may_begin() -> bool:
    """Whether a due question could be asked now; nothing is locked or claimed."""
    policy = ResearchPolicy.current()
    return bool(
        Mave().is_configured and not policy.paused_at and not _full(policy) and _most_urgent(policy)
    )


def slots_free() -> int:
    """How many further calls may begin at once; an estimate, for waking workers."""
    policy = ResearchPolicy.current()
    if policy.paused_at or not Mave().is_configured:
        return 0
    return max(0, policy.concurrency - Research.objects.in_flight().count())


def why_waiting(policy: ResearchPolicy, priority: int = Priority.LOW) -> str:
    """In words, what holds research back at present; empty if nothing does."""
    if not Mave().is_configured:
        return "Mave is not connected: MAVERA_API_KEY is not set"
    if policy.paused_at:
        return f"research is paused: {policy.paused_reason}"
    spending = spent()
    if not _affordable(policy, Priority.URGENT, spending):
        return "the research budget is used up for now"
    if not _affordable(policy, priority, spending):
        return "the research budget is down to its reserve, which is for urgent briefs"
    return ""


def _full(policy: ResearchPolicy) -> bool:
    if Research.objects.in_flight().count() >= policy.concurrency:
        return True
    recent = MaveCall.objects.filter(started_at__gt=Now() - WINDOW)
    return recent.count() >= policy.requests_per_minute


def _most_urgent(policy: ResearchPolicy) -> Research | None:
    spending = spent()
    least = next((p for p in Priority if _affordable(policy, p, spending)), None)
    if least is None:
        return None
    due = Research.objects.due().filter(priority__gte=least)
    return due.order_by("-priority", "created_at").first()


def _affordable(policy: ResearchPolicy, priority: int, spending: tuple[int, int]) -> bool:
    kept_back = 0 if priority >= Priority.URGENT else policy.urgent_reserve
    return all(
        budget is None or used + RESERVED_CREDITS <= max(0, budget - kept_back)
        for used, budget in zip(spending, (policy.day_budget, policy.month_budget), strict=True)
    )


def spent() -> tuple[int, int]:
    """Credits of this day and of this month (UTC), reservations included."""
    sums = MaveCall.objects.filter(started_at__gte=TruncMonth(Now())).aggregate(
        day=Sum("credits", filter=Q(started_at__gte=TruncDay(Now())), default=0),
        month=Sum("credits", default=0),
    )
    return sums["day"], sums["month"]


def _is_worth_asking(research: Research) -> bool:
    """Whether to ask it; if not, it ends here."""
    # A call that was under way when its worker died: nobody knows whether it was charged.
    left_behind = research.calls.filter(outcome=MaveCall.Outcome.PENDING)
    for call in left_behind:
        call.settle(MaveCall.Outcome.UNKNOWN, detail=_GONE)
    if not Brief.objects.open().filter(research=research).exists():
        research.cancel("no open brief waits for it any more")
        return False
    if research.lease_token and research.tries >= MAX_TRIES:
        return not research.fail(research.lease_token, f"{_GONE} (try {research.tries}, the last)")
    return True


def _enter(research: Research) -> Ticket:
    unpaid = (MaveCall.Outcome.REFUSED, MaveCall.Outcome.NOT_SENT)
    is_repeat = research.calls.exclude(outcome__in=unpaid).exists()
    token = research.claim()
    call = MaveCall.objects.create(
        research=research,
        reference=f"savedesk-{research.pk}-{secrets.token_hex(6)}",
        credits=RESERVED_CREDITS,
        is_repeat=is_repeat,
    )
    return Ticket(research, token, call)


def credits_saved() -> int:
    """Credits that sharing answers spared: each sharing brief counts what its answer cost."""
    shared = (
        Research.objects.filter(status=Research.Status.DONE)
        .annotate(sharing=Count("briefs", filter=Q(briefs__basis=Brief.Basis.SHARED)))
        .values_list("sharing", "credits")
    )
    return sum(sharing * (credits or 0) for sharing, credits in shared)
