"""What only grows: counters and histograms, as the meters have counted them."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from django.db.models import Subquery, Sum
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric

from briefs.models import MaveCall, Notification
from operations.figures import Figures
from operations.metrics.counting import LABELS, LAGS, SUM
from webhooks.models import Answer, Meter, MeterCount, Tally, WebhookEvent
from webhooks.models.meters import BEGINNING

_ENDED = [status for status in WebhookEvent.Status if status not in ("pending", "quarantined")]
_TOLD = [Notification.Status.SENT, Notification.Status.FAILED, Notification.Status.CANCELLED]
_OUTCOMES = [outcome for outcome in MaveCall.Outcome if outcome != MaveCall.Outcome.PENDING]
_WHEN = "Counted once a minute, two minutes after it happened."


def counters(figures: Figures) -> Iterator[Metric]:
    shown, answers = _read()
    yield _counter(
        "savedesk_receiver_answers",
        "Answers of the receiver to webhooks, by kind; written down every 3 seconds.",
        "answer",
        {answer: answers.get(answer, 0) for answer in Answer},
    )
    yield _counter(
        "savedesk_events",
        f"Events that workers ended. One that is replayed counts each time. {_WHEN}",
        "outcome",
        {status: shown["events"].get(status, 0) for status in _ENDED},
    )
    calls = CounterMetricFamily(
        "savedesk_mave_calls",
        "Requests to Mavera that came to this outcome. A lost answer that is found later counts "
        f"as both. {_WHEN}",
        labels=["purpose", "outcome"],
    )
    for purpose in MaveCall.Purpose:
        for outcome in _OUTCOMES:
            number = shown["calls"].get(f"{purpose} {outcome}", 0)
            calls.add_metric([purpose, outcome], number)
    yield calls
    yield CounterMetricFamily(
        "savedesk_mave_credits",
        "Credits of calls that were answered. What calls of unknown outcome may have cost is in "
        f"savedesk_research_budget_used_credits. {_WHEN}",
        value=shown["credits"].get(MaveCall.Purpose.CHAT, 0),
    )
    yield _counter(
        "savedesk_notifications",
        f"Messages to people that came to this outcome. {_WHEN}",
        "outcome",
        {status: shown["notifications"].get(status, 0) for status in _TOLD},
    )


def lags(figures: Figures) -> Iterator[Metric]:
    shown, _ = _read()
    for lag in LAGS:
        buckets: list[tuple[str, float]] = []
        number = 0.0
        for label in LABELS:
            number += shown[lag.name].get(label, 0)
            buckets.append((label, number))
        yield HistogramMetricFamily(
            f"savedesk_{lag.name}_seconds",
            f"From when the event that opened a brief was received {lag.words}. Replayed events "
            f"and answers that a person bought anew are left out. {_WHEN}",
            buckets=buckets,
            sum_value=shown[lag.name].get(SUM, 0),
        )


def _read() -> tuple[Mapping[str, dict[str, float]], dict[str, float]]:
    """What each meter shows by label; and the answers, with those that are not yet counted."""
    until = Subquery(Meter.objects.filter(pk=1).values("tallied_until")[:1])
    # In one statement with the counts: what is counted meanwhile is in both, or in none.
    rows = list(
        MeterCount.objects.annotate(until=until).values_list("name", "label", "value", "until")
    )
    shown: dict[str, dict[str, float]] = defaultdict(dict)
    for name, label, value, _ in rows:
        shown[name][label] = value
    tallied_until = (rows[0][3] if rows else None) or BEGINNING
    recent = Tally.objects.filter(hour__gte=tallied_until).values_list("answer")
    answers = dict(shown["answers"])
    for answer, number in recent.annotate(Sum("count")):
        answers[answer] = answers.get(answer, 0) + number
    return shown, answers


def _counter(name: str, words: str, label: str, values: Mapping[str, float]) -> Metric:
    family = CounterMetricFamily(name, words, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family
