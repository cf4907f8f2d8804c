"""Wakes the workers of a cluster by queuing a task, given by its name.

A wake-up carries no data and may be lost: the rows say what is to be done, and supervisors find it
there within seconds. So a failure of the broker is only logged, and the caller continues.
"""

import logging
import time
from functools import cache

from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

logger = logging.getLogger(__name__)

# A broker that is frozen costs each wake-up its time-out. After one that took so long, this process
# sends none for a while: a worker has more to do than to wait.
SLOW_SECONDS = 1.0
PAUSE_SECONDS = 10.0
_paused_until = 0.0


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
    global _paused_until
    began = time.monotonic()
    if began < _paused_until:
        return False
    try:
        async_task(task, cluster=cluster, broker=queue(cluster))
    except Exception as error:  # noqa: BLE001 - of a broker; its words may hold its password
        logger.warning("%s not put into the queue (%s)", task, type(error).__name__)
        if time.monotonic() - began > SLOW_SECONDS:
            _paused_until = time.monotonic() + PAUSE_SECONDS
        return False
    return True


def why_away() -> str:
    """Ask the broker for the length of a queue; why that fails, or empty if it answers."""
    try:
        queue("default").queue_size()
    except Exception as error:  # noqa: BLE001 - the same
        return type(error).__name__
    return ""
