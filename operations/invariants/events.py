"""What is promised of stored events."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import Exists, OuterRef, Q

from briefs.models import Signal
from operations.invariants.promises import LONG_AGO, MOST, Broken, promise, repeated, told, unfit
from webhooks.models import MAX_TRIES, WebhookEvent

Status = WebhookEvent.Status
_ENDED = Q(status__in=(Status.PROCESSED, Status.IGNORED, Status.DEAD))
_PENDING = Q(status=Status.PENDING)
_LEASED = Q(lease_token__isnull=False) | Q(lease_until__isnull=False)
# One look at all events finds all of these: a million of them are gigabytes.
_UNFIT = {
    "it has a lease, and does not wait": ~_PENDING & _LEASED,
    "its lease has a token or an end, and not both": (
        Q(lease_token=None, lease_until__isnull=False)
        | Q(lease_token__isnull=False, lease_until=None)
    ),
    "it ended, and no time says when": _ENDED & Q(finished_at=None),
    "it waits, and a time says when it ended": _PENDING & Q(finished_at__isnull=False),
    "it was put off, and no time says until when": _PENDING
    & Q(put_off_at__isnull=False, available_at=None),
    f"it waits for a try after {MAX_TRIES}": _PENDING & Q(tries__gt=MAX_TRIES),
    "its state is none that we know": ~Q(status__in=Status.values),
    "no reason says why it ended so": Q(
        status__in=(Status.IGNORED, Status.QUARANTINED, Status.DEAD), status_reason=""
    ),
}


@promise(
    "Each stored event is in one state, and what else its row says fits it",
    WebhookEvent,
    "Something wrote past the arrows of webhooks/models/events.py. An event that waits is worked "
    "on all the same; one that ended can be replayed: manage.py reprocess_events --ids.",
)
def event_is_in_one_state(_now: datetime) -> Iterator[Broken]:
    is_unfit = Q()
    for condition in _UNFIT.values():
        is_unfit |= condition
    rows = WebhookEvent.objects.filter(is_unfit).order_by("pk")
    keys = list(rows.values_list("pk", flat=True)[: MOST + 1])
    yield from unfit("event", WebhookEvent.objects.filter(pk__in=keys), _UNFIT)


@promise(
    "Each processed event has its signal, and an ignored one has none",
    lambda: WebhookEvent.objects.filter(status__in=(Status.PROCESSED, Status.IGNORED)),
    "Replay it: manage.py reprocess_events --ids. If a customer was deleted by hand, their signals "
    "went too, and a replay would bring the customer back.",
)
def event_has_its_effect(_now: datetime) -> Iterator[Broken]:
    """An event without identifiers is about somebody who was erased."""
    has_signal = Exists(Signal.objects.filter(event=OuterRef("pk")))
    processed = WebhookEvent.objects.filter(~has_signal, status=Status.PROCESSED)
    yield from told("event", processed.exclude(identifiers={}), "it is processed without a signal")
    ignored = WebhookEvent.objects.filter(has_signal, status=Status.IGNORED)
    yield from told("event", ignored, "it is ignored, and has a signal")


@promise(
    "No event has its effects twice",
    Signal,
    "The unique key of briefs_signal is gone or damaged: rebuild it (REINDEX TABLE briefs_signal), "
    "then delete the later of two signals.",
)
def event_has_one_signal(_now: datetime) -> Iterator[Broken]:
    for key, number in repeated(Signal.objects.filter(event__isnull=False), "event"):
        yield Broken("event", key, f"it has {number} signals")


@promise(
    "No lease on an event is held by a worker that is gone",
    lambda: WebhookEvent.objects.filter(status=Status.PENDING),
    "No worker looks for work. Start manage.py supervise, here or on a worker host: they are "
    "claimed again at once.",
)
def lease_on_an_event_ends(now: datetime) -> Iterator[Broken]:
    held = WebhookEvent.objects.all().waiting().filter(lease_until__lt=now - LONG_AGO)
    yield from told("event", held, "its lease ended long ago, and nobody claimed it again")
