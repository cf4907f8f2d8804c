"""What people order: a job, one more look at it, its undo. For command, admin and API.

All of it asks for the permission to reprocess events: it changes what colleagues work on, and may
buy research.
"""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from briefs.models import ReprocessingJob
from briefs.reprocessing import working
from briefs.reprocessing.selecting import Selection
from briefs.research.accounts import RESERVED_CREDITS
from briefs.research.counting import LEAST_CREDITS

PERMISSION = "webhooks.change_webhookevent"
Kind = ReprocessingJob.Kind


def reprocess(selection: Selection, actor: Any, *, is_dry_run: bool) -> ReprocessingJob:
    """Order that these events are processed again. Raises ValueError for an empty selection."""
    if not selection:
        raise ValueError("Say which events.")
    return _order(actor, kind=Kind.EVENTS, is_dry_run=is_dry_run, selectors=selection.selectors)


def reapply(actor: Any, *, is_dry_run: bool) -> ReprocessingJob:
    """Order that open briefs follow the present rules."""
    return _order(actor, kind=Kind.BRIEFS, is_dry_run=is_dry_run)


def repeat_for_real(job: ReprocessingJob, actor: Any) -> ReprocessingJob:
    """Order what a dry run looked at."""
    return _order(actor, kind=job.kind, selectors=job.selectors)


@transaction.atomic
def undo(job: ReprocessingJob, actor: Any) -> ReprocessingJob | None:
    """Order that its briefs become what they were; None if it cannot be undone, or was before."""
    locked = ReprocessingJob.objects.select_for_update().get(pk=job.pk)
    return _order(actor, kind=Kind.UNDO, undoes=locked) if locked.is_undoable else None


@transaction.atomic
def resume(job: ReprocessingJob) -> bool:
    """Let it go on after its last batch; False if it did not rest."""
    transaction.on_commit(working.wake_if_due, robust=True)
    return job.resume()


@transaction.atomic
def _order(actor: Any, **fields: Any) -> ReprocessingJob:
    if actor is not None and not actor.has_perm(PERMISSION):  # None: the command's
        raise PermissionDenied(PERMISSION)
    job = ReprocessingJob.objects.create(actor=actor, **fields)
    job.refresh_from_db()
    transaction.on_commit(working.wake_if_due, robust=True)
    return job


def credits_in_words(questions: int) -> str:
    """What new questions cost: `3 new questions to Mave: 30 to 225 credits`."""
    if not questions:
        return "no new question to Mave: 0 credits"
    least, most = questions * LEAST_CREDITS, questions * RESERVED_CREDITS
    s = "" if questions == 1 else "s"
    return f"{questions:,} new question{s} to Mave: {least:,} to {most:,} credits"
