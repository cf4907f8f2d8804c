"""Makes ended events due again, batch by batch, for the command, the admin and the API.

Nothing is processed here: the rows become due, and after each batch the bell wakes the workers, who
are busy from the first batch on.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate

from django.db import DatabaseError, connection, transaction
from django.db.models import Max, QuerySet

from webhooks.bell import ring
from webhooks.clock import database_now
from webhooks.connections import is_outage
from webhooks.models import WebhookEvent
from webhooks.parsing import ParsedEvent, Unusable, parse

logger = logging.getLogger(__name__)

CHUNK = 500  # events of one transaction: it holds their locks, on SQLite that of the only writer
LARGEST = 16 * 1024 * 1024  # bytes of their bodies, unless a single one is larger
# Workers take the oldest events first, and these are older than what arrives meanwhile. So only a
# few batches wait at a time: a new event waits for a second, and not until all of them are done.
AHEAD = 4
LOOK_AGAIN_SECONDS = 0.1
PATIENCE_SECONDS = 10.0  # with workers that take nothing, or with none
PAUSE_SECONDS = 0.12  # between two batches on SQLite
WAITING = "it is waiting to be processed already"
BODY_ENDED = "its body is no longer kept"


@dataclass(slots=True)
class Report:
    """How a replay went; `reasons` counts why events were skipped or failed."""

    queued: int = 0
    skipped: int = 0
    failed: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    reached: int = 0  # the key up to which all is done
    begun: list[int] = field(default_factory=list)  # the batch that is not known to be done
    begun_at: datetime | None = None
    is_complete: bool = False

    @property
    def done(self) -> int:
        return self.queued + self.skipped + self.failed

    @property
    def words(self) -> str:
        """`3 queued, 1 skipped`, and the failures if there were any."""
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"{self.queued:,} queued, {self.skipped:,} skipped{failed}"

    def add(self, keys: Sequence[int], outcomes: dict[int, "Left"]) -> None:
        """Count a batch of these keys, of which some were left as they are."""
        self.queued += len(keys) - len(outcomes)
        for left in outcomes.values():
            self.failed += left.is_failure
            self.skipped += not left.is_failure
            self.reasons[left.why] += 1
        self.reached, self.begun = keys[-1], []

    def settle(self) -> None:
        """Count the last batch if it was committed before the connection broke. Asks the database.

        It is all or nothing, and what is left as it is comes to no harm.
        """
        if not self.begun:
            return
        ours = WebhookEvent.objects.filter(pk__in=self.begun, available_at__gte=self.begun_at)
        queued = set(ours.values_list("pk", flat=True))
        if queued:
            self.add(self.begun, {k: Left("not known") for k in self.begun if k not in queued})
        self.begun = []


@dataclass(frozen=True, slots=True)
class Left:
    """Why an event was left as it is."""

    why: str
    is_failure: bool = False


def replay(
    events: QuerySet[WebhookEvent],
    *,
    progress: Callable[[int], None] = lambda done: None,
    limit: int | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    report: Report | None = None,
) -> Report:
    """Make each of these events due again; `progress` is told how many are done.

    Each event is read anew: who it is about, what it is and when it happened is what today's
    parser says, and a quarantined one that it understands becomes a waiting event.
    One bad row never stops the others. Repeating a replay is safe: waiting events are skipped.
    `report`: is filled as batches are committed, so that it tells how far it came, whatever ends
    it. It begins after the key that the report has reached.
    """
    report = report or Report()
    pace = Pace(report.reached)
    for keys in chunks(events, after=report.reached, limit=limit):
        if is_stopped():
            return report
        report.begun_at, report.begun = database_now(), keys
        with transaction.atomic():
            outcomes = make_due(keys)
        report.add(keys, outcomes)
        if len(outcomes) < len(keys):
            ring()
        progress(report.done)
        pace.keep(keys[-1], is_stopped)
    report.is_complete = True
    return report


def chunks(
    events: QuerySet[WebhookEvent],
    size: int | None = None,
    *,
    after: int = 0,
    last: int | None = None,
    limit: int | None = None,
) -> Iterator[list[int]]:
    """Keys in their order, as many as are read at once: fewer where the bodies are large.

    By key, so a row that drops out of the selection meanwhile causes no gap. Events above `last`
    are left out; if it is not given, those that arrive after this moment.
    """
    rows = events.order_by("pk").values_list("pk", "body_size")
    if last is None:
        last = events.order_by().aggregate(last=Max("pk"))["last"] or 0
    left = last if limit is None else limit
    while found := list(
        rows.filter(pk__gt=after, pk__lte=last)[: min(size or CHUNK, left)] if left > 0 else []
    ):
        sizes = accumulate(size for _, size in found)
        keys = [key for (key, _), size in zip(found, sizes, strict=True) if size <= LARGEST]
        keys = keys or [found[0][0]]
        yield keys
        after, left = keys[-1], left - len(keys)


def make_due(keys: Sequence[int]) -> dict[int, Left]:
    """Make these events due; returns why some were left as they are. Needs a transaction."""
    rows = WebhookEvent.objects.filter(pk__in=keys).order_by("pk").defer("headers", "history")
    left: dict[int, Left] = {}
    ended: list[WebhookEvent] = []
    for event in rows.select_for_update():
        try:
            if event.status == WebhookEvent.Status.QUARANTINED:
                if why := _read_anew(event):
                    left[event.pk] = Left(why)
            elif event.is_replayable:
                ended.append(event)
            else:
                left[event.pk] = Left(BODY_ENDED if event.body_ended_at else WAITING)
        except Exception as error:  # noqa: BLE001 - the outer edge of one row
            left[event.pk] = _failure(event, error)
    return left | _make_all_due(ended)


def _make_all_due(events: list[WebhookEvent]) -> dict[int, Left]:
    """All at once; if that fails one by one, so that only the bad one is left out."""
    try:
        with transaction.atomic():
            WebhookEvent.objects.all().replay_each(events)
    except Exception as error:
        if is_outage(error):
            raise
        if len(events) == 1:
            return {events[0].pk: _failure(events[0], error)}
        middle = len(events) // 2
        return _make_all_due(events[:middle]) | _make_all_due(events[middle:])
    return {}


def _failure(event: WebhookEvent, error: Exception) -> Left:
    # The error's text may quote the row: no customer in the log.
    logger.error("replaying event %d failed (%s)", event.pk, type(error).__name__)
    return Left(type(error).__name__, is_failure=True)


def why_unreadable(event: WebhookEvent) -> str:
    """Why a quarantined event could not be read now either; empty if it could."""
    try:
        _parsed(event)
    except Unusable as error:
        return str(error)
    return ""


def _parsed(event: WebhookEvent) -> ParsedEvent:
    """What today's parser reads. Raises Unusable."""
    body = bytes(event.body)
    if len(body) < event.body_size:
        raise Unusable("only the start of its body was kept")
    return parse(body)


def _read_anew(event: WebhookEvent) -> str:
    """QUARANTINED -> PENDING, with the fields that today's parser reads; or why it stays."""
    try:
        parsed = _parsed(event)
    except Unusable as error:
        return str(error)
    if WebhookEvent.objects.filter(event_id=parsed.event_id).exclude(pk=event.pk).exists():
        return "an event with its id is stored already"
    try:
        with transaction.atomic():
            changed = event.release(parsed)
    except DatabaseError as error:  # the row is unchanged: quarantined, with its old reason
        return f"the database refused it again ({type(error).__name__})"
    return "" if changed else "it was replayed by another process meanwhile"


class Pace:
    """Lets workers come close before more is queued, unless they take nothing."""

    def __init__(self, after: int = 0) -> None:
        """after: the key that an earlier run has reached."""
        self._queued = deque([after] * AHEAD if after else [])  # the last key of each batch
        self._patience = PATIENCE_SECONDS

    def keep(self, key: int, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """Return once the workers are at the last batches, or when none seems to be there.

        key: the last one that was queued. Without workers all is queued without a pause.
        """
        let_receiver_in()
        self._queued.append(key)
        if len(self._queued) <= AHEAD:
            return
        oldest, give_up_at = self._queued.popleft(), time.monotonic() + self._patience
        while _is_due(oldest):
            if time.monotonic() >= give_up_at:
                self._patience = 0
                return
            if is_stopped():
                return
            time.sleep(LOOK_AGAIN_SECONDS)
        self._patience = PATIENCE_SECONDS


def let_receiver_in() -> None:
    """Pause after a batch. SQLite does not queue its writers: they try again every 100 ms."""
    if connection.vendor == "sqlite":
        time.sleep(PAUSE_SECONDS)


def _is_due(key: int) -> bool:
    """Whether no worker has taken the event: they take them in the order of their keys."""
    return WebhookEvent.objects.all().due().filter(pk=key).exists()
