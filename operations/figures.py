"""How the webhooks are doing: what was received, what waits, and how long silence usually lasts.

Every figure is read through an index or counted up to a limit, so a million events cost no more
than a thousand. What is wrong with the figures, in words, is `troubles`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from operations import progress
from webhooks.clock import aware, database_now
from webhooks.models import Answer, Bell, Tally, WebhookEvent
from webhooks.models.events import EventQuerySet

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)
LATE = timedelta(minutes=10)  # an event that has been due for longer
UNSWEPT = progress.UNSWEPT
MOST_COUNTED = 10_000
SHOWN = 20  # quarantined events
ENOUGH_MOMENTS = 6
TAKEN = (Answer.STORED, Answer.DUPLICATE, Answer.QUARANTINED)  # answered 200
# Around each of these moments, the last event before it and the first one after it: two look-ups
# in the index each. Reading every gap of a week would read every event of it.
_AROUND_SQL = """
    SELECT (SELECT MAX(received_at) FROM webhooks_webhookevent WHERE received_at <= moments.at),
           (SELECT MIN(received_at) FROM webhooks_webhookevent WHERE received_at > moments.at)
    FROM ({moments}) AS moments
"""
_MOMENT_SQL = {"postgresql": "SELECT CAST(%s AS timestamptz) AS at", "sqlite": "SELECT %s AS at"}


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

    A moment falls into a long gap more often than into a short one, so a burst of thousands within
    a second counts as the second it lasted, and not as thousands of gaps of nothing.
    """

    usual: timedelta | None = None
    longest: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """How often one answer was given within a day, and when last."""

    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the page shows, as of one moment."""

    now: datetime
    tallies: list[Tally]  # of the last 7 days
    newest: WebhookEvent | None
    gaps: Gaps
    oldest_waiting: WebhookEvent | None
    late_since: datetime | None
    waiting: Count
    dead: Count
    quarantined: Count
    quarantined_events: list[WebhookEvent]
    bell: Bell | None
    is_drain_stuck: bool
    is_research_stuck: bool
    last_taken_at: datetime | None = field(init=False)

    def __post_init__(self) -> None:
        taken = [tally.last_at for tally in self.tallies if tally.answer in TAKEN]
        newest = [self.newest.received_at] if self.newest else []
        object.__setattr__(self, "last_taken_at", max(taken + newest, default=None))

    @property
    def silence(self) -> timedelta | None:
        return self.now - self.last_taken_at if self.last_taken_at else None

    @property
    def looked_at(self) -> datetime | None:
        """When a worker last looked for due events."""
        return self.bell.silenced_at if self.bell else None

    @property
    def is_test_all(self) -> bool:
        """Whether nothing but a signed test came so far."""
        signed_test = WebhookEvent.Reason.SIGNED_TEST
        is_test = self.newest is not None and self.newest.reason_code == signed_test
        return is_test and not any(tally.answer == Answer.STORED for tally in self.tallies)

    def seen(self, *answers: Answer) -> Seen | None:
        """These answers within the last 24 hours; None if none was given."""
        tallies = [
            tally
            for tally in self.tallies
            if tally.answer in answers and tally.last_at > self.now - timedelta(days=1)
        ]
        if not tallies:
            return None
        return Seen(sum(tally.count for tally in tallies), max(tally.last_at for tally in tallies))


def figures() -> Figures:
    now = database_now()
    events = WebhookEvent.objects.all()
    quarantined = unreadable()
    return Figures(
        now=now,
        tallies=list(Tally.objects.filter(hour__gt=now - WEEK - HOUR)),
        newest=_light(events.order_by("-received_at")).first(),
        gaps=gaps(now),
        oldest_waiting=_light(events.waiting().order_by("received_at")).first(),
        late_since=due_since(LATE),
        waiting=_count(events.waiting()),
        dead=_count(events.filter(status=WebhookEvent.Status.DEAD)),
        quarantined=_count(quarantined),
        quarantined_events=list(_light(quarantined.order_by("-received_at"))[:SHOWN]),
        bell=Bell.objects.filter(pk=1).first(),
        is_drain_stuck=progress.is_drain_stuck(),
        is_research_stuck=progress.is_research_stuck(),
    )


def unreadable() -> EventQuerySet:
    """Quarantined events; signed tests, which are meant to carry nothing, are no trouble."""
    quarantined = WebhookEvent.objects.filter(status=WebhookEvent.Status.QUARANTINED)
    return quarantined.exclude(reason_code=WebhookEvent.Reason.SIGNED_TEST)


def due_since(patience: timedelta = timedelta(0)) -> datetime | None:
    """Since when the oldest event is due that nobody has taken for this long; None without one."""
    long_ago = Now() - patience
    waiting = WebhookEvent.objects.all().waiting()
    neglected = waiting.filter(
        Q(available_at=None) | Q(available_at__lte=long_ago),
        Q(lease_until=None) | Q(lease_until__lt=long_ago),
        received_at__lte=long_ago,
    )
    event = _light(neglected.order_by("received_at")).first()
    if event is None:
        return None
    return max(filter(None, (event.received_at, event.available_at, event.lease_until)))


def unswept_since(bell: Bell | None, now: datetime) -> datetime | None:
    """Since when no worker has looked for work, if one did before and is late; else None."""
    looked_at = bell.silenced_at if bell else None
    return looked_at if looked_at and looked_at < now - UNSWEPT else None


def gaps(now: datetime) -> Gaps:
    """The gaps between events around 168 moments, an hour apart. The silence of now is none."""
    moments = [now - HOUR * number for number in range(1, WEEK // HOUR + 1)]
    one = _MOMENT_SQL[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(
            _AROUND_SQL.format(moments=" UNION ALL ".join([one] * len(moments))),
            [connection.ops.adapt_datetimefield_value(moment) for moment in moments],
        )
        around = cursor.fetchall()
    lengths = [aware(after) - aware(before) for before, after in around if before and after]
    if len(lengths) < ENOUGH_MOMENTS:
        return Gaps()
    return Gaps(median(lengths), max(lengths))  # type: ignore[type-var]  # timedeltas do halve


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


def _count(events: EventQuerySet) -> Count:
    return Count(events.order_by().values("pk")[: MOST_COUNTED + 1].count())


def _light(events: EventQuerySet) -> EventQuerySet:
    """Without the bodies, which may be large."""
    return events.defer("body", "headers", "history", "identifiers")
