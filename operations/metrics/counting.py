"""Once a minute the sweep counts into meters what happened since: counters of Prometheus.

Rows are changed and deleted, and a counter that falls is taken for one that began anew at 0. So
each thing is counted once, two minutes after it happened, and stays counted.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Min, OuterRef, Q, QuerySet, Subquery, Sum

from briefs.models import Brief, MaveCall, Notification, NotificationTarget
from webhooks.clock import database_now
from webhooks.models import Meter, MeterCount, ServiceBeat, Tally, WebhookEvent

# A row has the time of its statement, and others see it when its transaction ends.
LATE = timedelta(minutes=2)
WINDOW = timedelta(minutes=10)  # counted at a time, and this often if nobody counted for long
WINDOWS = 30
UNSETTLED = timedelta(days=2)  # a lost answer is found, or given up, within a day
UNSENT = timedelta(days=1)  # a message is tried for four hours
HOUR = timedelta(hours=1)

MINUTES, HOURS, DAYS = 60, 3600, 86400
# Upper bounds of the buckets, in seconds. They may grow in number; a bound that is left out makes
# the histograms of before and after differ.
BOUNDS = (1, 2.5, 5, 10, 30, MINUTES, 2 * MINUTES, 5 * MINUTES, 15 * MINUTES, 30 * MINUTES, HOURS,
          4 * HOURS, 8 * HOURS, DAYS, 2 * DAYS, 3 * DAYS, 7 * DAYS)  # fmt: skip
LABELS = [*(f"{bound:g}" for bound in BOUNDS), "+Inf"]
SUM = "sum"

Counts = defaultdict[tuple[str, str], float]


@dataclass(frozen=True, slots=True)
class Lag:
    """From when the event that opened a brief was received, to one moment of the brief."""

    name: str
    moment: str  # a field of the brief
    words: str


LAGS = (
    Lag("brief_lag", "created_at", "until its brief was there"),
    Lag("research_lag", "researched_at", "until its brief rested on an answer"),
    Lag("touch_lag", "first_touch_at", "until somebody logged the first contact"),
)


def count() -> None:
    """Count all that happened until two minutes ago, and forget hosts that are gone."""
    for _ in range(WINDOWS):
        if not _count_window():
            break
    ServiceBeat.objects.all().forget()


@transaction.atomic
def _count_window() -> bool:
    """Count one window; whether another one may be counted at once."""
    meter = Meter.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    now = database_now()
    if meter is None:  # the first one ever, or another worker counts
        Meter.objects.bulk_create([Meter(pk=1, counted_until=now)], ignore_conflicts=True)
        return False
    since, until = meter.counted_until, min(now - LATE, meter.counted_until + WINDOW)
    hour = _this_hour(now) - HOUR  # its answers may still be written down
    if until <= since:
        return False
    counts: Counts = defaultdict(float)
    for found in (_answers(meter.tallied_until, hour), _events(since, until),
                  _calls(since, until), _notifications(since, until)):  # fmt: skip
        counts.update(found)
    for lag in LAGS:
        counts.update(_lags(lag, since, until))
    MeterCount.objects.all().add(counts)
    meter.counted_until, meter.tallied_until = until, max(hour, meter.tallied_until)
    meter.save()
    return until < now - LATE


def _this_hour(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


Found = Iterator[tuple[tuple[str, str], float]]


def _answers(since: datetime, until: datetime) -> Found:
    tallies = Tally.objects.filter(hour__gte=since, hour__lt=until)
    for answer, number in tallies.values_list("answer").annotate(Sum("count")):
        yield ("answers", answer), number


def _events(since: datetime, until: datetime) -> Found:
    ended = WebhookEvent.objects.filter(finished_at__gt=since, finished_at__lte=until)
    for status, number in _by(ended, "status"):
        yield ("events", status), number


def _calls(since: datetime, until: datetime) -> Found:
    """Each outcome that a call came to: a lost answer that is found counts as both."""
    ended = MaveCall.objects.filter(
        started_at__gt=since - UNSETTLED, finished_at__gt=since, finished_at__lte=until
    )
    outcomes = ended.order_by().values_list("purpose", "outcome")
    for purpose, outcome, number, credits in outcomes.annotate(Count("pk"), Sum("credits")):
        yield ("calls", f"{purpose} {outcome}"), number
        if outcome == MaveCall.Outcome.ANSWERED:
            yield ("credits", purpose), credits


def _notifications(since: datetime, until: datetime) -> Found:
    """Also those that somebody had sent again long after they were written."""
    new = Q(created_at__gt=since - UNSENT)
    every = NotificationTarget.objects.values("pk")  # the index of moments has the target first
    again = Q(target__in=every, started_at__gt=since - UNSENT)
    ended = Notification.objects.filter(new | again, finished_at__gt=since, finished_at__lte=until)
    for status, number in _by(ended, "status"):
        yield ("notifications", status), number


def _by(rows: QuerySet[Any], field: str) -> Any:
    return rows.order_by().values_list(field).annotate(Count("pk"))


def _lags(lag: Lag, since: datetime, until: datetime) -> Counts:
    """An event that was replayed is left out: it was received long before that."""
    first = WebhookEvent.objects.filter(signal__brief=OuterRef("pk"), history=[]).order_by()
    received = first.values("signal__brief").annotate(at=Min("received_at")).values("at")
    briefs = Brief.objects.filter(**{f"{lag.moment}__gt": since, f"{lag.moment}__lte": until})
    if lag.moment == "researched_at":  # of a fresh answer it is not the first time
        briefs = briefs.exclude(research__asked_by__isnull=False)
    counts: Counts = defaultdict(float)
    for moment, at in briefs.annotate(at=Subquery(received)).values_list(lag.moment, "at"):
        if at is not None:
            seconds = max((moment - at).total_seconds(), 0.0)
            counts[lag.name, LABELS[bisect_left(BOUNDS, seconds)]] += 1
            counts[lag.name, SUM] += seconds
    return counts
