"""What only grows: counters and histograms, as the meters have counted them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from django.db import connection
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from briefs.models import MaveCall, Notification
from operations.figures import Figures
from operations.metrics.counting import LABELS, LAGS, SUM, Counts
from webhooks.models import Answer, WebhookEvent
from webhooks.models.meters import BEGINNING

_ENDED = [status for status in WebhookEvent.Status if status not in ("pending", "quarantined")]
_TOLD = [Notification.Status.SENT, Notification.Status.FAILED, Notification.Status.CANCELLED]
_OUTCOMES = [outcome for outcome in MaveCall.Outcome if outcome != MaveCall.Outcome.PENDING]
_WHEN = "Counted once a minute, two minutes after it happened."
# What the meters show, and the answers that they have not counted yet. In one statement: what is
# counted meanwhile is in both, or in none.
_SHOWN_SQL = """
    SELECT name, label, value FROM webhooks_metercount
    UNION ALL
    SELECT 'answers', answer, SUM(count) FROM webhooks_tally
    WHERE hour >= COALESCE((SELECT tallied_until FROM webhooks_meter WHERE id = 1), %s)
    GROUP BY answer
"""


def counters(figures: Figures) -> Iterator[Metric]:
    shown = _shown()
    yield from _counters(shown)
    yield from _lags(shown)


def _counters(shown: Counts) -> Iterator[Metric]:
    yield _counter(
        "savedesk_receiver_answers",
        "Answers of the receiver to webhooks, by kind; written down every 3 seconds.",
        "answer",
        {answer: shown["answers", answer] for answer in Answer},
    )
    yield _counter(
        "savedesk_events",
        f"Events that workers ended. One that is replayed counts each time. {_WHEN}",
        "outcome",
        {status: shown["events", status] for status in _ENDED},
    )
    calls = CounterMetricFamily(
        "savedesk_mave_calls",
        "Requests to Mavera that came to this outcome. A lost answer that is found later counts "
        f"as both. {_WHEN}",
        labels=["purpose", "outcome"],
    )
    for purpose in MaveCall.Purpose:
        for outcome in _OUTCOMES:
            calls.add_metric([purpose, outcome], shown["calls", f"{purpose} {outcome}"])
    yield calls
    yield CounterMetricFamily(
        "savedesk_mave_credits",
        "Credits of calls that were answered. What calls of unknown outcome may have cost is in "
        f"savedesk_research_budget_used_credits. {_WHEN}",
        value=shown["credits", MaveCall.Purpose.CHAT],
    )
    yield _counter(
        "savedesk_notifications",
        f"Messages to people that came to this outcome. {_WHEN}",
        "outcome",
        {status: shown["notifications", status] for status in _TOLD},
    )


def _lags(shown: Counts) -> Iterator[Metric]:
    for lag in LAGS:
        buckets: list[tuple[str, float]] = []
        number = 0.0
        for label in LABELS:
            number += shown[lag.name, label]
            buckets.append((label, number))
        yield HistogramMetricFamily(
            f"savedesk_{lag.name}_seconds",
            f"From when the event that opened a brief was received {lag.words}. Replayed events "
            f"and answers that a person bought anew are left out. {_WHEN}",
            buckets=buckets,
            sum_value=shown[lag.name, SUM],
        )


def _shown() -> Counts:
    """By name and label: what each meter shows, and the answers since."""
    shown: Counts = defaultdict(float)
    with connection.cursor() as cursor:
        cursor.execute(_SHOWN_SQL, [connection.ops.adapt_datetimefield_value(BEGINNING)])
        for name, label, value in cursor.fetchall():
            shown[name, label] += value
    return shown


def _counter(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family
