"""Judges all open briefs anew by the present thresholds, and shows before what that changes."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from briefs.finding.known_values import why_no_thresholds
from briefs.models import Brief
from briefs.pipeline import reprioritizing
from briefs.pipeline.reprioritizing import Report
from operations.management.commands.reprocess_events import Progress


class Command(BaseCommand):
    help = (
        "Judge the priority of all open briefs anew: by their signals, personas and values, and "
        "by the thresholds that a lead has set. Each brief's timeline says what changed and why. "
        "On a terminal it shows what would change, and asks. It may be stopped and begun again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Show what would change; change nothing."
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Neither show nor ask; the same as without a terminal.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if why := why_no_thresholds():
            self.stdout.write(why)
        if options["dry_run"]:
            report = reprioritizing.preview(progress=self._progress())
            self._show(report)
            self.stdout.write(f"{report.changed:,} would change, nothing changed.")
        elif self._is_agreed(options["yes"]):
            report = reprioritizing.apply(progress=self._progress())
            self._show(report)
            self.stdout.write(f"{report.raised:,} raised, {report.lowered:,} lowered.")
        else:
            self.stdout.write("Nothing was changed.")

    def _progress(self) -> Progress:
        return Progress(Brief.objects.open().count())

    def _is_agreed(self, is_sure: bool) -> bool:
        """Whether to go on: a person at a terminal is shown what would change, and asked."""
        if is_sure or not (sys.stdin.isatty() and self.stdout.isatty()):
            return True
        report = reprioritizing.preview(progress=self._progress())
        self._show(report)
        answer = input(f"Change the priority of these {report.changed:,} briefs? [y/N] ")
        return answer.strip().lower() in ("y", "yes")

    def _show(self, report: Report) -> None:
        self.stdout.write(f"{'':10}{'before':>9}{'after':>9}")
        for label, before, after in report.rows():
            self.stdout.write(f"{label:<10}{before:>9,}{after:>9,}")
        for example in report.examples:
            self.stdout.write(f"  {example}")
