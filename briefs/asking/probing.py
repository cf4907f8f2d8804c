"""Resumes research that Mavera herself stopped, once a request that costs nothing goes well."""

import logging

from django.db import transaction

from briefs.asking import breaker, pacing
from briefs.asking.budget import RESERVED_CREDITS
from briefs.asking.mave import Mave, MaveError
from briefs.models import MaveCall, MaveHealth, ResearchPolicy

logger = logging.getLogger(__name__)
NO_CREDITS, NO_ACCESS = 402, 403


def probe() -> bool:
    """If a probe is due, make it: True if research goes on. Never raises for Mavera's faults."""
    policy = _claim()
    if policy is None:
        return False
    purpose = MaveCall.Purpose.USAGE
    if policy.paused_status == NO_ACCESS:
        purpose = MaveCall.Purpose.THREADS
    call = pacing.admit_read(purpose, while_paused=True)
    if call is None:
        return False
    trouble = read(call, policy.paused_status)
    if trouble:
        logger.info("research stays paused: %s", trouble)
        return False
    return _resume(policy)


def read(call: MaveCall, status: int | None) -> str:
    """Make the free request and settle its row; returns what is still wrong, or nothing."""
    mave = Mave()
    try:
        if call.purpose == MaveCall.Purpose.THREADS:
            mave.threads({"limit": "1"})
            left = None
        else:
            left = mave.usage().remaining
    except MaveError as error:
        settle_read(call, mave, error)
        return str(error)
    settle_read(call, mave)
    if status == NO_CREDITS and left is not None and left < RESERVED_CREDITS:
        return f"Mavera says that {left:,.0f} credits are left"
    return ""


def settle_read(call: MaveCall, mave: Mave, error: MaveError | None = None) -> None:
    """End the row of a free request, and heed what its answer asks of everybody."""
    if error is None:
        call.settle(MaveCall.Outcome.ANSWERED, http_status=200)
        breaker.slow_down(mave.rate_limit)
    else:
        outcome = MaveCall.Outcome.REFUSED if error.is_sent else MaveCall.Outcome.NOT_SENT
        call.settle(outcome, http_status=error.http_status, detail=str(error))
        breaker.heed(error, mave.rate_limit)


@transaction.atomic
def _claim() -> ResearchPolicy | None:
    policy = ResearchPolicy.locked()
    if not breaker.is_probe_due(policy, MaveHealth.current()):
        return None
    breaker.put_probe_off()
    return policy


@transaction.atomic
def _resume(before: ResearchPolicy) -> bool:
    """Resume, unless somebody paused it for a reason of their own meanwhile."""
    policy = ResearchPolicy.locked()
    if policy.paused_at != before.paused_at:
        return False
    policy.resume()
    logger.info("research goes on: what had paused it is over (%s)", before.paused_reason)
    return True
