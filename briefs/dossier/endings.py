"""Who closed a brief."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from briefs.models import Activity, Brief

_NAME = ("actor__username", "actor__first_name", "actor__last_name")


def closed_by(briefs: Iterable[Brief]) -> dict[int, Any]:
    """Who closed each of these briefs, by its key; those closed by Savedesk itself are left out."""
    keys = [brief.pk for brief in briefs if not brief.is_open]
    if not keys:
        return {}
    entries = Activity.objects.filter(brief__in=keys, code=Activity.Code.CLOSED)
    entries = entries.select_related("actor").only("brief", *_NAME).order_by("pk")
    return {entry.brief_id: entry.actor for entry in entries if entry.actor}


@dataclass(frozen=True, slots=True)
class Ended:
    brief: Brief
    closed_by: Any  # a user; None if Savedesk closed it


def ended(briefs: Iterable[Brief]) -> list[Ended]:
    """These closed briefs, each with whoever closed it."""
    briefs = list(briefs)
    closers = closed_by(briefs)
    return [Ended(brief, closers.get(brief.pk)) for brief in briefs]
