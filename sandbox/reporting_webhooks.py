"""The reporting webhooks registered at the workspace, in memory.

Documentation: https://docs.customer.io/integrations/api/app/ under "Reporting Webhooks".
"""

import threading
from collections.abc import Mapping
from typing import Any

_METRICS = {
    "customer": "subscribed unsubscribed subscription_preferences_changed",
    "email": "drafted attempted sent delivered opened clicked converted unsubscribed bounced"
    " dropped spammed failed undeliverable deferred",
    "sms": "drafted attempted sent delivered clicked converted bounced dropped failed"
    " undeliverable replied",
    "whatsapp": "drafted attempted sent delivered opened clicked converted bounced dropped failed"
    " undeliverable replied",
    "push": "drafted attempted sent delivered opened clicked converted bounced dropped failed"
    " undeliverable",
    "in_app": "drafted attempted sent opened clicked converted failed undeliverable",
    "slack": "drafted attempted sent clicked converted failed",
    "webhook": "drafted attempted sent clicked converted failed undeliverable",
}
EVENTS = frozenset(
    f"{channel}_{metric}" for channel, metrics in _METRICS.items() for metric in metrics.split()
)
"""The names a webhook can ask for. Its payloads name the preferences event differently."""

_REQUIRED = ("name", "endpoint", "events")
_SWITCHES = ("disabled", "full_resolution", "with_content")


class ReportingWebhooks:
    """Webhooks by id, as the App API prints them: the signing key is never among the fields."""

    def __init__(self) -> None:
        self._webhooks: dict[int, dict[str, Any]] = {}
        self._last_id = 0
        self._lock = threading.Lock()

    def listing(self) -> list[dict[str, Any]]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._webhooks.values())

    def get(self, webhook_id: str) -> dict[str, Any] | None:
        """The webhook with this id, or None."""
        with self._lock:
            return self._webhooks.get(_number(webhook_id))

    def create(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Keep a new one and return it. Raises ValueError for a body the API would refuse."""
        _check(body)
        with self._lock:
            self._last_id += 1
            self._webhooks[self._last_id] = _webhook(self._last_id, body)
            return self._webhooks[self._last_id]

    def replace(self, webhook_id: str, body: Mapping[str, Any]) -> dict[str, Any] | None:
        """Replace one and return it, or None if there is none. Raises ValueError, as `create`."""
        number = _number(webhook_id)
        with self._lock:
            if number not in self._webhooks:
                return None
            _check(body)
            self._webhooks[number] = _webhook(number, body)
            return self._webhooks[number]

    def delete(self, webhook_id: str) -> bool:
        """Forget one; False if there is none."""
        with self._lock:
            return self._webhooks.pop(_number(webhook_id), None) is not None


def _webhook(number: int, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": number,
        "type": "webhook",
        "name": body["name"],
        "endpoint": body["endpoint"],
        "events": list(body["events"]),
        **{switch: body.get(switch, False) for switch in _SWITCHES},
    }


def _check(body: Mapping[str, Any]) -> None:
    for name in _REQUIRED:
        if not body.get(name):
            raise ValueError(f"{name} is required")
    if not isinstance(body["name"], str):
        raise ValueError("name must be a string")
    if not str(body["endpoint"]).startswith(("http://", "https://")):
        raise ValueError("endpoint must be an http or https address")
    events = body["events"]
    if not isinstance(events, list):
        raise ValueError("events must be a list")
    unknown = [event for event in events if event not in EVENTS]
    if unknown:
        raise ValueError(f"events has an unknown name: {unknown[0]}")
    for switch in _SWITCHES:
        if not isinstance(body.get(switch, False), bool):
            raise ValueError(f"{switch} must be true or false")


def _number(webhook_id: str) -> int:
    return int(webhook_id) if webhook_id.isascii() and webhook_id.isdigit() else 0
