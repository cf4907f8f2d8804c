"""Which stored events are meant: what the command, the admin and the API can ask for."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any, Self

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from personas.models import Customer
from personas.models.letters import has_part
from personas.people.identity import known_as
from webhooks.models import WebhookEvent

# One that waits is worked on anyway.
STATUSES = [status.value for status in WebhookEvent.Status if status != "pending"]
MOST_IDS = 5_000  # kept with a job
_LARGEST_KEY = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Selection:
    """Selectors narrow each other down; without any it is all events."""

    ids: list[str] = field(default_factory=list)  # our ids or Customer.io's
    status: list[str] = field(default_factory=list)
    object_type: str = ""
    metric: str = ""
    reason: str = ""  # these words occur in why it ended as it did
    customer: str = ""  # a whole identifier of the person
    since: datetime | None = None  # received at this moment or after it
    until: datetime | None = None  # received before this moment
    limit: int | None = None  # the first of them, by our ids
    after_id: int = 0  # above this id

    @classmethod
    def of(cls, selectors: Mapping[str, Any]) -> Self:
        """From a job's `selectors`."""
        moments = {
            name: datetime.fromisoformat(selectors[name])
            for name in ("since", "until")
            if selectors.get(name)
        }
        return cls(**{**selectors, **moments})

    def __bool__(self) -> bool:
        """Whether anything says which events: a limit and an id to begin at do not."""
        return replace(self, limit=None, after_id=0) != Selection()

    @property
    def selectors(self) -> dict[str, Any]:
        """What is said, for JSON."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value
        }

    @property
    def words(self) -> str:
        """For a page: `status processed, metric bounced`."""
        parts = list(self._said())
        return ", ".join(parts) or "all events"

    def _said(self) -> Iterator[str]:
        for name, value in self.selectors.items():
            label = name.replace("_", " ")
            if name == "ids" and len(value) > 3:
                yield f"{len(value):,} events by their ids"
            else:
                yield f"{label} {' or '.join(value) if isinstance(value, list) else value}"

    def command(self, name: str) -> str:
        """The command line that selects the same, for a shell."""
        arguments = []
        for option, value in self.selectors.items():
            values = value if isinstance(value, list) else [value]
            arguments += [f"--{option.replace('_', '-')}", *map(str, values)]
        return shlex.join(["manage.py", name, *arguments])

    def events(self) -> QuerySet[WebhookEvent]:
        """All of them, in no order: `limit` and `after_id` are for `webhooks.replay.chunks`."""
        events = WebhookEvent.objects.all()
        if self.ids:
            events = events.filter(Q(event_id__in=self.ids) | Q(pk__in=_keys(self.ids)))
        if self.status:
            events = events.filter(status__in=self.status)
        if self.object_type:
            events = events.filter(object_type=self.object_type.strip().lower())
        if self.metric:
            events = events.filter(metric=self.metric.strip().lower())
        if self.reason:
            events = events.filter(has_part("status_reason", self.reason))
        if self.customer:
            events = events.filter(_about(self.customer.strip()))
        if self.since:
            events = events.filter(received_at__gte=self.since)
        if self.until:
            events = events.filter(received_at__lt=self.until)
        return events

    def count(self) -> int:
        number = self.events().filter(pk__gt=self.after_id).count()
        return number if self.limit is None else min(number, self.limit)

    def missing_ids(self) -> list[str]:
        """Those of the given ids that name no event at all, whatever its status."""
        found = Selection(ids=self.ids).events().values_list("pk", "event_id") if self.ids else []
        known = {str(value) for row in found for value in row}
        return [given for given in self.ids if given not in known]


def _about(identifier: str) -> Q:
    """By what the event carries, or by what its person is or was known as."""
    people = Customer.objects.filter(known_as(identifier))
    return WebhookEvent.about(identifier) | Q(signal__customer__in=people)


def _keys(ids: list[str]) -> list[int]:
    found = (int(given) for given in ids if re.fullmatch(r"[0-9]{1,19}", given))
    return [key for key in found if key <= _LARGEST_KEY]


def moment(words: str, now: datetime | None = None) -> datetime:
    """Read `24h`, `7d`, `2026-11-01` or `2026-11-01T12:00` (UTC). Raises ValueError in words."""
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
        raise ValueError(f"{words!r} is neither a date like 2026-11-01 nor 24h nor 7d")
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
