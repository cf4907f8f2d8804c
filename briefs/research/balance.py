"""Mavera's own count of our credits, read once an hour while research is in use, beside ours."""

import logging
import math
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, Sum
from django.db.models.functions import Now

from briefs.models import MaveCall, ResearchPolicy, UsageReading
from briefs.research import pacing, probing
from briefs.research.accounts import Account
from briefs.times import clock_and_day, short_day
from providers.mavera import Mave, MaveError, Usage

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
KEPT = timedelta(days=100)  # older readings are deleted
MOST = 2**31 - 1  # the largest number that the columns take


def read_if_due() -> None:
    """Read Mavera's balance if an hour has passed and a question was asked since the last reading.

    Free, and only if the minute has more requests left than the workers need. An error of Mavera
    is logged, not raised.
    """
    if not (Mave().is_configured and _is_due()):
        return
    with transaction.atomic():
        policy = ResearchPolicy.locked()
        # Checked again under the lock: another worker may have begun the request.
        if not _is_due() or pacing.requests_left(policy) <= pacing.workers_wanted():
            return
        call = pacing.admit_read(MaveCall.Purpose.USAGE)
    if call is None or not pacing.may_send(call):
        return
    mave = Mave()
    try:
        usage = mave.usage()
    except MaveError as error:
        logger.warning("Mavera's balance was not read: %s", error)
        probing.settle_read(call, mave, error)
        return
    probing.settle_read(call, mave)
    record(usage)


def _is_due() -> bool:
    """Whether the balance was not requested for an hour, and a question was since the last reading.

    The first reading is due an hour after the first question.
    """
    an_hour_ago = Now() - EVERY
    if MaveCall.objects.filter(purpose=MaveCall.Purpose.USAGE, started_at__gt=an_hour_ago).exists():
        return False
    last, asked = latest(), MaveCall.objects.chats()
    if last is None:
        return asked.filter(started_at__lte=an_hour_ago).exists()
    return asked.filter(started_at__gt=last.at).exists()


def latest() -> UsageReading | None:
    return UsageReading.objects.order_by("-at").first()


def record(usage: Usage) -> UsageReading | None:
    """Store a reading and delete old ones; None if Mavera does not say what is used."""
    used = _whole(usage.used)
    if used is None:
        return None
    reading = UsageReading.objects.create(
        period_start=usage.period_start,
        period_end=usage.period_end,
        used=used,
        included=_whole(usage.included),
        remaining=_whole(usage.remaining),
        has_auto_recharge=usage.has_auto_recharge,
        **_our_count(usage.period_start, usage.period_end),
    )
    UsageReading.objects.filter(at__lt=Now() - KEPT).delete()
    reading.refresh_from_db()
    return reading


def _our_count(start: datetime | None, end: datetime | None) -> dict[str, int]:
    """What our ledger counts for that period; nothing if Mavera names no period."""
    if start is None:
        return {}
    calls = MaveCall.objects.filter(started_at__gte=start)
    if end is not None:
        calls = calls.filter(started_at__lte=end)
    is_open = Q(outcome__in=(MaveCall.Outcome.PENDING, MaveCall.Outcome.UNKNOWN))
    return calls.aggregate(
        ledger=Sum("credits", filter=~is_open, default=0),
        reserved=Sum("credits", filter=is_open, default=0),
    )


def _whole(figure: float | None) -> int | None:
    if figure is None or not math.isfinite(figure):
        return None
    return min(max(0, round(figure)), MOST)


# In words.


def words(reading: UsageReading) -> str:
    """Mavera's figure beside that of our ledger."""
    of = "" if reading.included is None else f" of {reading.included:,}"
    since = "" if reading.period_start is None else f" since {short_day(reading.period_start)}"
    told = f"Mavera says {reading.used:,}{of} used{since} (read {clock_and_day(reading.at)})"
    if reading.ledger is None:
        return f"{told}; it does not say since when, so our ledger cannot be compared."
    gap = reading.used - reading.ledger
    ours = f"{told}; our ledger has {reading.ledger:,}"
    if gap > 0:
        return f"{ours}: {gap:,} were used by others or by calls whose outcome is unknown."
    if gap < 0:
        return f"{ours}: an answer that does not say what it cost counts there as the most."
    return f"{ours}, just as much."


def trouble(reading: UsageReading, allowed: int | None) -> tuple[str, str] | None:
    """What is wrong with the balance, and the cure; None if nothing is.

    allowed: credits that our budgets still allow until the billing period ends; None: no limit.
    """
    if reading.is_suspicious:
        return (
            f"Mavera counts {reading.unexplained:,} credits more than our ledger can explain "
            f"({reading.used:,} since {short_day(reading.period_start)}): somebody else uses this "
            "key, or answers were paid that never arrived",
            "give Savedesk a key of its own, and look through the ledger for calls that failed",
        )
    left = reading.remaining
    if left is None or allowed is None or left >= allowed or reading.has_auto_recharge:
        return None
    return (
        f"{left:,} credits are left at Mavera, and the budgets still allow {allowed:,}: Mavera "
        "refuses before they are used up, and then all research pauses, urgent or not",
        "buy credits, or lower the budgets so that the reserve for the most urgent briefs holds",
    )


def present_trouble(account: Account, now: datetime) -> tuple[str, str] | None:
    """What is wrong with the latest reading, unless its billing period is over."""
    reading = latest()
    if reading is None or (reading.period_end is not None and reading.period_end < now):
        return None
    return trouble(reading, account.still_allowed(reading.period_end))
