"""Makes stored events run through today's rules again, and shows before what that changes."""

import signal
import sys
import time
from argparse import ArgumentParser
from dataclasses import replace
from datetime import datetime
from textwrap import shorten
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connection
from django.db.models import Count

from briefs.pipeline.previewing import Preview, preview
from briefs.reprocessing.ordering import credits_in_words
from briefs.reprocessing.selecting import STATUSES, Selection, moment
from webhooks.clock import database_now
from webhooks.connections import is_outage
from webhooks.models import WebhookEvent
from webhooks.replay import Report, replay

BAR_WIDTH = 30
FIND_OUT_SECONDS = 10.0  # after a lost connection, how far the last batch came


class Command(BaseCommand):
    help = (
        "Queue stored events to be processed again, under today's rules. Quarantined ones are "
        "read anew. Closed briefs stay as they are; open ones that nobody has touched follow what "
        "their events mean today. On a terminal it shows what would change, and asks. Selectors "
        "narrow each other down. If it is stopped, it prints the command that goes on from there."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--ids", nargs="+", metavar="ID", default=[], help="Our ids or Customer.io's event ids."
        )
        parser.add_argument(
            "--status", nargs="+", choices=STATUSES, default=[], help="How they ended."
        )
        parser.add_argument("--object-type", default="", help="customer, email, …")
        parser.add_argument("--metric", default="", help="unsubscribed, bounced, …")
        parser.add_argument(
            "--reason", default="", metavar="WORDS", help="Words in why they ended so."
        )
        parser.add_argument(
            "--customer", default="", metavar="ID", help="A person's id, cio_id, address or number."
        )
        parser.add_argument(
            "--since", metavar="WHEN", help="Received since: 2026-11-01, or 24h, or 7d."
        )
        parser.add_argument("--until", metavar="WHEN", help="Received before: the same.")
        parser.add_argument("--limit", type=int, help="So many at most, the oldest first.")
        parser.add_argument(
            "--after-id", type=int, default=0, metavar="N", help="Only those above our id N."
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Count what is selected; show what would change and cost; change nothing.",
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Neither show nor ask; the same as without a terminal.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        selection = _selection(options)
        if not selection:
            raise CommandError(
                "Say which events: --ids, --status, --metric, --object-type, --reason, --customer, "
                "--since or --until."
            )
        unknown = selection.missing_ids()
        for given in unknown:
            self.stderr.write(f"No event has the id {given}.")
        if options["dry_run"]:
            self._count(selection)
            self._preview(selection)
            self.stdout.write(f"{selection.count():,} selected, nothing changed.")
        elif self._is_agreed(selection, options["yes"]):
            self._replay(selection)
        else:
            self.stdout.write("Nothing was changed.")
        if unknown:
            raise CommandError(f"{len(unknown)} of the ids are unknown.")

    def _is_agreed(self, selection: Selection, is_sure: bool) -> bool:
        """Whether to go on: a person at a terminal is shown what would change, and asked."""
        if is_sure or not (sys.stdin.isatty() and self.stdout.isatty()):
            return True
        if not self._preview(selection):
            return True
        answer = input(f"Reprocess these {selection.count():,} events? [y/N] ")
        return answer.strip().lower() in ("y", "yes")

    def _count(self, selection: Selection) -> None:
        """Of what each kind there is; a limit does not count."""
        rows = (
            selection.events()
            .filter(pk__gt=selection.after_id)
            .order_by()
            .values_list("status", "object_type", "metric")
            .annotate(number=Count("pk"))
            .order_by("status", "-number")
        )
        for status, object_type, metric, number in rows:
            kind = f"{object_type} {metric}".strip() or "of no kind"
            self.stdout.write(f"{number:>9,}  {WebhookEvent.Status(status).label:<24} {kind}")

    def _preview(self, selection: Selection) -> bool:
        """Show what reprocessing would change; False if it would change nothing."""
        try:
            seen = preview(
                selection.events(),
                progress=Progress(selection.count()),
                after=selection.after_id,
                limit=selection.limit,
            )
        except LookupError as error:
            self.stdout.write(f"What would change cannot be said: {error}.")
            return True
        self.stdout.write(f"\n{seen.read:,} read anew, nobody looked up: {seen.changed:,} change.")
        for words, number in [*seen.skipped.most_common(5), *seen.failed.most_common(5)]:
            self.stdout.write(f"{number:>9,}  not read: {words}")
        for words, number in seen.kinds.most_common():
            self.stdout.write(f"{number:>9,}  {words}")
        if seen.examples:
            self._show(seen)
        self.stdout.write(f"It would ask {credits_in_words(len(seen.questions))}.")
        return bool(seen.changed or seen.failed)

    def _show(self, seen: Preview) -> None:
        title = "All of them" if seen.changed == len(seen.examples) else "The first of them"
        self.stdout.write(f"\n{title}:\n    event  happened          before → after")
        for change in seen.examples:
            what = ", ".join(part for part in (change.after, change.brief) if part)
            happened = f"{change.happened_at:%Y-%m-%d %H:%M}"
            self.stdout.write(f"{change.event:>9}  {happened}  {change.before} → {what}")
            self.stdout.write(f"{'':29}{shorten(change.why, 160, placeholder=' …')}")
        self.stdout.write("")

    def _replay(self, selection: Selection) -> None:
        report = Report(reached=selection.after_id)
        selection = replace(selection, until=selection.until or database_now())
        with Stopping() as stopping:
            try:
                replay(
                    selection.events(),
                    progress=Progress(selection.count()),
                    limit=selection.limit,
                    is_stopped=stopping,
                    report=report,
                )
            except Error as error:
                if not is_outage(error):
                    raise
                self._tell_where_it_stopped(selection, report, f"the database went away: {error}")
        if stopping() and not report.is_complete:
            self._tell_where_it_stopped(selection, report, stopping.why)
        self._tell(report)
        if report.failed:
            raise CommandError(f"{report.failed} failed; the log names them.")

    def _tell(self, report: Report) -> None:
        for reason, number in report.reasons.most_common(10):
            self.stdout.write(f"{number:>9,}  {reason}")
        self.stdout.write(f"{report.words}.")

    def _tell_where_it_stopped(self, selection: Selection, report: Report, why: str) -> None:
        """Raises CommandError with the command that goes on from there."""
        doubt = ""
        if report.begun and not _find_out(report):
            doubt = (
                f" Whether the {len(report.begun)} events after {report.reached} were queued is "
                "not known: the command queues them again."
            )
        self._tell(report)
        limit = None if selection.limit is None else selection.limit - report.done
        rest = replace(selection, after_id=report.reached, limit=limit)
        raise CommandError(
            f"Stopped after event {report.reached}: {why}.{doubt} To go on:\n"
            f"{rest.command('reprocess_events')} --yes"
        )


def _selection(options: dict[str, Any]) -> Selection:
    names = ("ids", "status", "object_type", "metric", "reason", "customer", "limit", "after_id")
    moments: dict[str, Any] = {name: _moment(name, options[name]) for name in ("since", "until")}
    return Selection(**{name: options[name] for name in names}, **moments)


def _moment(name: str, words: str | None) -> datetime | None:
    try:
        return moment(words) if words is not None else None
    except ValueError as error:
        raise CommandError(f"--{name} {error}.") from error


def _find_out(report: Report) -> bool:
    """After a lost connection, count the last batch if it was queued; False if nobody knows."""
    stop_at = time.monotonic() + FIND_OUT_SECONDS
    while time.monotonic() < stop_at:
        connection.close()
        try:
            report.settle()
        except Error:
            time.sleep(0.5)
        else:
            return True
    return False


class Stopping:
    """Ctrl-C and SIGTERM are noted, so that a batch is never cut off; a second one cuts it off."""

    def __init__(self) -> None:
        self.why = ""

    def __call__(self) -> bool:
        return bool(self.why)

    def __enter__(self) -> "Stopping":
        self._before = {one: signal.signal(one, self._note) for one in _SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    def _note(self, number: int, _: object) -> None:
        if self.why:
            raise KeyboardInterrupt
        self.why = f"{signal.Signals(number).name} came"


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Progress:
    """A bar on stderr, if a person is looking."""

    def __init__(self, total: int) -> None:
        self.total = max(total, 1)
        self.is_shown = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if not self.is_shown:
            return
        filled = "#" * (BAR_WIDTH * min(done, self.total) // self.total)
        end = "\n" if done >= self.total else ""
        sys.stderr.write(f"\r[{filled:<{BAR_WIDTH}}] {done:,} of {self.total:,}{end}")
        sys.stderr.flush()
