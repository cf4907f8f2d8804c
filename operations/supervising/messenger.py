"""Reads and writes the database in a thread, so that the supervisor itself never waits for it.

A server that is frozen does not even report a time-out, because its own time-outs are frozen too.
"""

import queue
import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

PATIENCE_SECONDS = 8.0  # the database ends its statements sooner, if it is alive


class Errand(Generic[T]):
    """A piece of work and, once it is done, what came of it: an answer, or an error."""

    def __init__(self, work: Callable[[], T]) -> None:
        self.work = work
        self.answer: T | None = None
        self.error: Exception | None = None
        self.is_done = False
        self._sent_at = time.monotonic()

    @property
    def is_late(self) -> bool:
        return not self.is_done and time.monotonic() - self._sent_at > PATIENCE_SECONDS

    def run(self) -> None:
        try:
            self.answer = self.work()
        except Exception as error:  # noqa: BLE001 - raised by the thread that asked
            self.error = error
        self.is_done = True


class Messenger:
    """One thread that runs errands one after the other.

    While one errand hangs, no further one is accepted, so no more than one ever hangs. It ends when
    the server answers again, or when PostgreSQL's keepalives (settings) break the connection.
    """

    def __init__(self) -> None:
        self._errands: queue.SimpleQueue[Errand[object]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._under_way: Errand[object] | None = None

    @property
    def is_hung(self) -> bool:
        under_way = self._under_way
        return under_way is not None and under_way.is_late

    def send(self, work: Callable[[], T]) -> Errand[T] | None:
        """Queue the work; None if the messenger hangs, and the work is not done."""
        if self.is_hung:
            return None
        errand = Errand(work)
        self._errands.put(errand)  # type: ignore[arg-type]  # it only runs them
        if self._thread is None:
            # A daemon: one that hangs must not keep the process from ending.
            self._thread = threading.Thread(target=self._run, name="messenger", daemon=True)
            self._thread.start()
        return errand

    def _run(self) -> None:
        while True:
            self._under_way = self._errands.get()
            self._under_way.run()
            self._under_way = None
