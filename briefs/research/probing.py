"""Resumes research that Mavera itself stopped, once a request that costs nothing goes well."""

import logging

from django.db import transaction

from briefs.models import MaveCall, MaveHealth, ResearchPolicy
from briefs.research import breaker, pacing
from briefs.research.accounts import RESERVED_CREDITS
from providers.mavera import Mave, MaveError

logger = logging.getLogger(__name__)
NO_KEY, NO_CREDITS, TOO_MANY = 401, 402, 429


def probe() -> bool:
    """If a probe is due, make it: True if research goes on. Never raises for Mavera's faults."""
    policy = _claim()
    if policy is None:
        return False
    purpose = MaveCall.Purpose.USAGE
    if policy.paused_status not in (NO_KEY, NO_CREDITS):
        purpose = MaveCall.Purpose.THREADS  # nearer to what was refused than the balance
    trouble = _read(purpose, policy.paused_status)
    if trouble:
        logger.info("research stays paused: %s", trouble)
        return False
    return _resume(policy)


def _read(purpose: MaveCall.Purpose, status: int | None) -> str:
    """Make a free request; returns what is still wrong, or nothing."""
    call = pacing.admit_read(purpose, while_paused=True)
    if call is None:
        return "no request is left for a probe"
    if not pacing.may_send(call):
        return "the probe was not made in time"
    mave, usage = Mave(), None
    try:
        if purpose == MaveCall.Purpose.THREADS:
            mave.threads({"limit": "1"})
        else:
            usage = mave.usage()
    except MaveError as error:
        settle_read(call, mave, error)
        if purpose == MaveCall.Purpose.USAGE and _tells_nothing(error):
            return _read(MaveCall.Purpose.THREADS, status)
        return str(error)
    settle_read(call, mave)
    if status != NO_CREDITS or usage is None or usage.has_auto_recharge:
        return ""
    if usage.remaining is None or usage.remaining >= RESERVED_CREDITS:
        return ""
    return f"Mavera says that {usage.remaining:,.0f} credits are left"


def _tells_nothing(error: MaveError) -> bool:
    """Whether it is only the balance that cannot be read: not every key may, or account has one."""
    status = error.http_status
    return status is not None and status < 500 and status not in (NO_KEY, NO_CREDITS, TOO_MANY)


def settle_read(
    call: MaveCall, mave: Mave, error: MaveError | None = None, *, may_pause: bool = True
) -> None:
    """End the row of a free request, and heed what its answer asks of everybody.

    may_pause: whether a refusal is about the account, and not about what was to be read. That of
    the key always is.
    """
    if error is None:
        call.settle(MaveCall.Outcome.ANSWERED, http_status=200)
        breaker.slow_down(mave.rate_limit)
    else:
        outcome = MaveCall.Outcome.REFUSED if error.is_sent else MaveCall.Outcome.NOT_SENT
        call.settle(outcome, http_status=error.http_status, detail=str(error))
        if may_pause or error.http_status == NO_KEY or not error.is_account_wide:
            breaker.heed(error, mave.rate_limit)


@transaction.atomic
def _claim() -> ResearchPolicy | None:
    policy = ResearchPolicy.locked()
    health = MaveHealth.current()
    if not health.is_probe_due(policy):
        return None
    health.put_probe_off()
    return policy


@transaction.atomic
def _resume(before: ResearchPolicy) -> bool:
    """Resume, unless somebody paused it for a reason of their own meanwhile."""
    policy = ResearchPolicy.locked()
    if policy.paused_at != before.paused_at:
        return False
    policy.resume()
    logger.info("research goes on: what had paused it is over (%s)", before.paused_in_full)
    return True
