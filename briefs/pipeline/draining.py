"""From stored event to brief, in batches; read it from the top.

    claim -> understand (rules, customers, personas; network, no transaction)
          -> record (signals, briefs, research, states; one transaction, fenced by the lease)

Whatever a batch causes is inserted in the transaction that ends its events, so an event causes
it once or not at all.
"""

import gc
import logging
import random
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from briefs.pipeline import merging, recording, understanding
from briefs.pipeline.drafts import Draft
from briefs.research import working
from webhooks import bell
from webhooks.models import MAX_TRIES, Claim, WebhookEvent

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
HANDFUL = 20  # events that keep nobody waiting: the one after them is not made to wait either
PUT_OFF = timedelta(minutes=5)  # twice that at most
BACKOFF = [timedelta(seconds=s) for s in (10, 60, 300, 900)]


def drain() -> int:
    """Process due events until none is left or half the time-out is used; returns how many.

    The bell is silenced first: an event that arrives from now on rings anew.
    """
    bell.silence()
    began = paused_at = time.monotonic()
    processed = 0
    is_alone = True
    seeks_alone = True  # which reads all that waits, so not beside every full batch
    while time.monotonic() < began + settings.DRAIN_TIMEOUT_SECONDS / 2:
        batch = WebhookEvent.objects.all().claim_batch(BATCH_SIZE)
        # A second worker beside the receiver would take its processor from it.
        if is_alone and len(batch.events) == BATCH_SIZE and not _is_receiving():
            is_alone = False
            bell.ring()  # for another worker: where a batch is full there is probably more
        done = process(batch)
        if seeks_alone or done < BATCH_SIZE:
            alone = WebhookEvent.objects.all().claim_one_alone()
            seeks_alone = bool(alone)
            done += process(alone)
        if not (batch or seeks_alone):
            return processed
        processed += done
        if done > HANDFUL:
            paused_at = _give_way(paused_at)
    bell.ring()
    return processed


def _give_way(paused_at: float) -> float:
    """Pause between two batches: acknowledging comes before processing. Returns when it did last.

    While events arrive, after every batch. SQLite's writers are not queued but poll for their turn,
    every 100 ms once they have waited a while, and the receiver gives up after 2 seconds: so on
    SQLite there is a longer pause once a second even if nothing seems to arrive.
    """
    is_receiving = _is_receiving()
    if connection.vendor == "sqlite":
        if is_receiving:
            time.sleep(0.25)
        elif time.monotonic() > paused_at + 1:
            time.sleep(0.12)
        else:
            return paused_at
    elif is_receiving:
        time.sleep(0.1)
    return time.monotonic()


def _is_receiving() -> bool:
    """Whether events arrive at this very moment."""
    just_now = Now() - timedelta(seconds=1)
    return WebhookEvent.objects.filter(received_at__gt=just_now).exists()


def process(claim: Claim) -> int:
    """Carry one claim through; returns how many events ended. Never raises for an event's sake."""
    if not claim:
        return 0
    try:
        with _uncollected():
            return _process(claim)
    except Exception as error:  # the outer edge: recorded on the rows, logged by their ids
        ids = [event.pk for event in claim.events]
        if isinstance(error, DatabaseError):  # its text quotes the row, and so the customer
            logger.error("processing events %s failed: %s", ids[:10], type(error).__name__)
            _recover(claim, type(error).__name__)
        else:
            logger.exception("processing events %s failed", ids[:10])
            _recover(claim, f"{type(error).__name__}: {error}"[:500])
        return 0


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without Python's search for cycles: done within a batch, it takes a sixth of its time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _process(claim: Claim) -> int:
    drafts = understanding.understand(claim.events)
    merging.merge_same(drafts)
    with transaction.atomic():
        held = {event.pk for event in claim.hold()}
        drafts = [draft for draft in drafts if draft.event.pk in held]
        asked = recording.record(drafts)
        ended = [draft for draft in drafts if not draft.is_put_off]
        WebhookEvent.objects.all().finish_each(
            claim.token, [(d.event.pk, d.status, d.reason) for d in ended]
        )
        _put_off(claim, [draft for draft in drafts if draft.is_put_off])
    if asked:
        working.wake()
    return len(ended)


def _put_off(claim: Claim, drafts: Iterable[Draft]) -> None:
    """Keep events waiting that cannot be decided yet. They part at random: the App API may fail on
    one of these people alone, and the others must not share that look-up for ever."""
    held = WebhookEvent.objects.held_by(claim.token)
    for draft in drafts:
        delay = PUT_OFF * random.uniform(1, 2)
        held.filter(pk=draft.event.pk).put_off(delay, draft.reason, draft.noted)


def _recover(claim: Claim, reason: str) -> None:
    held = WebhookEvent.objects.held_by(claim.token)
    if len(claim.events) > 1:  # each is claimed alone next, so one bad event takes nobody along
        held.put_back(timedelta(0), f"a batch with this event failed: {reason}")
        return
    for event in claim.events:
        if event.tries >= MAX_TRIES:
            words = f"failed {event.tries} times, last with {reason}"
            held.finish(WebhookEvent.Status.DEAD, words)
        else:
            delay = BACKOFF[min(event.tries, len(BACKOFF)) - 1]
            held.put_back(delay, f"try {event.tries} failed: {reason}")
