"""What waits at each stage, since when, and how long nothing has come in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, Exists, Q, QuerySet, Value, When
from django.db.models.functions import Now
from prometheus_client.core import GaugeMetricFamily, Metric

from briefs.finding.counting import Sql
from briefs.models import (
    Brief,
    MaveHealth,
    Notification,
    ReprocessingJob,
    Research,
    TextChange,
)
from operations.figures import MOST_COUNTED, Figures
from personas.models import AppApiPace
from webhooks.clock import aware
from webhooks.models import WebhookEvent

MOST_WAITING = 100_000  # counted in an index alone
Key = tuple[str, str]  # stage and state
DUE, LATER, LEASED = "due", "put_off", "under_way"
RETRY, RATE_LIMITED, RECOVERING, FAILED = "retry", "rate_limited", "recovering", "failed"


@dataclass(frozen=True, slots=True)
class Stage:
    """Rows that wait, the state of each, and since when it waits."""

    name: str
    rows: QuerySet[Any]
    states: tuple[str, ...]
    state: Case | Value
    since: str


def _state(*cases: tuple[Q, str], other: str) -> Case | Value:
    if not cases:
        return Value(other)
    whens = [When(condition, then=Value(state)) for condition, state in cases]
    return Case(*whens, default=Value(other), output_field=CharField())


_LATER, _LEASED = Q(available_at__gt=Now()), Q(lease_until__gte=Now())
_MAVERA_HELD = Q(Exists(MaveHealth.objects.filter(pk=1, held_until__gt=Now())))
_APP_API_HELD = Q(Exists(AppApiPace.objects.filter(pk=1, held_until__gt=Now())))
STAGES = (
    Stage(
        "events",
        WebhookEvent.objects.all().waiting(),
        (DUE, LEASED, RETRY, LATER),
        _state(
            (_LEASED, LEASED),
            (_LATER & Q(put_off_at__isnull=False), LATER),
            (_LATER, RETRY),
            other=DUE,
        ),
        "received_at",
    ),
    Stage(  # briefs that wait for their customer's profile
        "profiles",
        Brief.objects.open().filter(is_waiting_for_profile=True),
        (DUE, RATE_LIMITED),
        _state((_APP_API_HELD, RATE_LIMITED), other=DUE),
        "created_at",
    ),
    Stage(
        "research",
        Research.objects.active(),
        (DUE, RATE_LIMITED, LATER, LEASED, RECOVERING),
        _state(
            (Q(status=Research.Status.RECOVERING), RECOVERING),
            (Q(status=Research.Status.RUNNING), LEASED),
            (_LATER, LATER),
            (_MAVERA_HELD, RATE_LIMITED),
            other=DUE,
        ),
        "created_at",
    ),
    Stage(
        "notifications",
        Notification.objects.filter(status__in=("pending", "sending")),
        (DUE, LATER, LEASED),
        _state((Q(status="sending"), LEASED), (_LATER, LATER), other=DUE),
        "created_at",
    ),
    Stage("search", TextChange.objects.all(), (DUE,), _state(other=DUE), "at"),
    Stage(
        "jobs",
        ReprocessingJob.objects.all().under_way(),
        (DUE, LEASED),
        _state((_LEASED, LEASED), other=DUE),
        "created_at",
    ),
)


def feed(figures: Figures) -> Iterator[Metric]:
    silence = GaugeMetricFamily(
        "savedesk_feed_silence_seconds",
        "Since a webhook was last answered 200. Absent until the first.",
    )
    if last := figures.last_taken_at:
        silence.add_metric([], max((figures.now - last).total_seconds(), 0))
    yield silence
    gap = GaugeMetricFamily(
        "savedesk_feed_usual_gap_seconds",
        "The usual gap between webhooks of the last 7 days. Absent for the first 6 hours.",
    )
    if figures.gaps.usual is not None:
        gap.add_metric([], figures.gaps.usual.total_seconds())
    yield gap


def stages(figures: Figures) -> Iterator[Metric]:
    numbers = GaugeMetricFamily(
        "savedesk_backlog",
        f"What waits at this stage, by state: of the oldest {MOST_COUNTED:,} that wait.",
        labels=["stage", "state"],
    )
    ages = GaugeMetricFamily(
        "savedesk_backlog_oldest_seconds",
        "How long the oldest of them has waited in this state; 0 if there is none.",
        labels=["stage", "state"],
    )
    counted, oldest = _counted()
    if figures.event_due_since:  # as the troubles see it, however many wait
        oldest["events", DUE] = figures.event_due_since
    for stage in STAGES:
        for state in stage.states:
            numbers.add_metric([stage.name, state], counted.get((stage.name, state), 0))
            since = oldest.get((stage.name, state))
            age = (figures.now - since).total_seconds() if since else 0.0
            ages.add_metric([stage.name, state], max(age, 0.0))
    if figures.segment is not None:  # as “Webhook health” counts them
        numbers.add_metric(["segment", DUE], figures.segment_waiting.number)
        numbers.add_metric(["segment", FAILED], figures.segment_failed.number)
    yield numbers
    yield ages
    yield GaugeMetricFamily(
        "savedesk_events_waiting",
        f"Events that are stored and not ended, counted up to {MOST_WAITING:,}.",
        value=_waiting(sum(counted.get(("events", state), 0) for state in STAGES[0].states)),
    )


def _waiting(of_the_oldest: int) -> int:
    """How many events wait; more are counted only if there may be more."""
    if of_the_oldest < MOST_COUNTED:
        return of_the_oldest
    waiting = WebhookEvent.objects.all().waiting().order_by().values("pk")
    return waiting[:MOST_WAITING].count()


def _counted() -> tuple[dict[Key, int], dict[Key, datetime]]:
    """How many there are of each stage in each state, and since when the oldest of them waits."""
    with connection.cursor() as cursor:
        cursor.execute(*_sql(MOST_COUNTED))
        found = cursor.fetchall()
    counted = {(stage, state): number for stage, state, number, _ in found}
    oldest = {(stage, state): aware(since) for stage, state, _, since in found if since is not None}
    return counted, oldest


@cache
def _sql(most: int) -> Sql:
    """All stages in one statement. It never changes, and to write it takes Django longer than the
    database to answer it.
    """
    parts, params = [], []
    for stage in STAGES:
        rows = stage.rows.annotate(state_=stage.state).order_by("pk")
        waiting = rows.values_list("state_", stage.since)[:most]
        # Django groups no rows behind a limit, and to fetch all of them takes ten times as long.
        sql, given = waiting.query.sql_with_params()
        parts.append(
            f"SELECT '{stage.name}', state_, COUNT(*), MIN({stage.since})"  # noqa: S608 - Django wrote the rest
            f" FROM ({sql}) AS waiting GROUP BY state_"
        )
        params += given
    return " UNION ALL ".join(parts), tuple(params)
