"""Stores deliveries durably within a time limit, all that wait in one statement.

A request thread gives its row to the one writer thread of its process and waits for the commit.
Rows that arrive during one commit are written together in the next. If the database fails or
hangs, a request waits no longer than its limit.
"""

import logging
import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import (
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connection,
    transaction,
)

from webhooks import full_disk
from webhooks.connections import is_ours_alone
from webhooks.models import DeliveryRow, WebhookEvent

logger = logging.getLogger(__name__)

WAIT_SECONDS = 2.5  # of the 3 that an answer may take; Customer.io gives up after 4
STATEMENT_SECONDS = 2.0
BATCH_SIZE = 64
BATCH_BYTES = 16 * 1024 * 1024
LOCK_SECONDS = 0.5  # to wait for a row that another transaction has locked
MOST_ABANDONED = 3  # writers that hang, each with a connection of its own
STUCK_SECONDS = 2.0  # longer than a statement may take: no answer will come
FAIL_FAST_SECONDS = 1.0  # after a failure other requests fail at once
FULL_SECONDS = 600.0  # for which a full disk is remembered; Customer.io tries again before


class NotStored(Exception):
    """The database cannot take it now; trying again soon helps."""


class DiskFull(NotStored):
    """The disk of the database is full; it helps only once people have made room."""


class LockHeld(Exception):
    """Another transaction has locked the row of one of these events."""


class ValuesRefused(Exception):
    """The database refuses these very values; trying again cannot help."""


class IdTaken(Exception):
    """Another event has this id; this one can only be stored under another."""


@dataclass(eq=False, slots=True)
class Pending:
    """A row on its way, and the request that waits for it."""

    row: DeliveryRow | None
    is_new: bool = False
    error: Exception | None = None
    done: threading.Event = field(default_factory=threading.Event)

    def finish(self, *, is_new: bool = False, error: Exception | None = None) -> None:
        self.is_new, self.error = is_new, error
        self.done.set()

    def give_up(self) -> None:
        """Free the body's memory: the request no longer waits. The row may still be stored."""
        self.row = None


class Committer:
    """Takes rows from request threads and has the one thread of this process write them."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._writer: Writer | None = None
        self._closed_until = 0.0
        self._full_until = 0.0
        self._abandoned: list[Writer] = []

    def record(self, row: DeliveryRow) -> bool:
        """Store a row durably; True if its event is new, False if this is a further delivery.

        Returns or raises within 2.5 seconds: NotStored, ValuesRefused if the database can never
        store these values, or IdTaken if the row of this id is about something else.
        """
        if time.monotonic() < self._closed_until:
            raise NotStored("storing failed a moment ago")
        pending = Pending(row)
        writer = self.submit(pending)
        if not pending.done.wait(WAIT_SECONDS):
            pending.give_up()
            self._replace_if_stuck(writer)
            pending.error = NotStored("the database did not answer in time")
        if isinstance(pending.error, NotStored):
            self._closed_until = time.monotonic() + FAIL_FAST_SECONDS
        if isinstance(pending.error, DiskFull):
            self._full_until = time.monotonic() + FULL_SECONDS
        if pending.error is not None:
            raise pending.error
        self._full_until = 0.0
        return pending.is_new

    @property
    def is_disk_full(self) -> bool:
        """Whether the last event could not be stored because the disk was full."""
        return time.monotonic() < self._full_until

    def submit(self, pending: Pending) -> "Writer":
        with self._starting:
            if self._writer is None or not self._writer.is_alive():
                self._writer = Writer()
                self._writer.start()
            self._writer.put(pending)
            return self._writer

    def _replace_if_stuck(self, writer: "Writer") -> None:
        """Give up a writer that hangs in a database call; a new one will connect again."""
        with self._starting:
            self._abandoned = [other for other in self._abandoned if other.is_alive()]
            if len(self._abandoned) >= MOST_ABANDONED:
                return  # more connections would not help, and other processes need them
            if self._writer is writer and writer.busy_seconds > STUCK_SECONDS:
                self._abandoned.append(writer)
                logger.error("the database connection hangs; starting a new one")
                writer.retire()
                self._writer = None


class Writer(threading.Thread):
    """The thread that writes events, with a database connection of its own."""

    def __init__(self) -> None:
        super().__init__(name="committer", daemon=True)
        self._queue: queue.SimpleQueue[Pending | None] = queue.SimpleQueue()
        self._held: list[Pending] = []
        self._busy_since = 0.0
        self._retired = False

    @property
    def busy_seconds(self) -> float:
        """How long the present commit has taken; 0 if there is none."""
        return time.monotonic() - self._busy_since if self._busy_since else 0.0

    def put(self, pending: Pending) -> None:
        self._queue.put(pending)

    def retire(self) -> None:
        """End after the present commit."""
        self._retired = True
        self._queue.put(None)

    def run(self) -> None:
        while not self._retired:
            batch = self._gather()
            self._busy_since = time.monotonic()
            self.commit(batch)
            self._busy_since = 0.0

    def _gather(self) -> list[Pending]:
        """All rows that wait, each event once: one statement cannot write a row twice."""
        batch: dict[str, Pending] = {}
        later: list[Pending] = []
        size = 0
        for pending in self._waiting():
            if pending is None or pending.row is None:
                continue
            if pending.row.event.event_id in batch:
                later.append(pending)
                continue
            batch[pending.row.event.event_id] = pending
            size += len(pending.row.body)
            if len(batch) == BATCH_SIZE or size > BATCH_BYTES:
                break
        self._held += later
        return list(batch.values())

    def _waiting(self) -> Iterator[Pending | None]:
        if not self._held:
            yield self._queue.get()
        while self._held:
            yield self._held.pop(0)
        while True:
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return

    def commit(self, batch: list[Pending]) -> None:
        """Write the batch and report the outcome to each waiting request. Never raises."""
        given = [(pending, row) for pending in batch if (row := pending.row) is not None]
        rows = {row.event.event_id: pending for pending, row in given}
        if not rows:
            return
        try:
            stored = self._write(sorted((row for _, row in given), key=lambda r: r.event.event_id))
        except LockHeld:  # by a drain or a deletion: only the locked row is not stored
            for pending in rows.values():
                if len(rows) == 1:
                    pending.finish(error=NotStored("the event's row is locked"))
                else:
                    self.commit([pending])
        except (DataError, IntegrityError) as error:
            self._commit_singly(list(rows.values()), error)
        except Exception as error:  # noqa: BLE001 - of any kind: the requests must be told
            connection.close()
            why = full_disk.why(error)
            logger.error("%d events not stored: %s", len(rows), why)
            kind = DiskFull if why == full_disk.FULL else NotStored
            for pending in rows.values():
                pending.finish(error=kind(why))
        else:
            for key, pending in rows.items():
                is_taken = stored.get(key) == 0
                pending.finish(is_new=stored.get(key) == 1, error=IdTaken() if is_taken else None)

    def _commit_singly(self, batch: list[Pending], error: Error) -> None:
        if len(batch) == 1:
            batch[0].finish(error=ValuesRefused(type(error).__name__))
            return
        for pending in batch:  # one row caused it; the others can be stored
            self.commit([pending])

    def _write(self, rows: list[DeliveryRow]) -> dict[str, int]:
        began = time.monotonic()
        try:
            return self._write_once(rows)
        except (OperationalError, InterfaceError) as error:
            if type(error.__cause__).__name__ == "LockNotAvailable":
                raise LockHeld from error
            # That the server closed an idle connection is noticed only when it is used again.
            connection.close()
            if time.monotonic() - began > STATEMENT_SECONDS / 2:
                raise
            return self._write_once(rows)

    def _write_once(self, rows: list[DeliveryRow]) -> dict[str, int]:
        if connection.vendor != "postgresql":
            return WebhookEvent.objects.all().record(rows)
        is_new = connection.connection is None
        if is_ours_alone(connection):
            if is_new:
                _set_limits("SESSION")
            return WebhookEvent.objects.all().record(rows)
        with transaction.atomic():  # behind a pooler: the next transaction may be somebody else's
            _set_limits("LOCAL")
            return WebhookEvent.objects.all().record(rows)


def _set_limits(scope: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SET {scope} statement_timeout = {int(STATEMENT_SECONDS * 1000)};"
            f"SET {scope} lock_timeout = {int(LOCK_SECONDS * 1000)};"
            f"SET {scope} synchronous_commit = on"  # 200 only when the row is safe on disk
        )


committer = Committer()
