"""Whether the clusters make progress, read from the rows.

A cluster whose idle worker was killed can look alive and never take a task again, so whether its
processes run says nothing; whether due rows are being claimed does.
"""

from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from briefs import pacing
from briefs.models import MaveCall, Research
from webhooks.models import LEASE, Bell, WebhookEvent

PATIENCE = timedelta(seconds=60)
UNSWEPT = timedelta(minutes=5)  # a sweep silences the bell once a minute


def nobody_sweeps() -> bool:
    """No worker of any host has looked for work for minutes, so none will tell of it either."""
    return Bell.objects.filter(silenced_at__lt=Now() - UNSWEPT).exists()


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
    if not overdue.exists():
        return False
    claimed = WebhookEvent.objects.all().waiting().filter(lease_until__gt=Now() + LEASE - PATIENCE)
    finished = WebhookEvent.objects.filter(finished_at__gt=long_ago)
    return not claimed.exists() and not finished.exists()


def is_research_stuck() -> bool:
    """Questions have been due for a minute, requests may begin, and in that minute none did."""
    long_ago = Now() - PATIENCE
    overdue = Research.objects.due().filter(
        Q(available_at=None) | Q(available_at__lt=long_ago),
        Q(lease_until=None) | Q(lease_until__lt=long_ago),
        created_at__lt=long_ago,
    )
    begun = MaveCall.objects.filter(started_at__gt=long_ago)
    return overdue.exists() and not begun.exists() and pacing.may_begin()
