"""What is promised of messages and the segment of open briefs, of jobs, erasures and removals."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from briefs.models import (
    Erasure,
    Notification,
    ReprocessingJob,
    SavingSegment,
    SegmentMembership,
)
from briefs.models.saving import missing
from operations.invariants.promises import LONG_AGO, Broken, promise, told, unfit
from webhooks.models import Pruning

Status = Notification.Status
JobState = ReprocessingJob.State
_LEFT = "its lease ended long ago, and nobody claimed it again"
TOLD_WITHIN = timedelta(hours=1)  # thousands are told in a minute; a customer may fail for a while
_LEASED = Q(lease_token__isnull=False) | Q(lease_until__isnull=False)
_SENDING = Q(status=Status.SENDING)
_OVER = Q(status__in=(Status.SENT, Status.FAILED, Status.CANCELLED))
_UNFIT = {
    "it has a lease, and is not being sent": ~_SENDING & _LEASED,
    "it is being sent without a lease": _SENDING & ~_LEASED,
    "it is over, and no time says since when": _OVER & Q(finished_at=None),
    "it waits, and a time says when it was over": ~_OVER & Q(finished_at__isnull=False),
    "no reason says why it was given up": Q(status=Status.FAILED, status_reason=""),
    "a digest tells it, and it is sent by itself as well": Q(digest__isnull=False)
    & ~Q(status=Status.CANCELLED),
    "its state is none that we know": ~Q(status__in=Status.values),
}
_JOB_OVER = Q(state__in=(JobState.DONE, JobState.FAILED, JobState.CANCELLED))
_JOB_UNFIT = {
    "it has a lease, and is not running": ~Q(state=JobState.RUNNING) & _LEASED,
    "it is over, and no time says since when": _JOB_OVER & Q(ended_at=None),
    "it goes on, and a time says when it was over": ~_JOB_OVER & Q(ended_at__isnull=False),
    "it has done something before it knew how much there is": Q(total=None, done__gt=0),
}


@promise(
    "A message is in one state, and what else its row says fits it",
    Notification,
    "Something wrote past the arrows of briefs/models/notifications.py. If it is not sent, tell "
    "the person yourself.",
)
def message_is_in_one_state(_now: datetime) -> Iterator[Broken]:
    yield from unfit("notification", Notification.objects.all(), _UNFIT)


@promise(
    "No lease on a message or a job is held by a worker that is gone",
    lambda: Notification.objects.filter(status__in=(Status.PENDING, Status.SENDING)),
    "No worker looks for work: start manage.py supervise. Both go on at once.",
)
def lease_on_a_message_ends(now: datetime) -> Iterator[Broken]:
    sending = Notification.objects.filter(_SENDING, lease_until__lt=now - LONG_AGO)
    yield from told("notification", sending, _LEFT)
    running = ReprocessingJob.objects.filter(state=JobState.RUNNING)
    yield from told("job", running.filter(lease_until__lt=now - LONG_AGO), _LEFT)


@promise(
    "No lease on an erasure, on a removal or on the segment is held by a worker that is gone",
    Erasure,
    "No worker of the cluster “research” looks for work: start manage.py supervise. An erasure "
    "that failed on each try is ordered once more, as “Webhook health” says.",
)
def lease_on_what_is_done_in_passing_ends(now: datetime) -> Iterator[Broken]:
    """A removal that was begun by hand by day goes on in the night, so until then none is due."""
    long_ago = now - LONG_AGO
    left = {"lease_token__isnull": False, "lease_until__lt": long_ago}
    yield from told("erasure", Erasure.objects.filter(ended_at=None, **left), _LEFT)
    yield from told("removal", Pruning.objects.filter(due_at__lt=long_ago, **left), _LEFT)
    segment = SavingSegment.objects.exclude(state=SavingSegment.State.OFF)
    ready = Q(retry_at=None) | Q(retry_at__lt=long_ago)
    yield from told("segment", segment.filter(ready, **left), _LEFT)


@promise(
    "A job is in one state, and its counts are those of what it has looked at",
    ReprocessingJob,
    "Order a dry run of the same: it says what is left to do.",
)
def job_adds_up(_now: datetime) -> Iterator[Broken]:
    yield from unfit("job", ReprocessingJob.objects.all(), _JOB_UNFIT)
    for key, done, counts in ReprocessingJob.objects.values_list("pk", "done", "counts"):
        if done != sum(counts.values()):
            words = f"it has looked at {done}, and its counts add up to {sum(counts.values())}"
            yield Broken("job", key, words)


@promise(
    "Whoever has an open brief is in the segment, and nobody is in one that is off",
    SegmentMembership,
    "manage.py doctor says what Customer.io answers. The comparison of the next night tells who is "
    "in it; manage.py register_segment begins anew.",
)
def segment_has_its_people(now: datetime) -> Iterator[Broken]:
    """Promised once all were told, while Customer.io takes what it is told."""
    segment = SavingSegment.current()
    if segment is None:
        rows = SegmentMembership.objects.all()
        yield from told("membership", rows, "its customer is in a segment that is off")
    elif segment.compared_at and not segment.failures and not segment.is_emptying:
        late = missing().filter(created_at__lt=now - TOLD_WITHIN)
        yield from told("brief", late, "its customer is not in the segment, and nobody told so")
