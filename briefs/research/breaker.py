"""What an answer of Mavera asks of all workers: to wait, to leave it alone, to ask for free first.

This is the order of the steps; the states and the arrows are those of `MaveHealth`, one row.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Q

from briefs.models import MaveCall, MaveHealth, ResearchPolicy
from providers.mavera import MaveError, RateLimit, in_full

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(minutes=5)
ENOUGH_CALLS = 6  # of which half must have failed
FEW_REQUESTS = 10  # left in Mavera's minute: from here on requests are spread over its rest
SHORTEST_SPACE_SECONDS = 0.5


def slow_down(limit: RateLimit | None) -> None:
    """Spread what is left of Mavera's minute over its rest: others may use the same key."""
    if limit is None or limit.remaining >= FEW_REQUESTS:
        return
    space = limit.resets_in / (max(limit.remaining, 0) + 1)
    MaveHealth.current().space(limit.resets_in, max(space, SHORTEST_SPACE_SECONDS))


def heed(error: MaveError, limit: RateLimit | None) -> None:
    """What an error asks of everybody: to wait, or to stop until the account is in order."""
    if error.http_status == 429:
        seconds = max(error.retry_after or 0, 1)
        MaveHealth.current().hold(seconds, error.words, error.code)
    elif error.is_account_wide:
        with transaction.atomic():
            if ResearchPolicy.locked().pause(error.words, error.http_status, error.code):
                MaveHealth.current().put_probe_off()
    else:
        slow_down(limit)


def answered(call: MaveCall) -> None:
    """Mave answered this call: a trial closes the breaker, and probes begin with a short pause."""
    health = MaveHealth.current()
    if not (health.probe_pause_seconds or health.is_breaker_open):
        return
    with transaction.atomic():
        ResearchPolicy.locked()
        health = MaveHealth.current()
        health.end_probing()
        if health.is_trial(call) and health.close_breaker():
            logger.info("Mave answers again: the breaker is closed")


@transaction.atomic
def failed(call: MaveCall, reason: str, code: str = "") -> bool:
    """Mave failed this call, and the ledger says so already. True if it was only a trial.

    Opens the breaker if half of at least six calls failed of late; a trial that fails leaves it
    open for twice as long.
    """
    ResearchPolicy.locked()
    health = MaveHealth.current()
    is_trial = health.is_trial(call)
    if is_trial or (not health.is_breaker_open and _fails_often(health)):
        seconds = health.open_breaker(reason, code)
        logger.warning("Mave is left alone for %d s: %s", seconds, in_full(reason, code))
    return is_trial


def _fails_often(health: MaveHealth) -> bool:
    since = max(health.now - LOOK_BACK, health.closed_at or health.now - LOOK_BACK)
    ended = MaveCall.objects.chats().filter(finished_at__gt=since)
    counts = ended.aggregate(
        failed=Count("pk", filter=Q(is_fault=True)),
        all=Count("pk", filter=Q(is_fault=True) | Q(outcome=MaveCall.Outcome.ANSWERED)),
    )
    return bool(counts["all"] >= ENOUGH_CALLS and 2 * counts["failed"] >= counts["all"])
