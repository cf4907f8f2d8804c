"""What is wrong with the workers that turn events into briefs. Customer.io notices none of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet

from briefs.links import admin_url
from briefs.models import ReprocessingJob
from briefs.times import length
from operations import progress
from operations.figures import Figures, dead
from operations.statements import written_once
from operations.troubles.kinds import Kind, Trouble
from webhooks.models import WebhookEvent

# A worker takes an event within a second, and a batch ends within the drain's time-out, which is
# under a minute.
PATIENCE = timedelta(seconds=60)
# Where workers do take events, a burst of thousands may wait for minutes: a note until then.
LATE = timedelta(minutes=10)
# A sweep silences the bell once a minute. The cluster looks at its schedules every 30 s, so 95 s
# may pass; the supervisor wakes it before that, and a cluster that works answers with a sweep.
QUIET = timedelta(seconds=75)
SCHEDULE_LATE = timedelta(seconds=75)  # for the same reason
JOBS_NAMED = 3

_EFFECT = (
    "Webhooks are still accepted and kept, so Customer.io notices nothing, but no new "
    "brief appears meanwhile."
)
_CURE = (
    "Does manage.py supervise run, here or on a worker host? manage.py doctor says what is "
    "missing; waiting events are processed as soon as a worker is back."
)


def not_taken(figures: Figures) -> Iterator[Trouble]:
    now = figures.now
    if figures.event_due_since is None:
        return
    since = progress.event_due_since(PATIENCE)
    if since is None:
        return
    since = progress.event_due_since(LATE) or since
    age = now - since
    if progress.is_draining(now, PATIENCE):
        yield Trouble(
            Kind.BEHIND,
            "problem" if age >= LATE else "hint",
            since,
            f"The oldest event has been due for {length(age)}, although workers take others. "
            "Customer.io notices nothing, but briefs come late.",
            "The workers catch up, or are too few: manage.py supervise --no-web on a further host "
            "helps. If it lasts, see whether their log repeats an error.",
        )
        return
    yield Trouble(
        Kind.NOT_TAKEN,
        "problem",
        since,
        f"Events have been due for {length(age)} and no worker takes them. {_EFFECT}",
        _CURE,
    )


def unswept(figures: Figures) -> Iterator[Trouble]:
    since = figures.unswept_since
    if since is None or figures.now - since <= QUIET:
        return
    if progress.is_draining(figures.now, PATIENCE) or progress.is_sending():
        return  # it works, and looks for more when it is done
    yield Trouble(
        Kind.UNSWEPT,
        "problem",
        since,
        f"No worker has looked for work for {length(figures.now - since)}. {_EFFECT}",
        _CURE,
    )


def unscheduled(figures: Figures) -> Iterator[Trouble]:
    """Supervisors start the sweep, and where none runs the guards of the clusters do."""
    due_at, now = progress.sweep_due_at(), figures.now
    if due_at and now - due_at > SCHEDULE_LATE:
        yield Trouble(
            Kind.UNSCHEDULED,
            "problem",
            due_at,
            f"The sweep was due {length(now - due_at)} ago and nothing starts it. Retries and lost "
            "wake-ups wait; Customer.io notices nothing.",
            _CURE,
        )


def failed(figures: Figures) -> Iterator[Trouble]:
    if not figures.dead:
        return
    oldest = dead().order_by("received_at").only("received_at", "finished_at").first()
    if oldest is None:  # it was retried just now
        return
    url = admin_url("webhooks_webhookevent_changelist")
    yield Trouble(
        Kind.FAILED,
        "problem",
        oldest.finished_at or oldest.received_at,
        f"{figures.dead.of('event')} failed on every try and led to nothing. Customer.io has "
        "its answer and does not send them again.",
        "Read the reason at the event. Once it is repaired, reprocess them there, or all of them "
        "with manage.py reprocess_events --status dead.",
        url=f"{url}?status__exact={WebhookEvent.Status.DEAD}" if url else "",
        link="Failed events" if url else "",
    )


def job_failed(figures: Figures) -> Iterator[Trouble]:
    """Jobs that somebody ordered, and that came no further. One that goes on, is cancelled or
    undone is told no more, nor is one that is deleted after a month.
    """
    keys = [key for (key,) in _failed_jobs()]
    if not keys:
        return
    jobs = list(ReprocessingJob.objects.filter(pk__in=keys[:JOBS_NAMED]).order_by("ended_at"))
    if not jobs:  # they were deleted just now
        return
    said = [
        f"{job} stopped after {job.done:,} of {job.total or 0:,}: {job.reason.rstrip('.')}."
        for job in jobs
    ]
    further = len(keys[JOBS_NAMED:])
    more = f" So did {further} more." if further else ""
    url = admin_url("briefs_reprocessingjob_changelist")
    yield Trouble(
        Kind.JOB_FAILED,
        "problem" if any(not job.is_dry_run for job in jobs) else "hint",
        jobs[0].ended_at or jobs[0].created_at,
        f"{' '.join(said)}{more} What was done until then stays done.",
        "Once its reason is repaired, let it go on at its page: it begins behind its last batch. "
        "Or cancel it there.",
        url=f"{url}?state__exact={ReprocessingJob.State.FAILED}" if url else "",
        link="Failed jobs" if url else "",
    )


@written_once
def _failed_jobs() -> QuerySet[Any, Any]:
    failed = ReprocessingJob.objects.filter(state=ReprocessingJob.State.FAILED, undone_by=None)
    return failed.order_by("ended_at").values_list("pk")
