"""Rows for tests, each with what it needs to be valid and nothing more."""

import itertools
import json
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.utils import timezone

from briefs.models import (
    Brief,
    Cause,
    ClosingReason,
    Offer,
    Priority,
    PriorityThreshold,
    Research,
    Signal,
)
from briefs.research.questions import TEMPLATE_VERSION, Asker, Question, built_in
from personas.models import Customer, FirstStep, Persona, names
from webhooks.models import WebhookEvent

_numbers = itertools.count(1)


def make_payload(**kw: Any) -> dict[str, Any]:
    """A person-level unsubscribe of `data.identifiers`; keywords replace top-level keys."""
    number = next(_numbers)
    return {
        "event_id": f"01TEST{number:020d}",
        "object_type": "customer",
        "metric": "unsubscribed",
        "timestamp": int(datetime(2026, 11, 23, 14, 2, tzinfo=UTC).timestamp()),
        "data": {
            "identifiers": {"id": f"person-{number}", "email": None, "cio_id": f"c{number:07d}"}
        },
        **kw,
    }


def make_event(payload: dict[str, Any] | None = None, **kw: Any) -> WebhookEvent:
    payload = payload or make_payload()
    body = json.dumps(payload).encode()
    identifiers = payload.get("data", {}).get("identifiers") or {}
    fields: dict[str, Any] = {
        "event_id": payload.get("event_id") or str(uuid.uuid4()),
        "object_type": payload.get("object_type", ""),
        "metric": payload.get("metric", ""),
        "occurred_at": datetime.fromtimestamp(payload["timestamp"], UTC),
        "identifiers": {key: value for key, value in identifiers.items() if value},
        "body": body,
        "body_size": len(body),
        "is_verified": True,
        **kw,
    }
    event = WebhookEvent.objects.create(**fields)
    event.refresh_from_db()
    return event


def make_events(times: Iterable[datetime]) -> None:
    """Ignored events that were received at these times, in one statement: thousands are quick."""
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            event_id=str(uuid.uuid4()),
            body=b"{}",
            body_size=2,
            is_verified=True,
            status=WebhookEvent.Status.IGNORED,
            received_at=at,
            last_received_at=at,
        )
        for at in times
    )


def make_customer(**kw: Any) -> Customer:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "cio_id": f"d{number:07d}",
        "external_id": f"customer-{number}",
        "email": f"customer-{number}@example.com",
        "attributes": {"plan": "enterprise", "usage_tier": "low", "mrr": "4200"},
        "fetched_at": timezone.now(),
        **kw,
    }
    fields.setdefault("sort_name", names.sorted_by(fields["attributes"]))  # as a look-up does
    return Customer.objects.create(**fields)


def make_threshold(**kw: Any) -> PriorityThreshold:
    """Every value above 0 is in the top tenth, unless `kw` says otherwise."""
    fields: dict[str, Any] = {"currency": "USD", "top_from": 1, "low_below": 0, **kw}
    return PriorityThreshold.objects.create(**fields)


def make_persona(**kw: Any) -> Persona:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "name": f"Persona {number}",
        "description": "People who pay well and say little.",
        "value": Persona.Value.HIGH,
        "research_focus": "What keeps them.",
        "playbook": "## First step\n\nHave the account owner call within 24 hours.\n\n"
        "## Channel\n\nThe phone, if they agreed.\n\n## Do not\n\n- Send a campaign.",
        **kw,
    }
    return Persona.objects.create(**fields)


def make_step(**kw: Any) -> FirstStep:
    """A signal's own step: the account owner calls an unsubscribed customer."""
    fields: dict[str, Any] = {
        "kind": "unsubscribed",
        "text": "Have the account owner call.",
        "channels": ["phone"],
        **kw,
    }
    if fields.get("is_wait"):
        fields["within_hours"] = None
    return FirstStep.objects.create(**fields)


def make_brief(**kw: Any) -> Brief:
    fields: dict[str, Any] = {
        "customer": kw.get("customer") or make_customer(),
        "persona": kw.get("persona") or make_persona(),
        "kind": "unsubscribed",
        "priority": Priority.URGENT,
        "happened_at": timezone.now(),
        **kw,
    }
    brief = Brief.objects.create(**fields)
    brief.refresh_from_db()
    return brief


def make_signal(**kw: Any) -> Signal:
    brief = kw.get("brief")
    fields: dict[str, Any] = {
        "customer": brief.customer if brief else kw.get("customer") or make_customer(),
        "event": kw["event"] if "event" in kw else make_event(),
        "kind": "unsubscribed",
        "effect": "opens_brief",
        "severity": 3,
        "level": "person",
        "why": "rule “Unsubscribed”",
        "happened_at": timezone.now(),
        **kw,
    }
    return Signal.objects.create(**fields)


def make_cause(**kw: Any) -> Cause:
    """A newsletter of which people unsubscribe; an incident if `kw` says since when."""
    fields: dict[str, Any] = {
        "message": "newsletter:5",
        "kind": "unsubscribed",
        "described": {"newsletter_name": "Spring sale"},
        "first_at": timezone.now(),
        "most": 20,
        **kw,
    }
    return Cause.objects.create(**fields)


def make_research(**kw: Any) -> Research:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "persona": kw.get("persona") or make_persona(),
        "kind": "unsubscribed",
        "template_version": TEMPLATE_VERSION,
        "question": f"Question {number}?",
        "question_hash": f"{number:064d}",
        **kw,
    }
    research = Research.objects.create(**fields)
    research.refresh_from_db()
    return research


def question_for(persona: Persona, kind: str, facts: list[str], detail: str = "") -> Question:
    """The question in the built-in words, whichever version is in use."""
    return Asker(built_in()).question_for(persona, kind, facts, detail)


def make_reason(name: str = "", **kw: Any) -> ClosingReason:
    return ClosingReason.objects.create(name=name or f"Reason {next(_numbers)}", **kw)


def make_offer(name: str = "A trip", **kw: Any) -> Offer:
    return Offer.objects.create(name=name, **{"code": "trip", **kw})
