"""How briefs ended: who closed them, and how the one before a new one did."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from briefs.models import Activity, Brief

RETURNS_WITHIN = timedelta(days=60)  # of a closing


def closed_by(briefs: Iterable[Brief]) -> dict[int, Any]:
    """Who closed each of these briefs, by its key; those closed by Savedesk itself are left out."""
    keys = [brief.pk for brief in briefs if not brief.is_open]
    if not keys:
        return {}
    entries = Activity.objects.filter(brief__in=keys, code=Activity.Code.CLOSED)
    entries = entries.select_related("actor").order_by("pk")
    return {entry.brief_id: entry.actor for entry in entries if entry.actor}


def last_before(brief: Brief) -> Brief | None:
    """The customer's brief that was closed shortly before this one was opened."""
    opened = brief.created_at
    before = Brief.objects.filter(
        customer=brief.customer_id,
        state=Brief.State.CLOSED,
        closed_at__range=(opened - RETURNS_WITHIN, opened),
    )
    real = before.exclude(pk=brief.pk).exclude(outcome=Brief.Outcome.WITHDRAWN)
    related = real.select_related("customer", "persona", "research")
    return related.order_by("-closed_at").first()
