"""A fresh answer for a brief, or a failed question started again, because a person wants it."""

from typing import Any

from django.db import transaction

from briefs.models import Brief, ResearchPolicy
from briefs.research import renewal, working
from briefs.research.renewal import Renewal
from briefs.triage import freshness
from webhooks.clock import database_now


@transaction.atomic
def renew(brief: Brief, actor: Any, based_on: str) -> Renewal:
    """Ask the brief's question again. Raises Stale and PermissionDenied."""
    return _ask(brief, actor, based_on, renewal.renew)


@transaction.atomic
def retry(brief: Brief, actor: Any, based_on: str) -> Renewal:
    """Queue a failed question again. Raises Stale and PermissionDenied."""
    return _ask(brief, actor, based_on, renewal.restart)


def _ask(brief: Brief, actor: Any, based_on: str, ask: Any) -> Renewal:
    brief = freshness.locked(brief, actor, "briefs.buy_research")
    if not brief.is_open:
        return Renewal.CLOSED
    freshness.refuse_stale(brief, actor, based_on)
    # robust: if no worker can be woken, the row is queued all the same and the sweep finds it.
    transaction.on_commit(working.wake, robust=True)
    outcome: Renewal = ask(brief, actor)
    return outcome


def too_young_words(brief: Brief) -> str:
    """Why no fresh answer was bought, and from when on one can be."""
    return renewal.too_young_words(brief, ResearchPolicy.current(), database_now())
