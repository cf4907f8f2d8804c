"""Reads what somebody pasted to try rules on: a person's attributes, or a webhook of Customer.io.

Nothing of it is stored or logged. Mistakes are said in words that name the place.
"""

import json
import re
from typing import Any

from django.core.exceptions import ValidationError

from personas.models import Customer
from personas.people import lookups
from providers.customerio import read_profile
from webhooks.clock import database_now
from webhooks.models import WebhookEvent
from webhooks.parsing import Unusable, bounded, parse, storable

LONGEST = 100_000  # characters
_LINE = re.compile(r"\s*([^:\t]+?)\s*[:\t]\s*(.*?)\s*")
# What Python's reader says, and what people can do about it.
_FAULTS = {
    "Expecting ',' delimiter": "a comma is missing before this, or a quotation mark too early "
    "ends a text",
    "Expecting ':' delimiter": "a colon is missing after the name",
    "Expecting property name enclosed in double quotes": "a name in straight double quotation "
    'marks (") is expected here; a comma before it may be one too many',
    "Illegal trailing comma before end of object": "this comma is one too many",
    "Illegal trailing comma before end of array": "this comma is one too many",
    "Expecting value": "a value is missing here, or a text without quotation marks stands here",
    "Unterminated string starting at": "the text that begins here has no quotation mark at its end",
    "Invalid control character at": "a text is broken by the end of the line or a tab",
    "Extra data": "the object has ended before this, and something follows",
    "Invalid \\escape": "a backslash (\\) that stands alone must be doubled",
    "Invalid \\uXXXX escape": "four digits must follow \\u",
}
_BEFORE, _AFTER = 30, 20  # characters shown around the place


def read_attributes(text: str) -> Customer:
    """An unsaved customer with these attributes: a JSON object, or lines of `name: value`.

    Raises ValidationError.
    """
    item = _json_object(text) if text.lstrip()[:1] in ("{", "[") else _lines(text)
    item = storable(_inner(item))
    is_profile = isinstance(item.get("attributes"), dict)
    return lookups.imagine(read_profile(item if is_profile else {"attributes": item}))


def read_webhook(text: str) -> WebhookEvent:
    """An unsaved event, as the receiver would store it. Raises ValidationError."""
    _json_object(text)
    body = text.strip().encode("utf-8", "replace")
    try:
        parsed = parse(body)
    except Unusable as error:
        if error.is_signed_test:
            words = "The event has no event_id and names no person, so the receiver takes it for "
            raise ValidationError(f"{words}a test of the connection.") from None
        raise ValidationError(f"The receiver cannot use this: {error}.") from None
    now = database_now()
    occurred_at, stated_time = bounded(parsed.occurred_at, parsed.stated_time, now)
    return WebhookEvent(
        event_id=parsed.event_id,
        object_type=parsed.object_type,
        metric=parsed.metric,
        identifiers=parsed.identifiers,
        occurred_at=occurred_at,
        stated_time=stated_time,
        received_at=now,
        body=body,
        body_size=len(body),
    )


def _inner(item: dict[str, Any]) -> dict[str, Any]:
    """The person within an answer of the App API, which wraps one or a list of them."""
    people = item.get("customers")
    if isinstance(people, list) and len(people) == 1 and isinstance(people[0], dict):
        item = people[0]
    inner = item.get("customer")
    return inner if isinstance(inner, dict) else item


def _lines(text: str) -> dict[str, str]:
    found = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise ValidationError(f"Line {number} has no colon. Write each as name: value.")
        found[parts[1]] = parts[2]
    return found


def _json_object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValidationError(_where(error, text)) from None
    except (ValueError, RecursionError):
        raise ValidationError("This cannot be read as JSON: it is nested too deeply.") from None
    if not isinstance(value, dict):
        raise ValidationError("This is JSON, but no object: it must begin with { and end with }.")
    return value


def _where(error: json.JSONDecodeError, text: str) -> str:
    """Where the JSON breaks, and why."""
    what = _FAULTS.get(error.msg, error.msg)
    if not text[error.pos :].strip():
        return (
            f"The JSON breaks at its end (line {error.lineno}): something is missing there, such "
            "as a closing bracket."
        )
    line = text.split("\n")[error.lineno - 1].rstrip()
    place = error.colno - 1
    before, after = line[max(0, place - _BEFORE) : place], line[place : place + _AFTER]
    return (
        f"The JSON breaks in line {error.lineno}, at character {error.colno}: {what}. "
        f"It is at the arrow: {before}→{after}"
    )
