"""The receiver's rows."""

from webhooks.models.bell import Bell
from webhooks.models.deliveries import DeliveryRow
from webhooks.models.events import LEASE, MAX_TRIES, SMALL_BODY, Claim, WebhookEvent
from webhooks.models.tallies import Answer, Tally
from webhooks.models.tombstones import Tombstone, TombstoneKey

__all__ = [
    "LEASE",
    "MAX_TRIES",
    "SMALL_BODY",
    "Answer",
    "Bell",
    "Claim",
    "DeliveryRow",
    "Tally",
    "Tombstone",
    "TombstoneKey",
    "WebhookEvent",
]
