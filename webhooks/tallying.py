"""Counts the receiver's answers in memory and writes them down every few seconds.

A flood of forged requests costs one row an hour and one statement every few seconds.
"""

import atexit
import logging
import threading
from collections import Counter

from django.db import Error, close_old_connections, connection

from webhooks import full_disk
from webhooks.models import Tally

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 3.0


class Tallying:
    """This process's counts since the last flush, and the daemon thread that flushes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def count(self, answer: str) -> None:
        """Count one answer; never touches the database."""
        with self._lock:
            self._counts[answer] += 1
            if self._thread is None or not self._thread.is_alive():
                self._thread = self.start()

    def start(self) -> threading.Thread:
        atexit.register(self.flush)  # else a reload would lose the last counts
        thread = threading.Thread(target=self._run, name="tallying", daemon=True)
        thread.start()
        return thread

    def flush(self) -> bool:
        """Write the counts to the database; on failure they are kept and False is returned."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        if not counts:
            return True
        try:
            Tally.objects.all().add(counts)
        except Error as error:
            logger.warning("tallies not written (%s); kept", full_disk.why(error))
            connection.close()
            with self._lock:
                self._counts.update(counts)
            return False
        return True

    def _run(self) -> None:
        while not self._stop.wait(FLUSH_SECONDS):
            close_old_connections()
            self.flush()


tallying = Tallying()
