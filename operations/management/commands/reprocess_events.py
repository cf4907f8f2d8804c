"""Makes stored events run through today's rules again, and shows before what that changes."""

import re
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, time, timedelta
from textwrap import shorten
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from briefs.pipeline.previewing import Preview, preview
from webhooks.models import WebhookEvent
from webhooks.replay import replay

STATUSES = [status.value for status in WebhookEvent.Status if status != "pending"]
BAR_WIDTH = 30


class Command(BaseCommand):
    help = (
        "Queue stored events to be processed again, under today's rules. Quarantined ones are "
        "read anew. Closed briefs stay as they are; open ones that nobody has touched follow what "
        "their events mean today. On a terminal it shows what would change, and asks. Selectors "
        "narrow each other down."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--ids", nargs="+", metavar="ID", help="Our ids or Customer.io's event ids."
        )
        parser.add_argument("--status", nargs="+", choices=STATUSES, help="How they ended.")
        parser.add_argument(
            "--since", metavar="WHEN", help="Received since: 2026-11-01, or 24h, or 7d."
        )
        parser.add_argument("--metric", help="unsubscribed, bounced, …")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Count what is selected and show what would change; change nothing.",
        )
        parser.add_argument(
            "--yes",
            action="store_true",
            help="Neither show nor ask; the same as without a terminal.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options[name] for name in ("ids", "status", "since", "metric")):
            raise CommandError("Say which events: --ids, --status, --since or --metric.")
        events = select(options["ids"], options["status"], options["since"], options["metric"])
        unknown = missing_ids(options["ids"] or [])
        for given in unknown:
            self.stderr.write(f"No event has the id {given}.")
        if options["dry_run"]:
            self._count(events)
            self._preview(events)
            self.stdout.write(f"{events.count():,} selected, nothing changed.")
        elif self._is_agreed(events, options["yes"]):
            self._replay(events)
        else:
            self.stdout.write("Nothing was changed.")
        if unknown:
            raise CommandError(f"{len(unknown)} of the ids are unknown.")

    def _is_agreed(self, events: QuerySet[WebhookEvent], is_sure: bool) -> bool:
        """Whether to go on: a person at a terminal is shown what would change, and asked."""
        if is_sure or not (sys.stdin.isatty() and self.stdout.isatty()):
            return True
        if not self._preview(events):
            return True
        answer = input(f"Reprocess these {events.count():,} events? [y/N] ")
        return answer.strip().lower() in ("y", "yes")

    def _count(self, events: QuerySet[WebhookEvent]) -> None:
        rows = (
            events.order_by()
            .values_list("status", "object_type", "metric")
            .annotate(number=Count("pk"))
            .order_by("status", "-number")
        )
        for status, object_type, metric, number in rows:
            kind = f"{object_type} {metric}".strip() or "of no kind"
            self.stdout.write(f"{number:>9,}  {WebhookEvent.Status(status).label:<24} {kind}")

    def _preview(self, events: QuerySet[WebhookEvent]) -> bool:
        """Show what reprocessing would change; False if it would change nothing."""
        try:
            seen = preview(events, progress=Progress(events.count()))
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

    def _replay(self, events: QuerySet[WebhookEvent]) -> None:
        report = replay(events, progress=Progress(events.count()))
        for reason, number in report.reasons.most_common(10):
            self.stdout.write(f"{number:>9,}  {reason}")
        self.stdout.write(f"{report.words}.")
        if report.failed:
            raise CommandError(f"{report.failed} failed; the log names them.")


def select(
    ids: list[str] | None, statuses: list[str] | None, since: str | None, metric: str | None
) -> QuerySet[WebhookEvent]:
    """The events that all of the given selectors name. Raises CommandError for a bad `since`."""
    events = WebhookEvent.objects.all()
    if ids:
        events = events.filter(Q(event_id__in=ids) | Q(pk__in=_keys(ids)))
    if statuses:
        events = events.filter(status__in=statuses)
    if since:
        events = events.filter(received_at__gte=moment(since))
    if metric:
        events = events.filter(metric=metric.strip().lower())
    return events


def missing_ids(ids: list[str]) -> list[str]:
    """Those of the given ids that name no event at all, whatever its status."""
    found = select(ids, None, None, None).values_list("pk", "event_id") if ids else []
    known = {str(value) for row in found for value in row}
    return [given for given in ids if given not in known]


def _keys(ids: list[str]) -> list[int]:
    return [int(given) for given in ids if re.fullmatch(r"[0-9]{1,18}", given)]


def moment(words: str, now: datetime | None = None) -> datetime:
    """Read `24h`, `7d`, `2026-11-01` or `2026-11-01T12:00` (UTC). Raises CommandError."""
    if age := re.fullmatch(r"(\d{1,5})([hd])", words):
        unit = "hours" if age[2] == "h" else "days"
        return (now or timezone.now()) - timedelta(**{unit: int(age[1])})
    try:
        parsed = parse_datetime(words)
        if parsed is None and (day := parse_date(words)):
            parsed = datetime.combine(day, time.min)
    except ValueError:  # well formed, but no such day
        parsed = None
    if parsed is None:
        raise CommandError(f"--since {words!r} is neither a date like 2026-11-01 nor 24h nor 7d.")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


class Progress:
    """A bar on stderr, if a person is looking."""

    def __init__(self, total: int) -> None:
        self.total = max(total, 1)
        self.is_shown = sys.stderr.isatty()

    def __call__(self, done: int) -> None:
        if not self.is_shown or (done % 100 and done < self.total):
            return
        filled = "#" * (BAR_WIDTH * min(done, self.total) // self.total)
        end = "\n" if done >= self.total else ""
        sys.stderr.write(f"\r[{filled:<{BAR_WIDTH}}] {done:,} of {self.total:,}{end}")
        sys.stderr.flush()
