"""From stored event to brief, in batches; read it from the top.

    claim -> understand (rules, customers, personas; network, no transaction)
          -> record (signals, briefs, research, states; one transaction, fenced by the lease)

All rows that a batch causes are inserted in the transaction that ends its events, so an event
causes them once or not at all.
"""

import gc
import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from briefs.pipeline import (
    causing,
    merging,
    naming,
    preferences,
    recording,
    scanners,
    understanding,
)
from briefs.pipeline.drafts import Draft
from briefs.research import working
from personas.rules.rulebook import Rulebook
from webhooks import bell, scrubbing
from webhooks.connections import is_outage
from webhooks.logs.ids import about
from webhooks.models import MAX_TRIES, Claim, WebhookEvent

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
NO_PAUSE_UP_TO = 20  # events: after so few there is no pause, which would delay the next event
PUT_OFF = timedelta(minutes=5)  # at least; at most twice that
BACKOFF = [timedelta(seconds=s) for s in (10, 60, 300, 900)]


def drain() -> int:
    """Process due events until none is left or half the time-out is used; returns how many.

    The bell is silenced first: an event that arrives from now on rings anew.
    """
    bell.silence()
    began = paused_at = time.monotonic()
    processed = 0
    has_rung = False
    looks_for_single = True  # this reads all events that wait: not done beside every full batch
    while time.monotonic() < began + settings.DRAIN_TIMEOUT_SECONDS / 2:
        batch = WebhookEvent.objects.all().claim_batch(BATCH_SIZE)
        # While events arrive no second worker is woken: it would slow the receiver down.
        if not has_rung and len(batch.events) == BATCH_SIZE and not _is_receiving():
            has_rung = True
            bell.ring()  # for another worker: after a full batch more events probably wait
        done = process(batch)
        if looks_for_single or done < BATCH_SIZE:
            single = WebhookEvent.objects.all().claim_one_alone()
            looks_for_single = bool(single)
            done += process(single)
        if not (batch or looks_for_single):
            return processed
        processed += done
        if done > NO_PAUSE_UP_TO:
            paused_at = _pause_for_receiver(paused_at)
    bell.ring()
    return processed


def _pause_for_receiver(paused_at: float) -> float:
    """Pause after a batch, so that the receiver can store events. Returns the last pause's time.

    While events arrive, there is a pause after every batch. SQLite does not queue its writers: each
    tries again every 100 ms, and the receiver gives up after 2 seconds. So on SQLite there is also
    a pause once a second while no event seems to arrive.
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
    """Whether an event arrived within the last second."""
    just_now = Now() - timedelta(seconds=1)
    return WebhookEvent.objects.filter(received_at__gt=just_now).exists()


def process(claim: Claim) -> int:
    """Process one claim; returns how many events ended. A failure is recorded, not raised.

    Nothing of a claim that fails is kept. Its halves are processed each by itself, until the events
    that make it fail are alone: a few of them cost the others little time, and no try.
    """
    if not claim:
        return 0
    try:
        with _without_garbage_collection(), about(events=_first(claim)):
            return _process(claim)
    except Exception as error:  # noqa: BLE001 - the outer edge; _give_up logs and keeps it
        if is_outage(error) or len(claim.events) == 1:
            with about(events=_first(claim)):
                _give_up(claim, error)
            return 0
    logger.warning("a batch of %s events failed: each half is tried", len(claim.events))
    return sum(process(half) for half in claim.halves())


def _first(claim: Claim) -> list[int]:
    """The keys of as many of its events as a log line names."""
    return [event.pk for event in claim.events[:10]]


def _give_up(claim: Claim, error: Exception) -> None:
    ids = _first(claim)
    if isinstance(error, DatabaseError):  # its text quotes the row: no customer in the log
        logger.error("processing events %s failed: %s", ids, type(error).__name__)
        _recover(claim, type(error).__name__)
    else:
        logger.error("processing events %s failed", ids, exc_info=error)
        _recover(claim, f"{type(error).__name__}: {error}"[:500])


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """Switch Python's garbage collection off: it would take a sixth of a batch's time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _process(claim: Claim) -> int:
    claimed, claim = len(claim.events), scrubbing.scrub(claim)  # before anybody is looked up
    erased = claimed - len(claim.events)
    if not claim:
        return erased
    drafts = read(claim.events)
    causing.name(drafts)
    with transaction.atomic():
        held = {event.pk for event in claim.hold()}
        drafts = [draft for draft in drafts if draft.event.pk in held]
        preferences.keep(drafts)
        asked = recording.record(drafts)
        ended = [draft for draft in drafts if not draft.is_put_off]
        WebhookEvent.objects.all().finish_each(
            claim.token, [(d.event.pk, d.status, d.reason) for d in ended]
        )
        _put_off(claim, [draft for draft in drafts if draft.is_put_off])
    if asked:
        working.wake()
    if scanners.may_show(drafts):
        scanners.fold()
    causing.notice(drafts)  # without what a scanner caused
    return erased + len(ended)


def read(events: Sequence[WebhookEvent]) -> list[Draft]:
    """What the events mean, and of whom; two rows of one person are merged.

    One version of the rules decides about all of them. The preview of reprocessing reads them by
    this too. Raises LookupError if there are no personas at all.
    """
    rulebook = Rulebook.load()
    drafts = understanding.understand(events, rulebook)
    merging.merge_same(drafts, rulebook, naming.look_up_namesakes(drafts))
    naming.renew(drafts)
    return drafts


def _put_off(claim: Claim, drafts: Iterable[Draft]) -> None:
    """Put events off that cannot be decided yet, each by a random time.

    The App API may fail for one of these people only. With different times the others are looked
    up without that person.
    """
    held = WebhookEvent.objects.held_by(claim.token)
    for draft in drafts:
        delay = PUT_OFF * random.uniform(1, 2)
        held.filter(pk=draft.event.pk).put_off(delay, draft.reason, draft.noted)


def _recover(claim: Claim, reason: str) -> None:
    ours = [event.pk for event in claim.events]  # the other half has the same token
    held = WebhookEvent.objects.held_by(claim.token).filter(pk__in=ours)
    if len(claim.events) > 1:  # the database failed, not an event; each is claimed alone next
        held.put_back(timedelta(0), f"a batch with this event failed: {reason}")
        return
    for event in claim.events:
        if event.tries >= MAX_TRIES:
            words = f"failed {event.tries} times, last with {reason}"
            held.finish(WebhookEvent.Status.DEAD, words)
        else:
            delay = BACKOFF[min(event.tries, len(BACKOFF)) - 1]
            held.put_back(delay, f"try {event.tries} failed: {reason}")
