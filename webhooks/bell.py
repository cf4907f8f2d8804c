"""Wakes the workers after an event was stored, without the request ever waiting for the broker.

A request sets a flag. One daemon thread per web process turns it into at most ten rings a second,
and a ring into a queued task only if none is waiting already.
"""

import logging
import threading
import time

from django.conf import settings
from django.db import close_old_connections, connection

from webhooks import full_disk
from webhooks.models import Bell
from webhooks.waking import wake

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.1  # between two rings
PAUSE_AFTER_FAILURE_SECONDS = 1.0


def ring() -> bool:
    """Wake the workers, unless a wake-up is queued already; False if the broker failed.

    After a failure the bell is silent again, so the next call tries again.
    """
    if Bell.turn_on() and not wake(settings.WEBHOOKS_WAKE_TASK, "default"):
        Bell.turn_off()
        return False
    return True


def silence() -> None:
    """Call this before a drain looks for work: an event stored later then rings the bell again."""
    Bell.turn_off()


class Ringer:
    """Rings in its own thread. A broker that is slow or does not answer delays only this thread."""

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
        """Ring; if that fails the flag stays set, so that it is tried again."""
        close_old_connections()
        try:
            if ring():
                return True
        except Exception as error:  # noqa: BLE001 - of the database; the thread must not end
            connection.close()
            logger.warning("bell not rung (%s)", full_disk.why(error))
        self.failures += 1
        self._wanted.set()
        return False


ringer = Ringer()
