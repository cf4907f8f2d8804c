"""Wakes the workers of a cluster by queuing a task, given by its name.

A wake-up carries no data and may be lost: the rows say what is to be done, and the sweep finds it
within a minute. So a failure of the broker is only logged, and the caller continues.
"""

import logging
from functools import cache

from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

logger = logging.getLogger(__name__)


@cache
def queue(cluster: str) -> Broker:
    """The broker of a cluster's queue; kept, because each new one is a new connection."""
    return get_broker(cluster)


def waiting(cluster: str) -> int:
    """How many wake-ups nobody has taken yet; 0 where the broker does not know it for certain."""
    broker = queue(cluster)
    try:
        return int(broker.waiting()) if hasattr(broker, "waiting") else 0
    except Exception as error:  # noqa: BLE001 - as below
        logger.warning("queue not counted (%s)", type(error).__name__)
        return 0


def wake(task: str, cluster: str) -> bool:
    """Put the task into the cluster's queue; False if the broker did not take it."""
    try:
        async_task(task, cluster=cluster, broker=queue(cluster))
    except Exception as error:  # noqa: BLE001 - of a broker; its words may hold its password
        logger.warning("%s not put into the queue (%s)", task, type(error).__name__)
        return False
    return True
