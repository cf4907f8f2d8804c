"""What ends, and how. One line in `endings` for each kind of row.

Nothing here is ever removed: pending events, whether due, leased or put off; the events of open
briefs; signals and briefs, from which all figures are counted and which say what channels a
customer closed; the ledger of Mavera; the histories of settings and rules, which are small.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django_q.models import Task

from briefs.models import Brief, Notification, RecentSearch, Signal
from personas.models import RuleVersion
from personas.models.versions import RuleVersionQuerySet
from webhooks.models import DailySize, Pruning, RetentionPolicy, Tally, WebhookEvent
from webhooks.models.retention import TOLD_BEFORE

Status = WebhookEvent.Status
# The kinds of rows that end, for people. The keys are kept in the record of a run.
WORDS = {
    "ignored": "ignored events",
    "tests": "signed tests",
    "events": "other events",
    "dead": "failed events",
    "quarantined": "quarantined events",
    "bodies": "raw bodies",
    "tallies": "hourly counts",
    "notifications": "notifications",
    "sessions": "sessions that ended",
    "logins": "log-ins",
    "failed_logins": "failed log-ins",
    "attempts": "wrong passwords",
    "searches": "recent searches",
    "tasks": "tasks of the queue",
    "sizes": "records of sizes",
    "versions": "rules of old versions",
}
SIZES_KEPT = timedelta(days=60)
_OF_OPEN_BRIEF = Exists(
    Signal.objects.filter(event=OuterRef("pk"), brief__isnull=False).exclude(
        brief__state=Brief.State.CLOSED
    )
)


def _delete(rows: QuerySet[Any]) -> int:
    return rows.delete()[0]


@dataclass(frozen=True, slots=True)
class Ending:
    """One kind of rows that are over.

    `rows`: all of them, in the order of an index that serves the filter. `kept`: those of them
    that stay all the same. `end` removes them, or a part of each; returns how many.
    """

    key: str  # in WORDS, and in the record of a run
    rows: QuerySet[Any]
    order: str = "pk"
    has_states: bool = False  # of events, chosen `_in_state`
    kept: Q | Exists | None = None
    end: Callable[[Any], int] = _delete

    @property
    def words(self) -> str:
        return WORDS[self.key]

    def over(self) -> QuerySet[Any]:
        return self.rows.exclude(self.kept) if self.kept else self.rows

    def ordered(self) -> QuerySet[Any]:
        by_state = ["-status"] if self.has_states else []
        return self.rows.order_by(*by_state, self.order, "pk")

    def page(self, after: tuple[Any, Any] | None, size: int) -> list[tuple[Any, Any]]:
        """The next of the rows, as (order, key); some of them may have to stay.

        By both, so that rows that stay are read once, and none of one moment is left out.
        """
        rows = self.ordered()
        if after is not None:
            at, key = after
            later = Q(**{f"{self.order}__gt": at}) | Q(**{self.order: at, "pk__gt": key})
            rows = rows.filter(later, **{f"{self.order}__gte": at})
        return list(rows.values_list(self.order, "pk")[:size])

    def take(self, keys: Iterable[Any]) -> list[Any]:
        """Lock those that may go; nobody is waited for. Needs a transaction."""
        rows = self.over().filter(pk__in=keys).order_by("pk").select_for_update(skip_locked=True)
        return list(rows.values_list("pk", flat=True))


def endings(policy: RetentionPolicy, now: datetime, told: Pruning | None) -> Iterator[Ending]:
    """What is over at this moment. Whole events go before the bodies of others."""
    found = (
        _events("ignored", policy.before("ignored_days", now), status="ignored"),
        _events(
            "tests", policy.before("ignored_days", now),
            status="quarantined", reason_code=WebhookEvent.Reason.SIGNED_TEST,
        ),
        _events("events", policy.before("event_days", now), status="processed"),
        *_failed(policy, now, told),
        _bodies(policy, now),
        *(
            _ending(key, rows, field, before)
            for key, rows, field, before in _plain(policy, now)
        ),
    )  # fmt: skip
    yield from filter(None, found)
    yield from filter(None, [_versions(policy)])  # last: it reads all signals and briefs


def failed_before(moment: datetime) -> list[QuerySet[WebhookEvent]]:
    """Events that could still be retried and were received before; each by its own index."""
    old = WebhookEvent.objects.filter(received_at__lt=moment)
    signed_test = Q(reason_code=WebhookEvent.Reason.SIGNED_TEST)
    return [
        old.filter(_in_state(Status.DEAD)),
        old.filter(_in_state(Status.QUARANTINED), ~signed_test),
    ]


def _in_state(status: str) -> Q:
    """Lets PostgreSQL use the index of states, in its order. Told of one state alone it takes the
    other index of `received_at`, and looks through all old events of all states for the few."""
    return Q(status__in=[status, ""])


def _failed(policy: RetentionPolicy, now: datetime, told: Pruning | None) -> list[Ending]:
    """Only once people were told for a week that these events go."""
    moment = policy.before("failed_days", now)
    since = told.told_at if told and told.told_days == policy.failed_days else None
    if moment is None or since is None or since > now - TOLD_BEFORE:
        return []
    dead, quarantined = failed_before(moment)
    return [
        Ending("dead", dead, "received_at", True, _OF_OPEN_BRIEF, _delete_events),
        Ending("quarantined", quarantined, "received_at", True, _OF_OPEN_BRIEF, _delete_events),
    ]  # fmt: skip


def _events(key: str, before: datetime | None, status: str, **ended: Any) -> Ending | None:
    """One that is delivered again after this would be new, but Customer.io gives up after 7 days:
    400 days for events that mattered and 90 for ignored ones are the same in that respect."""
    if before is None:
        return None
    rows = WebhookEvent.objects.filter(_in_state(status), received_at__lt=before, **ended)
    return Ending(key, rows, "received_at", True, _OF_OPEN_BRIEF, _delete_events)


def _delete_events(events: QuerySet[Any]) -> int:
    """Their signals stay, without them. Past Django's collector, which would read all bodies."""
    Signal.objects.filter(event__in=list(events.values_list("pk", flat=True))).update(event=None)
    return int(events._raw_delete(events.db))


def _bodies(policy: RetentionPolicy, now: datetime) -> Ending | None:
    """Without those of events that go as a whole."""
    before = policy.before("body_days", now)
    if before is None:
        return None
    # Not by the states that may go: SQLite would take the index of states, and with it read all
    # events whose bodies ended before.
    rows = WebhookEvent.objects.filter(
        received_at__lt=before, body_ended_at=None, finished_at__isnull=False
    ).exclude(status__in=[Status.PENDING, Status.DEAD, Status.QUARANTINED])
    going = Q(pk=None)
    for status, field in ((Status.IGNORED, "ignored_days"), (Status.PROCESSED, "event_days")):
        if moment := policy.before(field, now):
            going |= Q(~Q(_OF_OPEN_BRIEF), status=status, received_at__lt=moment)
    return Ending("bodies", rows, "received_at", kept=going, end=_end_bodies)


def _end_bodies(events: QuerySet[Any]) -> int:
    return events.update(body=b"", body_ended_at=Now())


def _plain(policy: RetentionPolicy, now: datetime) -> Iterable[tuple[Any, ...]]:
    """Rows on which nothing else depends, with the field that says when they were written."""
    login = policy.before("login_days", now)
    ended = [Notification.Status.SENT, Notification.Status.FAILED, Notification.Status.CANCELLED]
    sent = Notification.objects.filter(status__in=ended)
    return (
        ("tallies", Tally.objects, "hour", policy.before("event_days", now)),
        ("notifications", sent, "created_at",
         policy.before("notification_days", now)),
        ("sessions", Session.objects, "expire_date", now),
        ("logins", AccessLog.objects, "attempt_time", login),
        ("failed_logins", AccessFailureLog.objects, "attempt_time", login),
        ("attempts", AccessAttempt.objects, "attempt_time", login),
        ("searches", RecentSearch.objects, "at",
         policy.before("search_days", now)),
        ("tasks", Task.objects, "stopped", policy.before("task_days", now)),
        ("sizes", DailySize.objects, "day", (now - SIZES_KEPT).date()),
    )  # fmt: skip


def _ending(key: str, rows: Any, field: str, before: Any) -> Ending | None:
    if before is None:
        return None
    return Ending(key, rows.filter(**{f"{field}__lt": before}))


def _versions(policy: RetentionPolicy) -> Ending | None:
    """The rules of old versions by which nothing was decided; each takes up to 45 kB."""
    newest = RuleVersion.objects.order_by("-pk").values_list("pk", flat=True).first()
    if not policy.rule_versions or newest is None:
        return None
    old = RuleVersion.objects.filter(pk__lte=newest - policy.rule_versions).whole()
    candidates = list(old.values_list("pk", flat=True))
    if not candidates:
        return None
    signals = Signal.objects.filter(rules_version__in=candidates).order_by()
    briefs = Brief.objects.filter(rules_version__in=candidates).order_by()
    named = signals.values_list("rules_version").union(briefs.values_list("rules_version"))
    rows = old.exclude(pk__in=[number for (number,) in named])
    return Ending("versions", rows, end=RuleVersionQuerySet.end)
