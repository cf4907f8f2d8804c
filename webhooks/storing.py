"""Stores deliveries durably within a time limit, as many as wait in one statement.

Request threads hand their row to one thread of their process and wait for its commit. Under load
the rows that gathered during one commit share the next, and however the database fails, hangs or
vanishes, a request waits for it no longer than its limit.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import DataError, Error, IntegrityError, InterfaceError, OperationalError, connection

from webhooks.models import Row, WebhookEvent

logger = logging.getLogger(__name__)

WAIT_SECONDS = 2.5  # of the 3 that an answer may take; Customer.io gives up after 4
STATEMENT_SECONDS = 2.0
BATCH_SIZE = 64
BATCH_BYTES = 16 * 1024 * 1024
FAIL_FAST_SECONDS = 1.0  # after one failure, others need not find out for themselves


class NotStored(Exception):
    """The database cannot take it now; trying again soon helps."""


class Refused(Exception):
    """The database refuses these very values; trying again cannot help."""


@dataclass(eq=False, slots=True)
class Pending:
    """A row on its way, and the request that waits for it."""

    row: Row | None
    is_new: bool = False
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def finish(self, *, is_new: bool = False, error: Exception | None = None) -> None:
        self.is_new, self.error = is_new, error
        self.done.set()

    def give_up(self) -> None:
        """Let go of the body: nobody waits any more. If it is stored all the same, no harm."""
        self.row = None


class Committer:
    """The one thread of a process that writes events."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Pending] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed_until = 0.0
        self._held: list[Pending] = []

    def record(self, row: Row) -> bool:
        """Store a row durably; True if its event is new, False if this is a further delivery.

        Returns or raises within 2.5 seconds: NotStored, or Refused by the values' own fault.
        """
        if time.monotonic() < self._closed_until:
            raise NotStored("storing failed a moment ago")
        pending = Pending(row)
        self.submit(pending)
        if not pending.done.wait(WAIT_SECONDS):
            pending.give_up()
            pending.error = NotStored("the database did not answer in time")
        if isinstance(pending.error, NotStored):
            self._closed_until = time.monotonic() + FAIL_FAST_SECONDS
        if pending.error is not None:
            raise pending.error
        return pending.is_new

    def reopen(self) -> None:
        """Forget that storing failed a moment ago."""
        self._closed_until = 0.0

    def submit(self, pending: Pending) -> None:
        self._queue.put(pending)
        if self._thread is None or not self._thread.is_alive():
            with self._starting:
                if self._thread is None or not self._thread.is_alive():
                    self._thread = threading.Thread(target=self._run, name="committer", daemon=True)
                    self._thread.start()

    def _run(self) -> None:
        while True:
            self.commit(self._gather())

    def _gather(self) -> list[Pending]:
        """Whatever waits, but no event twice: one statement cannot touch a row twice."""
        batch: dict[str, Pending] = {}
        size = 0
        for pending in self._waiting():
            if pending.row is None:
                continue
            if pending.row.event.event_id in batch:
                self._held.append(pending)
                continue
            batch[pending.row.event.event_id] = pending
            size += len(pending.row.body)
            if len(batch) == BATCH_SIZE or size > BATCH_BYTES:
                break
        return list(batch.values())

    def _waiting(self) -> Iterator[Pending]:
        held, self._held = self._held, []
        yield from held
        if not held:
            yield self._queue.get()
        while True:
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return

    def commit(self, batch: list[Pending]) -> None:
        """Write the batch and tell everybody how it went. Never raises."""
        rows = {p.row.event.event_id: p for p in batch if p.row is not None}
        try:
            stored = self._write([rows[key].row for key in sorted(rows)])
        except (DataError, IntegrityError) as error:
            self._commit_singly(list(rows.values()), error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the requests must hear of it
            connection.close()
            logger.error("%d events not stored: %s", len(rows), type(error).__name__)
            for pending in rows.values():
                pending.finish(error=NotStored(type(error).__name__))
        else:
            for key, pending in rows.items():
                pending.finish(is_new=stored[key] == 1)

    def _commit_singly(self, batch: list[Pending], error: Error) -> None:
        if len(batch) == 1:
            batch[0].finish(error=Refused(type(error).__name__))
            return
        for pending in batch:  # one of them is to blame; the others are stored all the same
            self.commit([pending])

    def _write(self, rows: list[Row | None]) -> dict[str, int]:
        given = [row for row in rows if row is not None]
        began = time.monotonic()
        try:
            return self._write_once(given)
        except (OperationalError, InterfaceError):
            # A connection that the server dropped while it lay idle shows only when it is used.
            connection.close()
            if time.monotonic() - began > STATEMENT_SECONDS / 2:
                raise
            return self._write_once(given)

    def _write_once(self, rows: list[Row]) -> dict[str, int]:
        if connection.connection is None and connection.vendor == "postgresql":
            limit = int(STATEMENT_SECONDS * 1000)
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {limit}; SET lock_timeout = {limit}")
        return WebhookEvent.objects.all().record(rows)


committer = Committer()
