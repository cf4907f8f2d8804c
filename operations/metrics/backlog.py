"""What waits at each stage, since when, and how long nothing has come in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Case, CharField, Q, QuerySet, Value, When
from django.db.models.functions import Now
from prometheus_client.core import GaugeMetricFamily, Metric

from briefs.models import (
    Brief,
    MaveHealth,
    Notification,
    ReprocessingJob,
    Research,
    TextChange,
)
from operations import progress
from operations.figures import MOST_COUNTED, Figures
from personas.models import AppApiPace
from webhooks.clock import aware
from webhooks.models import WebhookEvent

MOST_WAITING = 100_000  # counted in an index alone
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
    waiting = WebhookEvent.objects.all().waiting().order_by().values("pk")
    yield GaugeMetricFamily(
        "savedesk_events_waiting",
        f"Events that are stored and not ended, counted up to {MOST_WAITING:,}.",
        value=waiting[:MOST_WAITING].count(),
    )


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
    for stage in _stages(figures):
        counted, oldest = _counted(stage, figures)
        for state in stage.states:
            numbers.add_metric([stage.name, state], counted.get(state, 0))
            since = oldest.get(state)
            age = (figures.now - since).total_seconds() if since else 0.0
            ages.add_metric([stage.name, state], max(age, 0.0))
    if figures.segment is not None:  # as “Webhook health” counts them
        numbers.add_metric(["segment", DUE], figures.segment_waiting.number)
        numbers.add_metric(["segment", FAILED], figures.segment_failed.number)
    yield numbers
    yield ages


def _counted(stage: Stage, figures: Figures) -> tuple[dict[str, int], dict[str, datetime]]:
    """By state: how many there are, and since when the oldest of them waits."""
    rows = stage.rows.annotate(state_=stage.state).order_by("pk")
    waiting = rows.values_list("state_", stage.since)[:MOST_COUNTED]
    # Django groups no rows behind a limit, and to fetch all of them takes ten times as long.
    sql, params = waiting.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT state_, COUNT(*), MIN({stage.since})"  # noqa: S608 - Django wrote the rest
            f" FROM ({sql}) AS waiting GROUP BY state_",
            params,
        )
        found = cursor.fetchall()
    counted = {state: number for state, number, _ in found}
    oldest = {state: aware(since) for state, _, since in found if since is not None}
    if stage.name == "events":  # as the troubles see it, however many wait
        due = progress.event_due_since(figures.now)
        oldest.update({DUE: due} if due else {})
    return counted, oldest


def _stages(figures: Figures) -> Iterator[Stage]:
    later, leased = Q(available_at__gt=Now()), Q(lease_until__gte=Now())
    yield Stage(
        "events",
        WebhookEvent.objects.all().waiting(),
        (DUE, LEASED, RETRY, LATER),
        _state(
            (leased, LEASED),
            (later & Q(put_off_at__isnull=False), LATER),
            (later, RETRY),
            other=DUE,
        ),
        "received_at",
    )
    yield _profiles()
    is_held = MaveHealth.objects.filter(pk=1, held_until__gt=Now()).exists()
    yield Stage(
        "research",
        Research.objects.active(),
        (DUE, RATE_LIMITED, LATER, LEASED, RECOVERING),
        _state(
            (Q(status=Research.Status.RECOVERING), RECOVERING),
            (Q(status=Research.Status.RUNNING), LEASED),
            (later, LATER),
            other=RATE_LIMITED if is_held else DUE,
        ),
        "created_at",
    )
    yield Stage(
        "notifications",
        Notification.objects.filter(status__in=("pending", "sending")),
        (DUE, LATER, LEASED),
        _state((Q(status="sending"), LEASED), (later, LATER), other=DUE),
        "created_at",
    )
    yield Stage("search", TextChange.objects.all(), (DUE,), _state(other=DUE), "at")
    yield Stage(
        "jobs",
        ReprocessingJob.objects.all().under_way(),
        (DUE, LEASED),
        _state((leased, LEASED), other=DUE),
        "created_at",
    )


def _profiles() -> Stage:
    """Briefs that wait for their customer's profile, rate-limited while Customer.io says 429."""
    is_held = AppApiPace.objects.filter(pk=1, held_until__gt=Now()).exists()
    return Stage(
        "profiles",
        Brief.objects.open().filter(is_waiting_for_profile=True),
        (DUE, RATE_LIMITED),
        _state(other=RATE_LIMITED if is_held else DUE),
        "created_at",
    )


def _state(*cases: tuple[Q, str], other: str) -> Case | Value:
    if not cases:
        return Value(other)
    whens = [When(condition, then=Value(state)) for condition, state in cases]
    return Case(*whens, default=Value(other), output_field=CharField())
