"""The receiver's rows."""

from webhooks.models.beats import ServiceBeat
from webhooks.models.bell import Bell
from webhooks.models.deliveries import DeliveryRow
from webhooks.models.events import LEASE, MAX_TRIES, SMALL_BODY, Claim, WebhookEvent
from webhooks.models.meters import Meter, MeterCount
from webhooks.models.retention import DailySize, Pruning, RetentionPolicy
from webhooks.models.tallies import Answer, Tally
from webhooks.models.tombstones import Tombstone, TombstoneKey

__all__ = [
    "LEASE",
    "MAX_TRIES",
    "SMALL_BODY",
    "Answer",
    "Bell",
    "Claim",
    "DailySize",
    "DeliveryRow",
    "Meter",
    "MeterCount",
    "Pruning",
    "RetentionPolicy",
    "ServiceBeat",
    "Tally",
    "Tombstone",
    "TombstoneKey",
    "WebhookEvent",
]
