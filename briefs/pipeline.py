"""From stored event to brief, in batches; read it from the top.

    claim -> understand (rules, customers, personas; network, no transaction)
          -> record (signals, briefs, research, states; one transaction, fenced by the lease)

Whatever a batch causes is inserted in the transaction that ends its events, so an event causes
it once or not at all.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from briefs import merging, profiles, recording, research, understanding
from briefs.notifying import alarms
from webhooks import bell
from webhooks.models import MAX_TRIES, Claim, WebhookEvent

logger = logging.getLogger(__name__)

BATCH_SIZE = 500
BACKOFF = [timedelta(seconds=s) for s in (10, 60, 300, 900)]


def drain() -> int:
    """Process due events until none is left or half the time-out is used; returns how many.

    The bell is silenced first: an event that arrives from now on rings anew.
    """
    bell.silence()
    stop_at = time.monotonic() + settings.DRAIN_TIMEOUT_SECONDS / 2
    processed = 0
    while time.monotonic() < stop_at:
        claims = (
            WebhookEvent.objects.all().claim_batch(BATCH_SIZE),
            WebhookEvent.objects.all().claim_one_alone(),
        )
        if not any(claims):
            return processed
        processed += sum(process(claim) for claim in claims if claim)
        _give_way()
    bell.ring()
    return processed


def _give_way() -> None:
    """Pause between two batches while events arrive: acknowledging comes before processing.

    On SQLite always, and for longer: its writers poll for their turn and are not queued. Without a
    pause the drain would have the lock again before the receiver looks, and the receiver gives up
    after 2 seconds.
    """
    just_now = Now() - timedelta(seconds=1)
    is_receiving = WebhookEvent.objects.filter(received_at__gt=just_now).exists()
    if connection.vendor == "sqlite":
        time.sleep(0.25 if is_receiving else 0.05)
    elif is_receiving:
        time.sleep(0.1)


def sweep() -> None:
    """Once a minute: whatever no bell announced. Lost wake-ups, retries, leases that ran out."""
    try:
        drain()
    finally:  # what keeps the drain from working is what people must hear of
        alarms.sweep()
    profiles.catch_up()
    research.upgrade_briefs()
    research.wake()


def process(claim: Claim) -> int:
    """Carry one claim through; returns how many events ended. Never raises for an event's sake."""
    try:
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


def _process(claim: Claim) -> int:
    drafts = understanding.understand(claim.events)
    merging.merge_same(drafts)
    with transaction.atomic():
        held = {event.pk for event in claim.hold()}
        drafts = [draft for draft in drafts if draft.event.pk in held]
        asked = recording.record(drafts)
        WebhookEvent.objects.all().finish_each(
            claim.token, [(d.event.pk, d.status, d.reason) for d in drafts]
        )
    if asked:
        research.wake()
    return len(drafts)


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
