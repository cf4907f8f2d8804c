"""What Mavera's answers ask of all workers: to wait, to leave her alone, to ask for free first.

All of it stands in one row, written under the policy's lock and read by the database's clock.
"""

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q
from django.db.models.functions import Now

from briefs.models import MaveCall, MaveHealth, ResearchPolicy
from briefs.models.research import ResearchQuerySet
from providers.mavera import MaveError, RateLimit

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(minutes=5)
ENOUGH_CALLS = 6  # of which half must have failed
FIRST_PAUSE_SECONDS = 60
LONGEST_PAUSE_SECONDS = 15 * 60
FEW_REQUESTS = 10  # left in Mavera's minute: from here on requests are spread over its rest
SHORTEST_SPACE_SECONDS = 0.5
_FEW = "few requests are left in Mavera's minute"


# Asking first: whether a request may begin.


def is_held(health: MaveHealth) -> bool:
    """Mavera asked everybody to wait, and the time is not over."""
    return health.held_until is not None and health.held_until > health.now


def held_for(health: MaveHealth) -> float:
    """Seconds until Mavera may be asked again; 0 if she may now."""
    if health.held_until is None:
        return 0.0
    return max((health.held_until - health.now).total_seconds(), 0.0)


def is_open(health: MaveHealth) -> bool:
    """She failed too often: open until a single call has shown that she works again."""
    return health.breaker_until is not None


def lets_through(health: MaveHealth, in_flight: ResearchQuerySet) -> bool:
    """Whether the breaker admits a call: always when closed, one at a time after its pause."""
    if health.breaker_until is None:
        return True
    if health.breaker_until > health.now:
        return False
    return not in_flight.filter(started_at__gte=health.opened_at).exists()


def why_held(health: MaveHealth) -> str:
    if health.breaker_until is not None:
        return f"Mave fails ({health.breaker_reason}) and is tried again at {_clock(health)}"
    if is_held(health):
        return health.held_reason
    return ""


def _clock(health: MaveHealth) -> str:
    at = max(health.breaker_until or health.now, health.now)
    return f"{at:%H:%M} UTC"


# Telling afterwards: what came of it.


def hold(seconds: float, reason: str) -> None:
    """Let nobody begin a request for so long; a longer hold that is on already stays."""
    until = Now() + timedelta(seconds=seconds)
    row = MaveHealth.objects.filter(pk=MaveHealth.current().pk)
    row.filter(Q(held_until=None) | Q(held_until__lt=until)).update(
        held_until=until, held_reason=reason[:300]
    )


def slow_down(limit: RateLimit | None) -> None:
    """Spread what is left of Mavera's minute over its rest: others may use the same key."""
    if limit is None or limit.remaining >= FEW_REQUESTS:
        return
    space = limit.resets_in / (max(limit.remaining, 0) + 1)
    space = max(space, SHORTEST_SPACE_SECONDS)
    until = Now() + timedelta(seconds=limit.resets_in)
    MaveHealth.objects.filter(pk=MaveHealth.current().pk).update(
        spaced_until=until, space_seconds=space
    )
    hold(space, _FEW)


def let_through(health: MaveHealth) -> None:
    """A request begins: where few are left, the next one waits. Needs the policy's lock."""
    if is_spaced(health):
        hold(health.space_seconds, _FEW)


def is_spaced(health: MaveHealth) -> bool:
    """Few requests are left in Mavera's minute, so one at a time is let through."""
    return health.spaced_until is not None and health.spaced_until > health.now


def heed(error: MaveError, limit: RateLimit | None) -> None:
    """What an error asks of everybody: to wait, or to stop until the account is in order."""
    if error.http_status == 429:
        hold(max(error.retry_after or 0, 1), f"Mavera asked to wait: {error}")
    elif error.is_account_wide:
        with transaction.atomic():
            if ResearchPolicy.locked().pause(str(error), error.http_status):
                put_probe_off()
    else:
        slow_down(limit)


def answered(call: MaveCall) -> None:
    """Mave answered this call: a trial closes the breaker, and probes begin with a short pause."""
    health = MaveHealth.current()
    if health.probe_pause_seconds or is_open(health):
        _recover(call)


@transaction.atomic
def _recover(call: MaveCall) -> None:
    ResearchPolicy.locked()
    health = MaveHealth.current()
    fields: dict[str, Any] = {"probe_pause_seconds": 0}
    if is_open(health) and is_trial(call, health):
        logger.info("Mave answers again: the breaker is closed")
        fields |= {
            "opened_at": None,
            "breaker_until": None,
            "breaker_pause_seconds": 0,
            "breaker_reason": "",
            "closed_at": Now(),
        }
    MaveHealth.objects.filter(pk=1).update(**fields)


@transaction.atomic
def failed(call: MaveCall, reason: str) -> bool:
    """Mave failed this call, and the ledger says so already. True if it was only a trial.

    Opens the breaker if half of at least six calls failed of late; a trial that fails leaves it
    open for twice as long.
    """
    ResearchPolicy.locked()
    health = MaveHealth.current()
    if is_open(health):
        if not is_trial(call, health):
            return False
        _open(health, min(2 * health.breaker_pause_seconds, LONGEST_PAUSE_SECONDS), reason)
        return True
    if _fails_often(health):
        _open(health, FIRST_PAUSE_SECONDS, reason)
    return False


def is_trial(call: MaveCall, health: MaveHealth) -> bool:
    """Whether the call was let through to find out whether Mave works again."""
    return health.opened_at is not None and call.started_at >= health.opened_at


def _fails_often(health: MaveHealth) -> bool:
    since = max(health.now - LOOK_BACK, health.closed_at or health.now - LOOK_BACK)
    ended = MaveCall.objects.chats().filter(finished_at__gt=since)
    counts = ended.aggregate(
        failed=Count("pk", filter=Q(is_fault=True)),
        all=Count("pk", filter=Q(is_fault=True) | Q(outcome=MaveCall.Outcome.ANSWERED)),
    )
    return bool(counts["all"] >= ENOUGH_CALLS and 2 * counts["failed"] >= counts["all"])


def _open(health: MaveHealth, seconds: int, reason: str) -> None:
    logger.warning("Mave is left alone for %d s: %s", seconds, reason)
    MaveHealth.objects.filter(pk=1).update(
        opened_at=health.opened_at or Now(),
        breaker_until=Now() + timedelta(seconds=seconds),
        breaker_pause_seconds=seconds,
        breaker_reason=reason[:300],
    )


# Paused by Mavera herself: asked for free, now and then, whether that is over.


def is_probe_due(policy: ResearchPolicy, health: MaveHealth) -> bool:
    if policy.paused_at is None or policy.paused_status is None or is_held(health):
        return False
    return health.probe_at is None or health.probe_at <= health.now


def put_probe_off() -> None:
    """The next probe comes later, and the one after that later still. Needs the policy's lock."""
    health = MaveHealth.current()
    seconds = min(max(2 * health.probe_pause_seconds, FIRST_PAUSE_SECONDS), LONGEST_PAUSE_SECONDS)
    MaveHealth.objects.filter(pk=1).update(
        probe_at=Now() + timedelta(seconds=seconds), probe_pause_seconds=seconds
    )
