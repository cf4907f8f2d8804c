"""Makes stored events run through today's rules again."""

import re
import sys
from argparse import ArgumentParser
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from webhooks.models import WebhookEvent
from webhooks.replay import replay

STATUSES = [status.value for status in WebhookEvent.Status if status != "pending"]
BAR_WIDTH = 30


class Command(BaseCommand):
    help = (
        "Queue stored events to be processed again, under today's rules. Quarantined ones are "
        "read anew. Events that already led to a brief keep it. Selectors narrow each other down."
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
            "--dry-run", action="store_true", help="Count what is selected; change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not any(options[name] for name in ("ids", "status", "since", "metric")):
            raise CommandError("Say which events: --ids, --status, --since or --metric.")
        events = select(options["ids"], options["status"], options["since"], options["metric"])
        unknown = missing_ids(options["ids"] or [])
        for given in unknown:
            self.stderr.write(f"No event has the id {given}.")
        if options["dry_run"]:
            self._preview(events)
        else:
            self._replay(events)
        if unknown:
            raise CommandError(f"{len(unknown)} of the ids are unknown.")

    def _preview(self, events: QuerySet[WebhookEvent]) -> None:
        rows = (
            events.order_by()
            .values_list("status", "object_type", "metric")
            .annotate(number=Count("pk"))
            .order_by("status", "-number")
        )
        for status, object_type, metric, number in rows:
            kind = f"{object_type} {metric}".strip() or "of no kind"
            self.stdout.write(f"{number:>9,}  {WebhookEvent.Status(status).label:<24} {kind}")
        self.stdout.write(f"{events.count():,} selected, nothing changed.")

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
