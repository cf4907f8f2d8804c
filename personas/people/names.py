"""Keeps the names of topics and channels: asks Customer.io once a day, and waits for nobody."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from personas.models import AppApiHealth, SubscriptionNames
from personas.people import lookups
from personas.people.pacing import paced_app_api
from providers.customerio import LookupFailed

logger = logging.getLogger(__name__)

RETRY_AFTER = timedelta(minutes=10)  # where Customer.io did not answer
BUDGET_SECONDS = 2.0
# The key may not read them, or this workspace has none: what was known stays, and serves for a day.
_NOT_THERE = (403, 404)


def refresh() -> None:
    """Ask for the names if they are a day old. Does not raise if the App API fails.

    One worker at a time asks. Must be called outside a transaction.
    """
    api = paced_app_api(BUDGET_SECONDS)
    if not (lookups.may_ask() and api.is_configured) or AppApiHealth.is_closed():
        return
    if not SubscriptionNames.claim(RETRY_AFTER):
        return
    told: dict[str, Any] = {}
    try:
        for group, ask in (
            ("topics", api.subscription_topics),
            ("channels", api.subscription_channels),
        ):
            told |= _asked(group, ask)
    except LookupFailed as error:  # no word to AppApiHealth: people can be looked up all the same
        logger.info("the names of topics and channels are not known: %s", error)
        return
    SubscriptionNames.learn(**told)


def _asked(group: str, ask: Callable[[], Any]) -> dict[str, Any]:
    try:
        return {group: ask()}
    except LookupFailed as error:
        if error.http_status in _NOT_THERE:
            return {}
        raise
