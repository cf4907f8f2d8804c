"""Research that briefs lost when they were closed, queued again because they are open after all."""

from collections.abc import Iterable
from typing import Any

from briefs.models import Brief, Research


def queue_again(briefs: Iterable[Brief]) -> dict[int, dict[str, Any]]:
    """Queue what was cancelled; returns the fields of the briefs that join another question.

    These are for the caller to save, by the brief's key. Needs an open transaction with the
    briefs' locks: a worker that is about to cancel a question waits, and then sees open briefs.
    """
    briefs = list(briefs)
    keys = {key for brief in briefs for key in (brief.research_id, brief.renewal_id) if key}
    idle = Research.objects.filter(
        pk__in=keys, status__in=(Research.Status.QUEUED, Research.Status.CANCELLED)
    )
    instead: dict[int, int] = {}  # of a question that somebody asks already: its other row
    for research in idle.order_by("question_hash", "pk").select_for_update():
        if research.status != Research.Status.CANCELLED or research.requeue():
            continue
        same = Research.objects.active().filter(question_hash=research.question_hash)
        if other := same.order_by("pk").first():
            instead[research.pk] = other.pk
    return {brief.pk: fields for brief in briefs if (fields := _fields(brief, instead))}


def _fields(brief: Brief, instead: dict[int, int]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if brief.research_id in instead:
        fields |= {"research_id": instead[brief.research_id], "is_sharing": True}
    if brief.renewal_id in instead:
        fields |= {"renewal_id": instead[brief.renewal_id], "is_renewal_shared": True}
    return fields
