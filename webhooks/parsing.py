"""Reads a reporting webhook's body: what it is about, or why it cannot be used.

Source: https://docs.customer.io/integrations/data-out/connections/webhooks/
"""

import json
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

OBJECT_TYPES = ("customer", "email", "sms", "push", "in_app", "slack", "webhook", "whatsapp")
IDENTIFIERS = ("cio_id", "id", "email", "phone")
MAX_EVENT_ID = 200
LATEST = 32_503_680_000  # the year 3000, in seconds
MAX_NAME = 100
MAX_IDENTIFIER = 1_000


class Unusable(Exception):
    """The body cannot become an event. The message is the reason, in words for a person.

    is_signed_test: the body is Customer.io's test of the connection, not a mistake.
    """

    def __init__(self, message: str, *, is_signed_test: bool = False) -> None:
        super().__init__(message)
        self.is_signed_test = is_signed_test


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    event_id: str
    object_type: str
    metric: str
    occurred_at: datetime | None
    identifiers: dict[str, str] = field(default_factory=dict)


def parse(body: bytes) -> ParsedEvent:
    """Return the fields that are stored with the event; only `event_id` is required.

    Raises Unusable for anything that is not a JSON object with a usable event id, and for
    values that no database column takes. Trying again does not help.
    """
    payload = load_object(body)
    event_id = payload.get("event_id")
    if event_id in (None, ""):
        words = "signed test received: the connection works"
        raise Unusable(words, is_signed_test=True)
    if not isinstance(event_id, str) or not is_storable(event_id, MAX_EVENT_ID):
        raise Unusable(f"event_id is not a text of 1 to {MAX_EVENT_ID} storable characters")
    object_type, metric = _kind(payload)
    return ParsedEvent(
        event_id=event_id,
        object_type=object_type,
        metric=metric,
        occurred_at=_moment(payload.get("timestamp")),
        identifiers=_identifiers(payload.get("data")),
    )


def load_object(body: bytes) -> dict[str, Any]:
    """Return the body as a dict; raises Unusable."""
    try:
        payload = json.loads(body)
    except RecursionError:
        raise Unusable("the JSON is nested too deeply to be read") from None
    except ValueError as error:  # also undecodable bytes, and integers of thousands of digits
        raise Unusable(f"the body is not JSON: {str(error)[:200]}") from error
    if not isinstance(payload, dict):
        raise Unusable(f"the body is JSON, but a {type(payload).__name__} and not an object")
    return payload


def is_storable(text: str, max_length: int) -> bool:
    """True if every database takes the text: no NUL, no lone surrogate, not too long."""
    if not 0 < len(text) <= max_length or "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def storable(value: Any) -> Any:
    """The value without what a database refuses: NUL, halves of surrogate pairs, NaN, infinity."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:  # nearly always
            return value
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return value


def _kind(payload: dict[str, Any]) -> tuple[str, str]:
    # The schema of preference changes misnames the field; older accounts join both in event_type.
    object_type = _name(payload, "object_type") or _name(payload, "object_type_type")
    metric = _name(payload, "metric")
    legacy = _name(payload, "event_type")
    if metric or not legacy:
        return object_type, metric
    for known in OBJECT_TYPES:
        if legacy.startswith(f"{known}_"):
            return object_type or known, legacy.removeprefix(f"{known}_")
    return object_type, legacy


def _name(payload: dict[str, Any], key: str) -> str:
    value = payload.get(key)
    if not isinstance(value, str) or not value:
        return ""
    if not is_storable(value, MAX_NAME):
        raise Unusable(f"{key} is longer than {MAX_NAME} characters or holds unstorable ones")
    return value.strip().lower()


def _moment(value: Any) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if not 0 <= value < LATEST:  # also refuses NaN; windows around it must fit into a date
        return None
    return datetime.fromtimestamp(value, UTC)


def _identifiers(data: Any) -> dict[str, str]:
    if not isinstance(data, dict):
        return {}
    given = data.get("identifiers")
    if not isinstance(given, dict):  # the legacy schema; elsewhere customer_id may be another id
        given = {"id": data.get("customer_id"), "email": data.get("email_address")}
    identifiers = {key: _identifier(key, given.get(key)) for key in IDENTIFIERS}
    if not any(identifiers.values()):
        for key in ("email_address", "recipient"):
            if isinstance(value := data.get(key), str) and "@" in value:
                identifiers["email"] = _identifier(key, value)
                break
    return {key: value for key, value in identifiers.items() if value}


def _identifier(key: str, value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not value.strip():
        return ""
    if not is_storable(value, MAX_IDENTIFIER):
        raise Unusable(f"the identifier {key} is too long or holds unstorable characters")
    return value.strip()
