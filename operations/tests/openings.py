"""Rows for tests: signals that led to a brief, or to none."""

import itertools
from datetime import datetime

from briefs.models import Brief, Signal
from briefs.tests.factories import make_brief
from webhooks.models import WebhookEvent

_numbers = itertools.count(1)


def lead(times: list[datetime], *, metric: str = "unsubscribed", is_led: bool = True) -> None:
    """Events at these times, each of which became a signal that may open a brief."""
    brief = Brief.objects.first() or make_brief()
    WebhookEvent.objects.bulk_create(
        WebhookEvent(event_id=f"led {next(_numbers)}", metric=metric, body=b"{}", body_size=2,
                     is_verified=True, status="processed", received_at=at, last_received_at=at,
                     finished_at=at)
        for at in times
    )  # fmt: skip
    new = WebhookEvent.objects.filter(signal=None, event_id__startswith="led ", metric=metric)
    Signal.objects.bulk_create(
        Signal(event=event, customer=brief.customer, brief=brief if is_led else None, severity=3,
               kind="unsubscribed", effect="opens_brief", level="person", persona=brief.persona,
               happened_at=event.received_at)
        for event in new
    )  # fmt: skip
