"""What a signal rule may ask about an event: its payload's fields and a few things read from it."""

import re
from collections.abc import Mapping
from typing import Any

from personas.models.signals import Level
from personas.rules import bounces
from personas.rules.matching import PlainFacts
from personas.rules.replies import reply

PREFERENCES_METRICS = (
    "cio_subscription_preferences_changed",
    "subscription_preferences_changed",
)
# RFC 3463: class.subject.detail, e.g. 5.1.1 (bad address) or 4.2.2 (mailbox full). Neither pattern
# may find itself inside an IP address or a version.
_ENHANCED_STATUS = re.compile(r"(?<![\w.])([245])\.(\d{1,3})\.(\d{1,3})(?!\w|\.\d)")
# A reply code is at the start, or after a word or mark that announces it; anywhere else three
# digits are part of an address or a text.
_BASIC_STATUS = re.compile(
    r"(?:^\W*|[:;(\[]\s*|\b(?:code|status|error|said|smtp|with)\W+)([45])\d\d(?!\w|\.\d)",
    re.IGNORECASE,
)


def level(object_type: str, data: Mapping[str, Any]) -> str:
    """Whether an event is about the person or about one message.

    A subscription change that a message triggered carries that message's object_type; only what it
    holds tells the two apart. About a message: recipient and subject are filled in. About the
    person: `email_address` is there, empty for somebody without an address.
    Source: https://docs.customer.io/api/webhooks
    """
    if object_type == "customer":
        return Level.PERSON
    if any(str(data.get(key) or "").strip() for key in ("recipient", "subject")):
        return Level.DELIVERY
    # A report about an e-mail always names it; what another channel's report leaves out, nobody
    # has documented, so those stay with their channel.
    if "email_address" in data or object_type == "email":
        return Level.PERSON
    return Level.DELIVERY


def facts(data: Mapping[str, Any], **found_out: str) -> PlainFacts:
    """The payload's `data` as flat text, with what is read from it.

    `smtp_status`, `smtp_class` and `bounce` (see `bounces.Reading`) are read from the failure
    message, `reply` from an answer to a text message.

    found_out: what a comparison with the customer showed. `preferences` (see `preferences.change`),
    `recipient_is` (see `recipients.whose`), and `reached`: "again" for a message that arrived where
    earlier ones did not. An empty text counts as missing.
    Nested keys are joined by dots, lists by commas; a path leads to the members of a list.
    """
    values = _flatten(data)
    message = values.get("failure_message", "")
    enhanced = _ENHANCED_STATUS.search(message)
    basic = _BASIC_STATUS.search(message)
    if enhanced:
        values["smtp_status"] = enhanced.group(0)
        values["smtp_class"] = enhanced.group(1)
    elif basic:
        values["smtp_class"] = basic.group(1)
    if "failure_message" in data:
        values["bounce"] = bounces.read(message).reading
    if said := reply(data):
        values["reply"] = said
    if data.get("machine") is True:  # a link scanner's click shows nobody
        found_out.pop("reached", None)
    values |= {name: value for name, value in found_out.items() if value}
    return PlainFacts(values, data)


def _flatten(data: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in data.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flatten(value, f"{name}.")
        elif isinstance(value, list):
            items = [_text(item) for item in value if not isinstance(item, dict)]
            nested = [
                f"{k}={v}"
                for item in value
                if isinstance(item, dict)
                for k, v in _flatten(item).items()
            ]
            flat[name] = ", ".join([*items, *nested])
        elif value is not None:
            flat[name] = _text(value)
    return flat


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
