"""Research at this moment: what is under way, what holds it back, what may still be spent."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from operations.figures import Figures

_PERIOD = "of the day and the month (UTC)"


def state(figures: Figures) -> Iterator[Metric]:
    policy, health = figures.standstill.policy, figures.standstill.health
    yield GaugeMetricFamily(
        "savedesk_mave_in_flight",
        "Questions that Mave works on now, or may.",
        value=figures.standstill.in_flight,
    )
    yield GaugeMetricFamily(
        "savedesk_mave_concurrency", "The most questions at once.", value=policy.concurrency
    )
    yield GaugeMetricFamily(
        "savedesk_mave_breaker_open",
        "1 while Mave failed too often and only single calls try whether it works again.",
        value=int(health.is_breaker_open),
    )
    yield GaugeMetricFamily(
        "savedesk_mave_held_seconds",
        "How much longer Mavera asked to be left alone (429); 0 if it may be asked.",
        value=health.held_seconds,
    )
    yield GaugeMetricFamily(
        "savedesk_research_paused",
        "1 while all research is paused, by a person or by an answer of Mavera's.",
        value=int(policy.paused_at is not None),
    )


def budget(figures: Figures) -> Iterator[Metric]:
    """As the page “Insights” says it, from the same account."""
    limit, used, reserved, left = (
        GaugeMetricFamily(f"savedesk_research_budget{name}_credits", words, labels=["period"])
        for name, words in (
            ("", f"The budget {_PERIOD}. Absent where there is none."),
            ("_used", f"Credits {_PERIOD} that are settled, unknown outcomes as reserved."),
            ("_reserved", f"Credits {_PERIOD} that calls under way have reserved."),
            ("_left", f"Credits {_PERIOD} that may still be spent. Absent without a budget."),
        )
    )
    out = GaugeMetricFamily(
        "savedesk_research_budget_used_up",
        "1 if not even an urgent question can be paid. A budget that buys nothing never is.",
        labels=["period"],
    )
    for spent in figures.standstill.account:
        period = [str(spent.period)]
        used.add_metric(period, spent.settled)
        reserved.add_metric(period, spent.reserved)
        out.add_metric(period, int(spent.is_used_up and not spent.buys_nothing))
        if spent.limit is not None:
            limit.add_metric(period, spent.limit)
            left.add_metric(period, spent.left)
    yield from (limit, used, reserved, left, out)
