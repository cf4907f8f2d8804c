"""How the webhooks are doing: what was received, what waits, and how long silence usually lasts.

Every figure is read through an index or counted up to a limit, so a million events cost no more
than a thousand. Nothing is judged here: `troubles` says what is wrong.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Count as RowCount
from django.db.models import Max, QuerySet, Sum

from briefs.finding import counting
from briefs.models import SavingSegment, SegmentMembership
from briefs.models.saving import missing
from briefs.research.waiting import Standstill
from operations import progress
from operations.statements import written_once
from webhooks.clock import aware, database_now
from webhooks.models import Answer, Bell, Pruning, Tally, WebhookEvent
from webhooks.models.events import EventQuerySet

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(days=7)
MOST_COUNTED = 10_000
SHOWN = 20  # quarantined events
ENOUGH_MOMENTS = 6
TAKEN = (Answer.STORED, Answer.DUPLICATE, Answer.QUARANTINED)  # answered 200
# Around each of these moments, the last event before it and the first one after it: two look-ups
# in the index each. Reading every gap of a week would read every event of it. Times are sent and
# told as text: Django takes ten times as long with them as with texts.
_AROUND_SQL = """
    SELECT
        CAST((SELECT MAX(received_at) FROM webhooks_webhookevent WHERE received_at <= at) AS text),
        CAST((SELECT MIN(received_at) FROM webhooks_webhookevent WHERE received_at > at) AS text)
    FROM ({moments}) AS moments
"""
_MOMENTS_SQL = {  # of one list, in JSON
    "postgresql": "SELECT CAST(one AS timestamptz) AS at FROM json_array_elements_text(%s) AS one",
    "sqlite": "SELECT value AS at FROM json_each(%s)",
}


@dataclass(frozen=True, slots=True)
class Count:
    """A number counted no further than MOST_COUNTED."""

    number: int

    def __str__(self) -> str:
        return f"{MOST_COUNTED:,}+" if self.number > MOST_COUNTED else f"{self.number:,}"

    def __bool__(self) -> bool:
        return self.number > 0

    def of(self, noun: str) -> str:
        return f"{self} {noun}" if self.number == 1 else f"{self} {noun}s"


@dataclass(frozen=True, slots=True)
class Gaps:
    """How long no event came, around the full hours of the last 7 days.

    Few of these moments fall into a short gap. So a burst of thousands of events within a second
    hardly counts, instead of counting as thousands of very short gaps.
    """

    usual: timedelta | None = None
    longest: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How often one answer was given, and the last time in each hour that had one."""

    count: int
    last_ats: list[datetime]  # the latest one last

    @property
    def last_at(self) -> datetime:
        return self.last_ats[-1]


@dataclass(frozen=True, slots=True)
class Kept:
    """Webhooks that were received without an id of their own, and are kept for one reason."""

    received: Count  # repeated ones as well
    rows: Count
    last_at: datetime  # of those counted


class Figures:
    """What the health page shows and troubles are judged by. Each is read once, when needed."""

    def __init__(self, now: datetime | None = None) -> None:
        self.now = now or database_now()

    @cached_property
    def tallies(self) -> list[Tally]:
        """Of the last 7 days."""
        return list(Tally.objects.filter(hour__gt=self.now - WEEK - HOUR))

    @cached_property
    def newest(self) -> WebhookEvent | None:
        events = WebhookEvent.objects.only("received_at", "last_received_at", "reason_code")
        return events.order_by("-received_at").first()

    @cached_property
    def gaps(self) -> Gaps:
        return gaps(self.now)

    @cached_property
    def oldest_waiting(self) -> WebhookEvent | None:
        return _light(WebhookEvent.objects.all().waiting().order_by("received_at")).first()

    @cached_property
    def event_due_since(self) -> datetime | None:
        """Since when the oldest event is due; None if none is."""
        return progress.event_due_since()

    @property
    def waiting(self) -> Count:
        return self._counts["waiting"]

    @property
    def dead(self) -> Count:
        return self._counts["dead"]

    @property
    def quarantined(self) -> Count:
        return self._counts["quarantined"]

    @cached_property
    def _counts(self) -> dict[str, Count]:
        """Of events, in one statement."""
        return {
            name: Count(number)
            for name, number in counting.counted(_counted(MOST_COUNTED + 1)).items()
        }

    @cached_property
    def standstill(self) -> Standstill:
        """What holds research back: policy, Mave's health and budgets, each read once."""
        return Standstill()

    @cached_property
    def quarantined_events(self) -> list[WebhookEvent]:
        return list(_light(unreadable().order_by("-received_at"))[:SHOWN])

    @property
    def tests(self) -> Kept | None:
        return self._kept.get(WebhookEvent.Reason.SIGNED_TEST)

    @property
    def lists(self) -> Kept | None:
        """Several events in one body, which are not worked on."""
        return self._kept.get(WebhookEvent.Reason.LIST)

    @property
    def without_id(self) -> Kept | None:
        """Real signals, worked on under the digest of their body."""
        return self._kept.get(WebhookEvent.Reason.NO_EVENT_ID)

    @cached_property
    def _kept(self) -> dict[str, Kept]:
        return kept()

    @cached_property
    def bell(self) -> Bell | None:
        return Bell.objects.filter(pk=1).first()

    @cached_property
    def last_taken_at(self) -> datetime | None:
        """When a request was last answered 200."""
        taken = [tally.last_at for tally in self.tallies if tally.answer in TAKEN]
        if self.newest:
            taken += [self.newest.received_at, self.newest.last_received_at]
        return max(taken, default=None)

    @property
    def looked_at(self) -> datetime | None:
        """When a worker last looked for due events."""
        return self.bell.silenced_at if self.bell else None

    @property
    def unswept_since(self) -> datetime | None:
        """The same. If no worker ever looked, when the first wake-up was sent; or None."""
        return self.looked_at or (self.bell.rung_at if self.bell else None)

    @property
    def is_test_all(self) -> bool:
        """Whether only a signed test was received so far."""
        signed_test = WebhookEvent.Reason.SIGNED_TEST
        is_test = self.newest is not None and self.newest.reason_code == signed_test
        return is_test and not any(tally.answer == Answer.STORED for tally in self.tallies)

    @cached_property
    def segment(self) -> SavingSegment | None:
        """In Customer.io, of everybody with an open brief; None if it is off."""
        return SavingSegment.current()

    @cached_property
    def pruning(self) -> Pruning | None:
        """The removal of old rows; None before the first sweep."""
        return Pruning.known()

    @cached_property
    def segment_members(self) -> Count:
        return _count(SegmentMembership.objects.filter(is_member=True))

    @cached_property
    def segment_waiting(self) -> Count:
        """To be put in or taken out, also those that were put off after a failure."""
        behind = _count(SegmentMembership.objects.all().behind())
        return Count(_count(missing()).number + behind.number)

    @cached_property
    def segment_failed(self) -> Count:
        return _count(SegmentMembership.objects.all().failed())

    def seen(self, answer: Answer, within: timedelta = DAY) -> Seen | None:
        """How often this answer was given within this time, counted by the hour; None if never."""
        tallies = [
            tally
            for tally in self.tallies
            if tally.answer == answer and tally.last_at > self.now - within
        ]
        if not tallies:
            return None
        return Seen(
            sum(tally.count for tally in tallies), sorted(tally.last_at for tally in tallies)
        )


def dead() -> EventQuerySet:
    return WebhookEvent.objects.filter(status=WebhookEvent.Status.DEAD)


def unreadable() -> EventQuerySet:
    """Quarantined events; signed tests, which are meant to carry nothing, are no trouble."""
    quarantined = WebhookEvent.objects.filter(status=WebhookEvent.Status.QUARANTINED)
    return quarantined.exclude(reason_code=WebhookEvent.Reason.SIGNED_TEST)


def kept() -> dict[str, Kept]:
    """What came without an event id, by its reason code; counted over MOST_COUNTED rows in all."""
    return {
        code: Kept(Count(received), Count(number), aware(last_at))
        for code, number, received, last_at in _kept_rows(MOST_COUNTED + 1)
    }


@written_once
def _kept_rows(most: int) -> QuerySet[Any, Any]:
    events = WebhookEvent.objects.all().under_digest().filter(reason_code__isnull=False)
    counted = WebhookEvent.objects.filter(pk__in=events.order_by().values("pk")[:most])
    sums = RowCount("pk"), Sum("deliveries"), Max("last_received_at")
    return counted.order_by().values_list("reason_code").annotate(*sums)


@cache
def _counted(most: int) -> dict[str, counting.Sql]:
    """Always the same: to write it takes Django longer than the database to answer it."""
    rows = {
        "waiting": WebhookEvent.objects.all().waiting(),
        "dead": dead(),
        "quarantined": unreadable(),
    }
    return {
        name: some.order_by().values("pk")[:most].query.sql_with_params()
        for name, some in rows.items()
    }


def gaps(now: datetime) -> Gaps:
    """The gaps between events around 168 moments, an hour apart, without the present silence."""
    until = now.astimezone(UTC).replace(tzinfo=None)  # the zone of connections to the database
    moments = [str(until - HOUR * number) for number in range(1, WEEK // HOUR + 1)]
    with connection.cursor() as cursor:
        sql = _AROUND_SQL.format(moments=_MOMENTS_SQL[connection.vendor])
        cursor.execute(sql, [json.dumps(moments)])
        around = cursor.fetchall()
    lengths = [aware(after) - aware(before) for before, after in around if before and after]
    if len(lengths) < ENOUGH_MOMENTS:
        return Gaps()
    return Gaps(median(lengths), max(lengths))  # type: ignore[type-var]  # it can divide timedeltas


def hours(now: datetime, number: int) -> list[datetime]:
    """The starts of the last hours, the current one last."""
    current = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return [current - HOUR * back for back in range(number - 1, -1, -1)]


def per_hour(tallies: Iterable[Tally], hours: list[datetime], answers: Any) -> list[int]:
    """How often these answers were given in each of the hours."""
    counts = dict.fromkeys(hours, 0)
    for tally in tallies:
        if tally.answer in answers and tally.hour in counts:
            counts[tally.hour] += tally.count
    return list(counts.values())


def _count(rows: QuerySet[Any]) -> Count:
    return Count(rows.order_by().values("pk")[: MOST_COUNTED + 1].count())


def _light(events: EventQuerySet) -> EventQuerySet:
    """The events without their bodies, which may be large."""
    return events.defer("body", "headers", "history", "identifiers")
