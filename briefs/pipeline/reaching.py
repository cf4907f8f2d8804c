"""Which deliveries and clicks matter: those at an address that was gone, full, blocked or
unclear before.

Most events of a busy workspace are deliveries. They are asked about together, by their identifiers,
so that no payload is read and no customer is created for a message that simply arrived.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from briefs.models import Signal
from personas.models import Customer, SignalKind
from providers.addresses import folded
from webhooks.models import WebhookEvent

METRICS = ("delivered", "clicked")
CLOSING = (
    SignalKind.ADDRESS_GONE, SignalKind.DROPPED, SignalKind.BOUNCED, SignalKind.MAILBOX_FULL,
    SignalKind.BLOCKED,
)  # fmt: skip


def may_reach(event: WebhookEvent) -> bool:
    """Whether such an event can show that an address works."""
    return event.object_type == "email" and event.metric in METRICS


def again(events: Iterable[WebhookEvent]) -> set[int]:
    """The keys of those events that are the first to arrive after something was wrong."""
    arrived = [event for event in events if may_reach(event)]
    if not arrived:
        return set()
    wrong_since = _wrong_since(arrived)
    return {
        event.pk
        for event in arrived
        if any(
            since < (event.occurred_at or event.received_at)
            for since in map(wrong_since.get, _named(event))
            if since
        )
    }


def _named(event: WebhookEvent) -> list[tuple[str, str]]:
    named = event.identifiers
    cio_id = named.get("cio_id", "").removeprefix("cio_")
    pairs = (("cio_id", cio_id), ("id", named.get("id", "")), ("email", named.get("email", "")))
    return [(key, folded(value) if key == "email" else value) for key, value in pairs if value]


def _wrong_since(events: Iterable[WebhookEvent]) -> dict[tuple[str, str], datetime]:
    """Since when something is wrong with these people's addresses, by each of their identifiers."""
    wanted: dict[str, set[str]] = {"cio_id": set(), "id": set(), "email": set()}
    for event in events:
        for key, value in _named(event):
            wanted[key].add(value)
    people = Customer.objects.filter(
        Q(cio_id__in=wanted["cio_id"])
        | Q(external_id__in=wanted["id"])
        | Q(email__in=wanted["email"])
    )
    told = (
        Signal.objects.filter(customer__in=people, kind__in=(*CLOSING, SignalKind.REACHED))
        .order_by("happened_at")
        .values_list(
            "kind", "happened_at", "customer__cio_id", "customer__external_id", "customer__email"
        )
    )
    since: dict[tuple[str, str], datetime] = {}
    for kind, at, *values in told:  # the last one decides
        for key, known in zip(("cio_id", "id", "email"), values, strict=True):
            if known and kind == SignalKind.REACHED:
                since.pop((key, known), None)
            elif known:
                since[key, known] = at
    return since
