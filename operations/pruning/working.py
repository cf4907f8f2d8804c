"""Removes what is over, in small batches: a slice at a time at night, or all by the command.

One worker holds the row `Pruning` by a lease; each batch is counted in its own transaction under
that lease. What was removed is not there any more, so a run that was stopped anywhere goes on by
looking again.
"""

import logging
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from briefs.finding.words.indexing import BUSY
from briefs.saving.comparing import next_night
from operations import sizes
from operations.pruning.endings import Ending, endings, failed_before
from webhooks import waking
from webhooks.clock import database_now
from webhooks.connections import is_outage
from webhooks.models import Pruning, RetentionPolicy, WebhookEvent
from webhooks.models.retention import TOLD_BEFORE
from webhooks.replay import PAUSE_SECONDS

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.prune"
CLUSTER = "research"  # whose workers are used to slow calls: no event and no sweep waits for it
SLICE_SECONDS = 20.0
BATCH = 200  # rows of one transaction: it holds their locks, on SQLite that of the only writer
WAIT_SECONDS = 1.0  # while the workers are behind
AGAIN_AFTER = timedelta(hours=1)  # a run that failed

Told = Callable[[Ending, int], None]  # how many rows of this kind a batch ended


class LeaseLost(Exception):
    """Another worker took over: this one was frozen for longer than its lease."""


def state_of() -> Pruning:
    """The row of the removal. A new one waits for the night, so that an upgrade removes nothing."""
    return Pruning.known() or Pruning.made(next_night(database_now()))


def wake_if_due() -> None:
    """Wake a worker if the night has come or a run is under way."""
    if state_of().may_wake():
        waking.wake(TASK, CLUSTER)


def run() -> bool:
    """Do one slice; False if nothing is due or another worker is at it.

    Raises if the database is away; then the lease runs out.
    """
    state = state_of()
    if not state.claim():
        return False
    stop_at = time.monotonic() + SLICE_SECONDS
    work(state, is_stopped=lambda: time.monotonic() >= stop_at)
    wake_if_due()
    return True


def work(
    state: Pruning,
    *,
    limit: int | None = None,
    is_stopped: Callable[[], bool] = lambda: False,
    tell: Told = lambda ending, number: None,
) -> bool:
    """Remove what is over until nothing is; False if it was stopped or something failed.

    Needs the claimed row, and gives it back. An error is noted with the kind of row, whose turn
    comes again; the other kinds go on. Raises if the database is away.
    """
    try:
        _held(state.begin())
        _prepare(state)
        failed = ""
        left = limit
        for ending in endings(RetentionPolicy.current(), database_now(), state):
            try:
                left = _end(ending, state, left, is_stopped, tell)
            except LeaseLost:
                raise
            except Exception as error:
                if is_outage(error):
                    raise
                # Its text may quote a row: no customer in the log.
                failed = f"{ending.words}: {type(error).__name__}"
                logger.error("not removed: %s", failed)
                state.refresh_from_db(fields=["removed"])  # without a batch that was taken back
            if left == 0 or is_stopped():
                return False
        if failed:
            _held(state.failed(failed, AGAIN_AFTER))
            return False
        _held(state.finish(next_night(database_now())))
        return True
    except LeaseLost:
        logger.warning("another worker removes old rows")
        return False
    finally:
        state.release()


def _prepare(state: Pruning) -> None:
    """At the beginning of each slice: the sizes of the day, and whether failed events are to go."""
    sizes.record(database_now())
    policy = RetentionPolicy.current()
    moment = policy.before("failed_days", database_now())
    is_near = moment and any(rows.exists() for rows in failed_before(moment + TOLD_BEFORE))
    _held(state.tell(policy.failed_days if is_near else None))


def _end(
    ending: Ending,
    state: Pruning,
    left: int | None,
    is_stopped: Callable[[], bool],
    tell: Told,
) -> int | None:
    """Remove these rows batch by batch; returns what is left of the limit."""
    after: tuple[Any, Any] | None = None
    while not is_stopped() and left != 0 and _is_free(state, is_stopped):
        size = BATCH if left is None else min(BATCH, left)
        began = time.monotonic()
        page = ending.page(after, size)
        if not page:
            break
        after = page[-1]
        number = _batch(ending, [key for _, key in page], state, began)
        left = None if left is None else left - number
        tell(ending, number)
        if len(page) < size:
            break
        _let_others_in(time.monotonic() - began)
    return left


@transaction.atomic
def _batch(ending: Ending, keys: list[Any], state: Pruning, began: float) -> int:
    taken = ending.take(keys)
    if taken:
        ending.end(ending.rows.filter(pk__in=taken))
    _held(state.removed_some(ending.key, len(taken), time.monotonic() - began))
    return len(taken)


def _is_free(state: Pruning, is_stopped: Callable[[], bool]) -> bool:
    """Wait while more events are due than the workers take in a moment; False if stopped."""
    while WebhookEvent.objects.all().due().values("pk")[: BUSY + 1].count() > BUSY:
        if is_stopped():
            return False
        _held(state.hold())
        time.sleep(WAIT_SECONDS)
    return True


def _let_others_in(seconds: float) -> None:
    """Pause for as long as the batch took, and three times as long while events arrive.

    SQLite does not queue its writers: they try again every 100 ms.
    """
    just_now = Now() - timedelta(seconds=1)
    if WebhookEvent.objects.filter(received_at__gt=just_now).exists():
        seconds *= 3
    time.sleep(max(seconds, PAUSE_SECONDS) if connection.vendor == "sqlite" else seconds)


def _held(is_held: bool) -> None:
    if not is_held:
        raise LeaseLost
