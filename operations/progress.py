"""What the rows say about the clusters' progress: since when work is due, and whether it is done.

A cluster whose idle worker was killed can look alive and never take a task again. So running
processes prove nothing, but claimed rows and sweeps do. The rows are those of all hosts: while one
host works, nothing is late. What the cluster of one host does, its own supervisor knows
(`supervising.beats`). `troubles` judges these facts.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django_q.models import Schedule

from briefs.models import MaveCall, Notification, Research
from operations.statements import Rows, written_once
from webhooks.clock import aware
from webhooks.models import LEASE, WebhookEvent

NO_TIME = timedelta(0)
Moment = datetime | Now  # as it was read, or of the statement itself
SWEEP = "briefs.tasks.sweep"


def event_due_since(patience: timedelta = NO_TIME) -> datetime | None:
    """Since when the oldest event is due that nobody has taken for this long; None without one."""
    return _latest(_oldest_event(patience))


@written_once
def _oldest_event(patience: timedelta) -> QuerySet[Any, Any]:
    long_ago = Now() - patience
    neglected = (
        WebhookEvent.objects.all()
        .waiting()
        .filter(
            Q(available_at=None) | Q(available_at__lte=long_ago),
            Q(lease_until=None) | Q(lease_until__lt=long_ago),
            received_at__lte=long_ago,
        )
    )
    moments = ("received_at", "available_at", "lease_until")
    return neglected.order_by("received_at").values_list(*moments)[:1]


def _latest(oldest: Rows) -> datetime | None:
    """The latest moment of the oldest row; None without a row."""
    return max(aware(moment) for moment in oldest[0] if moment) if oldest else None


def is_draining(now: Moment, within: timedelta) -> bool:
    """Events were claimed or finished within this time."""
    claimed = WebhookEvent.objects.all().waiting().filter(lease_until__gt=now + (LEASE - within))
    finished = WebhookEvent.objects.filter(finished_at__gt=now - within)
    return claimed.exists() or finished.exists()


def sweep_due_at() -> datetime | None:
    """When the next sweep is to start; None if none is scheduled."""
    sweeps = Schedule.objects.filter(func=SWEEP, cluster="default").exclude(repeats=0)
    due_at: datetime | None = sweeps.order_by("next_run").values_list("next_run", flat=True).first()
    return due_at


def question_due_since(patience: timedelta) -> datetime | None:
    """Since when the oldest question is due that nobody has taken for this long, or None."""
    return _latest(_oldest_question(patience))


@written_once
def _oldest_question(patience: timedelta) -> QuerySet[Any, Any]:
    long_ago = Now() - patience
    overdue = Research.objects.due().filter(
        Q(available_at=None) | Q(available_at__lt=long_ago),
        Q(lease_until=None) | Q(lease_until__lt=long_ago),
        created_at__lt=long_ago,
    )
    moments = ("created_at", "available_at", "lease_until")
    return overdue.order_by("created_at").values_list(*moments)[:1]


def has_asked(within: timedelta) -> bool:
    """A request to Mavera began within this time."""
    return bool(_calls_begun(within))


@written_once
def _calls_begun(within: timedelta) -> QuerySet[Any, Any]:
    return MaveCall.objects.filter(started_at__gt=Now() - within).order_by().values_list("pk")[:1]


def is_asking() -> bool:
    """Whether a paid call is under way on any host, as far as leases tell."""
    return bool(_calls_under_way())


@written_once
def _calls_under_way() -> QuerySet[Any, Any]:
    leased = Research.objects.filter(status=Research.Status.RUNNING, lease_until__gte=Now())
    return leased.order_by().values_list("pk")[:1]


def is_sending() -> bool:
    """A message is on its way. If it is cut off, it is sent again and may arrive twice."""
    return Notification.objects.under_way().exists()
