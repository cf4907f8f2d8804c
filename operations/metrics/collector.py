"""Asks each part for its metrics; one that fails is left out, and the scrape says which."""

import logging
import time
from collections.abc import Callable, Iterator

from django.db import Error
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from operations.figures import Figures
from operations.metrics import backlog, counted, installation, research, troubles
from webhooks import full_disk
from webhooks.connections import is_outage

logger = logging.getLogger(__name__)

Part = Callable[[Figures], Iterator[Metric]]
PARTS: dict[str, Part] = {
    "counters": counted.counters,
    "feed": backlog.feed,
    "backlog": backlog.stages,
    "research": research.state,
    "budget": research.budget,
    "troubles": troubles.troubles,
    "workers": installation.workers,
    "sizes": installation.sizes,
    "connections": installation.connections,
    "info": installation.info,
}


class Parts(Collector):
    def collect(self) -> Iterator[Metric]:
        failed = GaugeMetricFamily(
            "savedesk_scrape_errors",
            "1 if this part of the metrics could not be read and is left out of this scrape.",
            labels=["part"],
        )
        seconds = GaugeMetricFamily(
            "savedesk_scrape_part_seconds",
            "How long reading this part took, in this scrape.",
            labels=["part"],
        )
        figures, is_up = self._figures()
        for name, part in PARTS.items():
            began = time.perf_counter()
            found: list[Metric] = []
            if figures and is_up:
                try:
                    found = list(part(figures))
                except Exception as error:  # noqa: BLE001 - the outer edge: others are not lost
                    logger.warning("metrics of %s not read (%s)", name, full_disk.why(error))
                    is_up = not is_outage(error)  # then no other part waits for it
            yield from found
            failed.add_metric([name], 0 if found else 1)
            seconds.add_metric([name], time.perf_counter() - began)
        yield failed
        yield seconds
        yield GaugeMetricFamily(
            "savedesk_database_up", "1 if the database answered this scrape.", value=int(is_up)
        )

    def _figures(self) -> tuple[Figures | None, bool]:
        try:
            return Figures(), True
        except Error as error:
            logger.warning("metrics not read (%s)", full_disk.why(error))
            return None, False


# Of its own: nothing that a process counts by itself is told, since the next one counts anew.
registry = CollectorRegistry()
registry.register(Parts())
