"""Whether the clusters make progress, read from the rows.

A cluster whose idle worker was killed can look alive and never take a task again, so whether its
processes run says nothing; whether due rows are being claimed does, and whether anybody looked.
The rows are those of all hosts: while one of them works, nothing is late. What a single host's
cluster does is known to its own supervisor (`supervising.beats`).
"""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import Schedule

from briefs.models import MaveCall, Notification, Research
from briefs.research import pacing
from webhooks.models import LEASE, Bell, WebhookEvent

PATIENCE = timedelta(seconds=60)
# A sweep silences the bell once a minute. The cluster looks at its schedules every 30 s, so 95 s
# may pass; the supervisor knocks before that, and a cluster that works answers by a sweep.
QUIET = timedelta(seconds=75)
SCHEDULE_LATE = timedelta(seconds=75)
UNSWEPT = timedelta(minutes=3)  # then people are told


def nobody_sweeps() -> bool:
    """No worker of any host has looked for work for minutes, so none will tell of it either."""
    return _unswept_for(UNSWEPT)


def queue_trouble() -> str:
    """Why the `default` cluster seems to stand still, in words; empty if it does not."""
    if is_drain_stuck():
        return "events had been due for a minute and none was taken"
    if _unswept_for(QUIET) and not _is_draining() and not is_sending():
        return "no worker had looked for work for more than a minute"
    if _is_sweep_late():
        return "nothing started the sweep, which was due more than a minute before"
    return ""


def research_trouble() -> str:
    return "questions had been due for a minute and none was asked" if is_research_stuck() else ""


def is_drain_stuck() -> bool:
    """Events have been due for a minute, and in that minute none was claimed or finished."""
    long_ago = Now() - PATIENCE
    overdue = (
        WebhookEvent.objects.all()
        .waiting()
        .filter(
            Q(available_at=None) | Q(available_at__lt=long_ago),
            Q(lease_until=None) | Q(lease_until__lt=long_ago),
            received_at__lt=long_ago,
        )
    )
    return overdue.exists() and not _is_draining()


def is_research_stuck() -> bool:
    """Questions have been due for a minute, requests may begin, and none did or is under way.

    Workers that all wait for Mave take no further question for as long as Mave thinks, and what
    they wait for is paid.
    """
    long_ago = Now() - PATIENCE
    overdue = Research.objects.due().filter(
        Q(available_at=None) | Q(available_at__lt=long_ago),
        Q(lease_until=None) | Q(lease_until__lt=long_ago),
        created_at__lt=long_ago,
    )
    begun = MaveCall.objects.filter(started_at__gt=long_ago)
    return overdue.exists() and not begun.exists() and not is_asking() and pacing.may_begin()


def is_asking() -> bool:
    """Whether a paid call is under way on any host, as far as leases tell."""
    return Research.objects.filter(status=Research.Status.RUNNING, lease_until__gte=Now()).exists()


def _is_draining() -> bool:
    """Events were claimed or finished within the last minute."""
    claimed = WebhookEvent.objects.all().waiting().filter(lease_until__gt=Now() + LEASE - PATIENCE)
    finished = WebhookEvent.objects.filter(finished_at__gt=Now() - PATIENCE)
    return claimed.exists() or finished.exists()


def is_sending() -> bool:
    """A message is on its way. If it is cut off, it is sent again and may arrive twice."""
    return Notification.objects.under_way().exists()


def _unswept_for(long: timedelta) -> bool:
    """The last look for work is so long ago. Before the first one there is nothing to miss."""
    return Bell.objects.filter(silenced_at__lt=Now() - long).exists()


def _is_sweep_late() -> bool:
    """Workers may work while nobody starts schedules or ends tasks that hang: the guard does.

    Its times are the hosts' and not the database's: django-q2 writes and compares them so.
    """
    long_ago = timezone.now() - SCHEDULE_LATE
    sweep = Schedule.objects.filter(func="briefs.tasks.sweep", cluster="default")
    return bool(sweep.filter(next_run__lt=long_ago).exclude(repeats=0).exists())
