"""Reads a reporting webhook's body: what it is about, or why it cannot be used.

Source: https://docs.customer.io/integrations/data-out/connections/webhooks/
"""

import hashlib
import json
import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from providers import addresses
from webhooks.moments import moment, stated

OBJECT_TYPES = ("customer", "email", "sms", "push", "in_app", "slack", "webhook", "whatsapp")
MAX_EVENT_ID = 200
MAX_NAME = 100
MAX_CIO_ID = 200
MAX_IDENTIFIER = 1_000
# An index of PostgreSQL holds values of up to 2,704 bytes, a third of its page, and some of ours
# hold another column beside the identifier.
MAX_INDEXED_BYTES = 2_500
MAX_DEPTH = 100  # objects within objects; what reads a payload later goes down step by step
DIGEST = "sha256:"
# A sender's clock may be this much ahead of the database's.
SKEW = timedelta(minutes=5)


class Unusable(Exception):
    """The body cannot become an event. The message is the reason, in words for a person.

    is_signed_test: the body is Customer.io's test of the connection, not a mistake.
    is_list: the body holds several events.
    """

    def __init__(
        self, message: str, *, is_signed_test: bool = False, is_list: bool = False
    ) -> None:
        super().__init__(message)
        self.is_signed_test = is_signed_test
        self.is_list = is_list


@dataclass(frozen=True, slots=True)
class ParsedEvent:
    """`event_id` is Customer.io's, or `digest_key(body)` of a real signal that came without one."""

    event_id: str
    object_type: str
    metric: str
    occurred_at: datetime | None  # see `bounded`
    identifiers: dict[str, str] = field(default_factory=dict)
    stated_time: str = ""  # what the event said of its time, as it was sent

    @property
    def has_no_id(self) -> bool:
        return self.event_id.startswith(DIGEST)


def bounded(
    occurred_at: datetime | None, stated_time: str | None, received_at: datetime
) -> tuple[datetime | None, str | None]:
    """`occurred_at` and `stated_time` as they are stored; `EventQuerySet.record` does it in SQL.

    Nothing happens after it was received: what lies a little ahead is the clocks' difference, and
    what lies further ahead is not believed. A time that is believed need not be kept in words.
    """
    if occurred_at is None or occurred_at - SKEW > received_at:
        return None, stated_time or None
    return min(occurred_at, received_at), None


def digest_key(sha256: str) -> str:
    """The key of an event without a usable id of its own."""
    return f"{DIGEST}{sha256}"


def is_same_event(event: ParsedEvent, metric: str, identifiers: dict[str, str]) -> bool:
    """Whether a stored event of the same id, of this metric and about this person, is this one.

    Two people are told apart only by an identifier that both have and share none of.
    """
    if event.metric != metric:
        return False
    both = event.identifiers.keys() & identifiers.keys()
    return not both or any(
        addresses.folded(event.identifiers[key])
        == addresses.folded(identifiers[key].removeprefix("cio_"))
        for key in both
    )


def parse(body: bytes) -> ParsedEvent:
    """Return the fields that are stored with the event.

    A body without a usable event id is an event all the same if it says what happened to whom.
    Raises Unusable for everything else, and for values that no database column takes. Trying
    again does not help.
    """
    payload = load_object(body)
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and _is_deep(payload):
        raise Unusable(f"the JSON is nested more than {MAX_DEPTH} deep")
    event_id = _event_id(payload)
    if not event_id and _holds_events(payload.values()):
        raise _list_of_events()
    object_type, metric = _kind(payload)
    if not (event_id or object_type or metric):
        _refuse_envelope(payload)
    data = payload.get("data")
    identifiers = _identifiers(object_type, data) if isinstance(data, dict) else {}
    if not event_id and not (identifiers and (object_type or metric)):
        raise _without_id(payload.get("event_id"))
    timestamp = payload.get("timestamp")
    return ParsedEvent(
        event_id=event_id or digest_key(hashlib.sha256(body).hexdigest()),
        object_type=object_type,
        metric=metric,
        occurred_at=moment(timestamp),
        identifiers=identifiers,
        stated_time=storable(stated(timestamp)),
    )


def _event_id(payload: dict[str, Any]) -> str:
    """The event's own id; empty if it has none that can be a key."""
    given = payload.get("event_id")
    if not isinstance(given, str) or not given.strip():
        return ""
    return given if is_storable(given, MAX_EVENT_ID) else ""


def _without_id(event_id: Any) -> Unusable:
    if event_id is None or (isinstance(event_id, str) and not event_id.strip()):
        return Unusable("signed test received: the connection works", is_signed_test=True)
    return Unusable(f"event_id is not a text of 1 to {MAX_EVENT_ID} storable characters")


def _holds_events(values: Any) -> bool:
    """Whether one of the values is a list of events, by whatever name a sender calls it."""
    lists = [value for value in values if isinstance(value, list)]
    return any(_is_like_an_event(item) for items in lists for item in items)


def _is_like_an_event(value: Any) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint(
        ("event_id", "metric", "event_type")
    )


def _refuse_envelope(payload: dict[str, Any]) -> None:
    """Refuse a body that says nothing itself and has the event, or several, one level below."""
    inner = [value for value in payload.values() if isinstance(value, dict)]
    if any(_holds_events(value.values()) for value in inner):
        raise _list_of_events()
    if any(_is_like_an_event(value) for value in inner):
        raise Unusable(
            "an event within another object: what stands between Customer.io and this address has "
            "wrapped it. Let it pass the body on as it came"
        )


def _list_of_events() -> Unusable:
    return Unusable(
        "several events in one body: a reporting webhook carries one, and a list is not taken "
        "apart. Let Customer.io send to this address directly, or have what stands between send "
        "each event by itself and signed",
        is_list=True,
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
        if _holds_events([payload]):
            raise _list_of_events()
        raise Unusable(f"the body is JSON, but a {type(payload).__name__} and not an object")
    return payload


def _is_deep(value: Any) -> bool:
    """Whether there are more than MAX_DEPTH levels; without recursion, which has its own limit."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = [one.values() if isinstance(one, dict) else one for one in level]
        level = [one for values in inner for one in values if isinstance(one, dict | list)]
        if not level:
            return False
    return True


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


def _identifiers(object_type: str, data: dict[str, Any]) -> dict[str, str]:
    """Who the event is about, by clean values only; empty if it names nobody.

    `customer_id` and `email_address` are older names: `customer_id` may be another id than the
    workspace's own, so neither counts beside identifiers that name somebody. A message's recipient
    names a person only if nothing else does.
    """
    given = data.get("identifiers")
    found = _clean(given) if isinstance(given, dict) else {}
    found = found or _clean({"id": data.get("customer_id"), "email": data.get("email_address")})
    if found:
        return found
    address = addresses.address_of(object_type, data.get("recipient"))
    return {"email" if "@" in address else "phone": address} if address else {}


def _clean(given: dict[str, Any]) -> dict[str, str]:
    identifiers = {
        "cio_id": _id("cio_id", given.get("cio_id"), MAX_CIO_ID).removeprefix("cio_").strip(),
        "id": _id("id", given.get("id"), MAX_IDENTIFIER),
        "email": addresses.email_address(_text(given.get("email"))),
        "phone": addresses.stated_phone_number(_text(given.get("phone"))),
    }
    return {key: value for key, value in identifiers.items() if value}


def _id(key: str, value: Any, max_length: int) -> str:
    text = _text(value).strip()
    if text and not (is_storable(text, max_length) and len(text.encode()) <= MAX_INDEXED_BYTES):
        raise Unusable(f"the identifier {key} is too long or holds unstorable characters")
    return text


def _text(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
