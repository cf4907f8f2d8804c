"""Lets open briefs follow the present rules, after showing what that changes; and takes it back."""

import sys
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from briefs.models import ReprocessedBrief, ReprocessingJob
from briefs.reprocessing import ordering, working
from briefs.reprocessing.ordering import credits_in_words
from operations.management.commands.reprocess_events import Progress, Stopping

SHOWN = 20
LOOK_AGAIN_SECONDS = 0.5  # while a worker of the cluster is at the job
State = ReprocessingJob.State


class Command(BaseCommand):
    help = (
        "Let open briefs that nobody has touched follow the present personas and thresholds: "
        "persona, priority, first step; or withdraw them, if their persona opens no briefs by now. "
        "Briefs that somebody works on stay as they are, and are listed apart. It shows what would "
        "change, and asks. --undo takes one run of it back."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what would change; change nothing."
        )
        parser.add_argument("--yes", action="store_true", help="Neither show nor ask.")
        parser.add_argument("--undo", type=int, metavar="JOB", help="Take this job back.")
        parser.add_argument("--resume", type=int, metavar="JOB", help="Go on with a paused one.")

    def handle(self, *args: Any, **options: Any) -> None:
        if key := options["undo"]:
            undoing = ordering.undo(_job(key), None)
            if undoing is None:
                raise CommandError("Only a job that changed briefs and has ended is undone, once.")
            self._carry_out(undoing)
        elif key := options["resume"]:
            job = _job(key)
            if not ordering.resume(job):
                raise CommandError(f"This job is {job.get_state_display().lower()}.")
            self._carry_out(job)
        elif options["dry_run"]:
            self._show(self._finish(ordering.reapply(None, is_dry_run=True)))
        elif options["yes"] or self._is_agreed():
            self._carry_out(ordering.reapply(None, is_dry_run=False))
        else:
            self.stdout.write("Nothing was changed.")

    def _is_agreed(self) -> bool:
        job = self._finish(ordering.reapply(None, is_dry_run=True))
        self._show(job)
        if not (sys.stdin.isatty() and self.stdout.isatty()):
            self.stdout.write("Without a terminal it changes nothing unless --yes says so.")
            return False
        number = job.briefs.exclude(change=ReprocessedBrief.Change.LEFT).count()
        return input(f"Change these {number:,} briefs? [y/N] ").strip().lower() in ("y", "yes")

    def _carry_out(self, job: ReprocessingJob) -> None:
        job = self._finish(job)
        self._count(job)
        self.stdout.write(f"Job {job.pk} is done.")
        if job.is_undoable:
            self.stdout.write(f"To take it back: manage.py reapply_rules --undo {job.pk}")

    def _finish(self, job: ReprocessingJob) -> ReprocessingJob:
        """Work on the job here until it is over; a worker of the cluster may take part."""
        with Stopping() as stopping:
            while job.is_under_way and not stopping():
                claimed = ReprocessingJob.objects.claim(job.pk)
                if claimed:
                    working.work(claimed, working.SLICE_SECONDS, _show_progress, stopping)
                else:
                    time.sleep(LOOK_AGAIN_SECONDS)
                job.refresh_from_db()
        if job.is_under_way:
            job.pause()
            raise CommandError(
                f"Stopped after brief {job.last_id}: {stopping.why}. To go on:\n"
                f"manage.py reapply_rules --resume {job.pk}"
            )
        if job.state != State.DONE:
            raise CommandError(f"{job.get_state_display()}: {job.reason or 'by somebody else'}.")
        return job

    def _count(self, job: ReprocessingJob) -> None:
        for words, number in sorted(job.counts.items(), key=lambda one: -one[1]):
            self.stdout.write(f"{number:>9,}  {words}")

    def _show(self, job: ReprocessingJob) -> None:
        self._count(job)
        for row in job.briefs.order_by("brief")[:SHOWN]:
            parts = [
                f"{row.before[name]} → {row.after[name]}"
                for name in ("persona", "priority", "step")
                if row.before[name] != row.after[name]
            ]
            what = row.get_change_display()
            self.stdout.write(f"  brief {row.brief_id}, {what}: {'; '.join(parts) or 'no more'}")
        self.stdout.write(f"It would ask {credits_in_words(job.questions)}.")
        self.stdout.write(f"The list of all: job {job.pk} in the admin. Nothing is changed yet.")


def _job(key: int) -> ReprocessingJob:
    try:
        return ReprocessingJob.objects.get(pk=key)
    except ReprocessingJob.DoesNotExist as error:
        raise CommandError(f"There is no job {key}.") from error


def _show_progress(job: ReprocessingJob) -> None:
    Progress(job.total or 0)(job.done)
