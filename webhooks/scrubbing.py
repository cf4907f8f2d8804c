"""Empties what Customer.io sends about people who were erased: when it is claimed, before anybody
is looked up; and quarantined events, which nobody claims, by the sweep.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

from webhooks.clock import database_now
from webhooks.models import Claim, Tombstone, TombstoneKey, WebhookEvent

# A row may be committed a while after it was stamped.
LATE = timedelta(minutes=5)
MOST = 500  # quarantined events in one sweep; the next one goes on
MOST_WORDS = 5_000  # of one body
_ADDRESS = re.compile(r"[\w.+'\"-]{1,200}@[\w-]{1,200}(?:\.[\w-]{1,100}){0,9}")
_NUMBER = re.compile(r"\+?\d[\d\s().\-]{4,24}\d")
_WORD = re.compile(r"[\w.@+%-]{3,200}")


def scrub(claim: Claim) -> Claim:
    """Empty and end those events of the claim that name somebody erased; returns the others."""
    people = [event.identifiers for event in claim.events]
    erased = Tombstone.objects.all().among(people)
    if not any(erased):
        return claim
    keys = [event.pk for event, gone in zip(claim.events, erased, strict=True) if gone]
    WebhookEvent.objects.all().held_by(claim.token).filter(pk__in=keys).empty()
    left = [event for event, gone in zip(claim.events, erased, strict=True) if not gone]
    return Claim(claim.token, left)


def sweep() -> int:
    """Empty quarantined events that name somebody erased; returns how many."""
    key = TombstoneKey.objects.filter(pk=1).first()
    if key is None or not Tombstone.objects.exists():
        return 0
    now = database_now()
    events = WebhookEvent.objects.filter(status=WebhookEvent.Status.QUARANTINED)
    if key.looked_until:
        events = events.filter(received_at__gt=key.looked_until - LATE)
    emptied, last = 0, now
    batch = list(events.order_by("received_at", "pk")[:MOST])
    for event in batch:
        if any(Tombstone.objects.all().among(list(named_in(bytes(event.body))))):
            emptied += WebhookEvent.objects.filter(
                pk=event.pk, status=WebhookEvent.Status.QUARANTINED
            ).empty()
    if len(batch) == MOST:
        # With as many in one moment it would never go on.
        last = max(batch[-1].received_at, (key.looked_until or batch[0].received_at) + LATE)
    TombstoneKey.objects.filter(pk=1).update(looked_until=last)
    return emptied


def named_in(body: bytes) -> Iterator[Mapping[str, str]]:
    """Whatever could name a person in a body that is no event, as identifiers of each kind."""
    text = body.decode("utf-8", "replace")
    try:
        texts = list(_texts(json.loads(text)))
    except (ValueError, RecursionError):
        texts = []
    spread = "\n".join([text, unquote(text), *texts])
    words = {*texts, *_WORD.findall(spread)}
    for word in sorted(words)[:MOST_WORDS]:
        yield {"cio_id": word, "id": word}
    for address in set(_ADDRESS.findall(spread)):
        yield {"email": address.strip("'\"")}
    for number in set(_NUMBER.findall(spread)):
        yield {"phone": number}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif isinstance(value, str | int) and not isinstance(value, bool):
        yield str(value)
