"""Wakes the workers after an event was stored, without the request ever waiting for the broker.

A request sets a flag. One daemon thread per web process turns it into at most ten rings a second,
and a ring into a queued task only if none is waiting already.
"""

import logging
import threading
import time
from functools import cache

from django.conf import settings
from django.db import close_old_connections, connection
from django_q.brokers import Broker, get_broker
from django_q.tasks import async_task

from webhooks.models import Bell

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1  # between two rings
PAUSE_AFTER_FAILURE_SECONDS = 1.0


@cache
def queue(cluster: str) -> Broker:
    """The broker of a cluster's queue; kept, because each new one is a new connection."""
    return get_broker(cluster)


def ring() -> bool:
    """Announce that events are due; True if that took a new wake-up.

    Raises whatever the broker raises; the bell is silent again then, so the next ring tries anew.
    """
    if not Bell.turn_on():
        return False
    try:
        async_task(settings.WEBHOOKS_WAKE_TASK, cluster="default", broker=queue("default"))
    except Exception:
        Bell.turn_off()
        raise
    return True


def silence() -> None:
    """Before a drain looks for work: whatever comes after this needs a ring of its own."""
    Bell.turn_off()


class Ringer:
    """Rings in its own thread. A slow, mute or dead broker can delay nobody but this thread."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self.failures = 0

    def wake(self) -> None:
        """Ask for a ring soon; returns at once."""
        self._wanted.set()
        self.start()

    def start(self) -> None:
        """Start the thread of this process, if it does not run yet."""
        if self._thread is not None and self._thread.is_alive():
            return
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="ringer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            time.sleep(PAUSE_SECONDS if self.ring_once() else PAUSE_AFTER_FAILURE_SECONDS)

    def ring_once(self) -> bool:
        """Ring, and swallow what goes wrong: the flag stays set and the sweep covers the rest."""
        close_old_connections()
        try:
            ring()
        except Exception as error:  # noqa: BLE001 - the outer edge of a thread that must go on
            self.failures += 1
            self._wanted.set()
            connection.close()
            logger.warning("wake-up not sent (%s); trying again", type(error).__name__)
            return False
        return True


ringer = Ringer()
