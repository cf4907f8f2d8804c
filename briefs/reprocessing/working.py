"""Works on reprocessing jobs: a slice at a time, until none is due.

Whoever orders a job wakes a worker, each slice wakes the next one, and the sweep makes good what
got lost. A slice claims the job by a lease. Each batch is written in one transaction with how far
the job came: a worker that is killed, or has lost its lease, leaves nothing half done.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Max, QuerySet

from briefs.models import Brief, ReprocessedBrief, ReprocessingJob, Research
from briefs.models.jobs import MAX_TRIES
from briefs.pipeline import previewing, remapping
from briefs.reprocessing import undoing
from briefs.reprocessing.selecting import Selection
from briefs.research import working as research
from personas.rules.rulebook import Rulebook
from webhooks import bell, waking
from webhooks.connections import is_outage
from webhooks.logs.ids import about
from webhooks.replay import Pace, chunks, let_receiver_in, make_due

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.reprocess"
# The workers of research are used to slow calls: events and the sweep wait for none of these jobs.
CLUSTER = "research"
SLICE_SECONDS = 20.0
BATCH = 200  # briefs of one transaction: it holds their locks, on SQLite that of the only writer
EXAMPLES = 20
NOTHING_CHANGES = "nothing changes"
QUEUED = "queued"


class LeaseLost(Exception):
    """Somebody paused or cancelled the job, or another worker took it over."""


def wake_if_due() -> None:
    if ReprocessingJob.objects.due().exists():
        waking.wake(TASK, CLUSTER)


def sweep() -> None:
    """Make good lost wake-ups and leases that ran out, and delete jobs of which nobody asks."""
    wake_if_due()
    ReprocessingJob.objects.over().delete()


def run() -> bool:
    """Do one slice of the oldest job that is due; False if there is none."""
    job = ReprocessingJob.objects.claim()
    if job is None:
        return False
    with about(job=job.pk):
        work(job, SLICE_SECONDS)
    wake_if_due()
    return True


def work(
    job: ReprocessingJob,
    seconds: float,
    progress: Callable[[ReprocessingJob], None] = lambda job: None,
    is_stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Do a slice of a claimed job; an error is noted and never raised, unless the database fails.

    `is_stopped` is asked between two batches; then the slice ends early.
    """
    stop_at = time.monotonic() + seconds
    pace = Pace(job.last_id)

    def is_over() -> bool:
        return is_stopped() or time.monotonic() >= stop_at

    try:
        if job.tries > MAX_TRIES:
            _held(job.fail(job.reason or "its workers ended, again and again, without a word"))
            return
        if job.total is None:
            _begin(job)
        while _STEPS[ReprocessingJob.Kind(job.kind)](job):
            _told(job, progress)
            if is_over():
                _held(job.release())
                return
            if job.kind == ReprocessingJob.Kind.EVENTS and not job.is_dry_run:
                pace.keep(job.last_id, is_over)
            else:
                let_receiver_in()
        _held(job.end())
    except LeaseLost:
        job.refresh_from_db()
    except Exception as error:
        if is_outage(error):
            raise
        if type(error) is LookupError:  # there are no rules: another try helps nobody
            job.fail(str(error))
            return
        # Its text may quote a row: no customer in the log.
        logger.error("job %d failed after %d (%s)", job.pk, job.last_id, type(error).__name__)
        job.put_back(f"after {job.last_id}: {type(error).__name__}")


def _told(job: ReprocessingJob, progress: Callable[[ReprocessingJob], None]) -> None:
    progress(job)


def _held(is_held: bool) -> None:
    if not is_held:
        raise LeaseLost


def _begin(job: ReprocessingJob) -> None:
    if job.kind == ReprocessingJob.Kind.EVENTS:
        selection = Selection.of(job.selectors)
        total, last = selection.count(), _last(selection.events())
    elif job.kind == ReprocessingJob.Kind.BRIEFS:
        open_ = Brief.objects.open()
        total, last = open_.count(), _last(open_)
    else:
        parts = undoing.left(job)
        total = parts.count()
        last = parts.order_by().aggregate(last=Max("brief"))["last"] or 0
    _held(job.begin(total, last))


def _last(rows: QuerySet[Any]) -> int:
    return rows.order_by().aggregate(last=Max("pk"))["last"] or 0


# One batch of each kind; False if none is left ----------------------------------------------------


def _events(job: ReprocessingJob) -> bool:
    selection = Selection.of(job.selectors)
    limit = None if selection.limit is None else selection.limit - job.done
    size = previewing.CHUNK if job.is_dry_run else None
    after = max(job.last_id, selection.after_id)
    found = chunks(selection.events(), size, after=after, last=job.up_to, limit=limit)
    keys = next(found, None)
    if not keys:
        return False
    if job.is_dry_run:
        _look_at_events(job, keys)
        return True
    with transaction.atomic():
        left = make_due(keys)
        counts = Counter(f"left: {one.why}" for one in left.values())
        counts[QUEUED] = len(keys) - len(left)
        _held(job.advance(len(keys), keys[-1], +counts))
    if counts[QUEUED]:
        bell.ring()
    return True


def _look_at_events(job: ReprocessingJob, keys: list[int]) -> None:
    seen = previewing.look(keys)
    counts = seen.kinds + Counter({NOTHING_CHANGES: seen.read - seen.changed})
    counts += Counter({f"not read: {why}": n for why, n in (seen.skipped + seen.failed).items()})
    examples = [*job.found.get("examples", ()), *(one.words for one in seen.examples)]
    questions = sorted(seen.questions.union(job.found.get("questions", ())))
    _held(
        job.advance(len(keys), keys[-1], counts, examples=examples[:EXAMPLES], questions=questions)
    )


def _briefs(job: ReprocessingJob) -> bool:
    rows = Brief.objects.open().filter(pk__gt=job.last_id, pk__lte=job.up_to).order_by("pk")
    keys = list(rows.values_list("pk", flat=True)[:BATCH])
    if not keys:
        return False
    with transaction.atomic():
        newest = Research.objects.aggregate(newest=Max("pk"))["newest"] or 0
        locked = Brief.objects.open().filter(pk__in=keys).select_related("customer", "persona")
        briefs = list(locked.order_by("pk").select_for_update(of=("self",)))
        present = remapping.matches(briefs, Rulebook.load())
        changed, asked = remapping.remap(briefs, present, "present rules applied", job.actor)
        opened = Research.objects.filter(pk__gt=newest).values_list("question_hash", flat=True)
        questions = sorted({*opened, *job.found.get("questions", ())})
        if job.is_dry_run:
            transaction.set_rollback(True)
        else:
            _note(job, keys, changed, questions)
    if job.is_dry_run:
        with transaction.atomic():
            _note(job, keys, changed, questions)
    elif asked:
        research.wake()
    return True


def _note(
    job: ReprocessingJob,
    keys: list[int],
    changed: list[remapping.Remapped],
    questions: list[str],
) -> None:
    touch = remapping.touches(one.brief.pk for one in changed)
    ReprocessedBrief.objects.bulk_create(
        ReprocessedBrief(
            job=job,
            brief_id=one.brief.pk,
            change=one.change,
            before=one.before,
            after=one.after,
            was=undoing.kept(one.was),
            touch=touch[one.brief.pk],
        )
        for one in changed
    )
    counts = Counter(str(one.change.label) for one in changed)
    counts[NOTHING_CHANGES] = len(keys) - len(changed)
    _held(job.advance(len(keys), keys[-1], +counts, questions=questions))


def _undo(job: ReprocessingJob) -> bool:
    with transaction.atomic():
        keys, counts = undoing.undo_batch(job, BATCH)
        if keys:
            _held(job.advance(len(keys), keys[-1], counts))
    research.wake()
    return bool(keys)


_STEPS: dict[str, Callable[[ReprocessingJob], bool]] = {
    ReprocessingJob.Kind.EVENTS: _events,
    ReprocessingJob.Kind.BRIEFS: _briefs,
    ReprocessingJob.Kind.UNDO: _undo,
}
