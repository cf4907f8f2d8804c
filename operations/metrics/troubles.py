"""What is wrong, as `operations.troubles` judges it: pages and alarms say the same."""

from collections.abc import Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from operations.figures import Figures
from operations.troubles import Kind, judge

LEVELS = ("problem", "hint")


def troubles(figures: Figures) -> Iterator[Metric]:
    holds = GaugeMetricFamily(
        "savedesk_trouble",
        "1 while this trouble holds: a problem stops something, a hint did or may.",
        labels=["kind", "level"],
    )
    ages = GaugeMetricFamily(
        "savedesk_trouble_age_seconds",
        "Since when this trouble holds; 0 if it does not.",
        labels=["kind"],
    )
    found = judge(figures)
    present = {(one.kind, one.level) for one in found}
    since = {one.kind: one.since for one in found}
    for kind in Kind:
        for level in LEVELS:
            holds.add_metric([kind, level], int((kind, level) in present))
        at = since.get(kind)
        ages.add_metric([kind], max((figures.now - at).total_seconds(), 0) if at else 0)
    yield holds
    yield ages
