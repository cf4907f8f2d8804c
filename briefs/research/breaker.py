"""What Mavera's answers mean for all workers: a wait, an open breaker, or a pause with free probes.

The order of the steps is here; the states and the arrows are in `MaveHealth`, one row.
"""

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Q

from briefs.models import MaveCall, MaveHealth, ResearchPolicy
from providers.mavera import MaveError, RateLimit, in_full

logger = logging.getLogger(__name__)

LOOK_BACK = timedelta(minutes=5)
ENOUGH_CALLS = 6  # the breaker opens if half of at least so many failed
FEW_REQUESTS = 10  # if fewer are left in Mavera's minute, they are spread over its rest
SHORTEST_SPACE_SECONDS = 0.5


def slow_down(limit: RateLimit | None) -> None:
    """Spread the last requests of Mavera's minute over its rest: others may use the same key."""
    if limit is None or limit.remaining >= FEW_REQUESTS:
        return
    space = limit.resets_in / (max(limit.remaining, 0) + 1)
    MaveHealth.current().space(limit.resets_in, max(space, SHORTEST_SPACE_SECONDS))


def after_error(error: MaveError, limit: RateLimit | None) -> None:
    """Let all workers wait as long as Mavera asked, or pause research if the account is refused."""
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
    """Mave answered this call: a trial closes the breaker, and the next probes begin soon again."""
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
    """Mave failed this call, and the call is settled already. True if the call was a trial.

    Opens the breaker if half of at least six calls in five minutes failed. After a failed trial
    it stays open for twice as long.
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
