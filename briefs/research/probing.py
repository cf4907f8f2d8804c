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
    with transaction.atomic():
        policy = ResearchPolicy.locked()
        health = MaveHealth.current()
        if not health.is_probe_due(policy):
            return False
        health.put_probe_off()
    purpose = MaveCall.Purpose.USAGE
    if policy.paused_status not in (NO_KEY, NO_CREDITS):
        purpose = MaveCall.Purpose.THREADS  # closer to the refused request than the balance is
    trouble = _try_for_free(purpose, policy.paused_status)
    if trouble:
        logger.info("research stays paused: %s", trouble)
        return False
    with transaction.atomic():
        latest = ResearchPolicy.locked()
        if latest.paused_at != policy.paused_at:  # meanwhile a person paused it for another reason
            return False
        latest.resume()
    logger.info("research goes on: what had paused it is over (%s)", policy.paused_in_full)
    return True


def _try_for_free(purpose: MaveCall.Purpose, status: int | None) -> str:
    """Make a free request; returns what is still wrong, empty if nothing is.

    status: the answer of Mavera that paused research.
    """
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
        if purpose == MaveCall.Purpose.USAGE and _is_about_balance_alone(error):
            return _try_for_free(MaveCall.Purpose.THREADS, status)
        return str(error)
    settle_read(call, mave)
    if status != NO_CREDITS or usage is None or usage.has_auto_recharge:
        return ""
    if usage.remaining is None or usage.remaining >= RESERVED_CREDITS:
        return ""
    return f"Mavera says that {usage.remaining:,.0f} credits are left"


def _is_about_balance_alone(error: MaveError) -> bool:
    """Whether only the balance cannot be read: some keys may not, and some accounts have none."""
    status = error.http_status
    return status is not None and status < 500 and status not in (NO_KEY, NO_CREDITS, TOO_MANY)


def settle_read(
    call: MaveCall, mave: Mave, error: MaveError | None = None, *, may_pause: bool = True
) -> None:
    """Settle the row of a free request, and apply to all workers what its answer means.

    may_pause: False if a refusal may be about the one thing that was read, so that it must not
    pause research. A refused key always pauses it.
    """
    if error is None:
        call.settle(MaveCall.Outcome.ANSWERED, http_status=200)
        breaker.slow_down(mave.rate_limit)
    else:
        outcome = MaveCall.Outcome.REFUSED if error.is_sent else MaveCall.Outcome.NOT_SENT
        call.settle(outcome, http_status=error.http_status, detail=str(error))
        if may_pause or error.http_status == NO_KEY or not error.is_account_wide:
            breaker.after_error(error, mave.rate_limit)
