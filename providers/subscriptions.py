"""Subscription preferences: which topics and channels are on, and how the workspace calls them.

Source: https://docs.customer.io/journeys/subscription-center/
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers import http

Preferences = dict[str, dict[str, bool]]

GROUPS = ("topics", "channels")
# Customer.io names SMS after the provider that sends it.
_CHANNEL_KEYS = {"twilio": "sms"}
_TOPIC = re.compile(r"topic_\d+")
_ON = frozenset(("true", "1", "yes", "on", "subscribed", "opted_in"))
_OFF = frozenset(("false", "0", "no", "off", "unsubscribed", "opted_out"))
_FLAGS = ("subscribed", "is_subscribed", "enabled", "value", "status")
_NAMES = ("identifier", "name", "type", "key")


@dataclass(frozen=True, slots=True)
class SubscriptionName:
    """A topic or a channel of the workspace; `key` is what preferences call it."""

    key: str
    name: str
    is_on_by_default: bool | None  # None: not said


def read_preferences(content: Any) -> Preferences:
    """What can be read: `{"topics": {name: is on}, "channels": {name: is on}}`, else empty.

    The documented form is JSON inside a string. Other forms that tell on from off are read too.
    """
    return _read(_decoded(content))


def is_sent(content: Any) -> bool:
    """Whether the event came with a content at all: without Body Content it does not."""
    return bool(content.strip()) if isinstance(content, str) else content is not None


def is_readable(content: Any) -> bool:
    """Whether all of it could be told, or it says in a readable form that there is nothing."""
    decoded = _decoded(content)
    if not isinstance(decoded, dict):
        return False
    # `{"email": false}` says something, though not what of.
    is_empty = not any(value or isinstance(value, bool | int) for value in decoded.values())
    return bool(_read(decoded)) or is_empty


def merged(first: Preferences, second: Preferences) -> Preferences:
    """Both, key by key; where both speak of one topic or channel, the second decides."""
    both = {group: {**first.get(group, {}), **second.get(group, {})} for group in GROUPS}
    return {group: values for group, values in both.items() if values}


def names_of_topics(items: Any) -> list[SubscriptionName]:
    return list(_names(items, "identifier"))


def names_of_channels(items: Any) -> list[SubscriptionName]:
    return list(_names(items, "type"))


def _names(items: Any, key_name: str) -> Iterator[SubscriptionName]:
    for item in items if isinstance(items, list) else ():
        if not isinstance(item, dict):
            continue
        item = http.storable(item)
        key, name = item.get(key_name), item.get("name")
        if key_name == "identifier" and not key and isinstance(item.get("id"), int):
            key = f"topic_{item['id']}"
        if not (isinstance(key, str) and key):
            continue
        default = item.get("subscribed_by_default")
        yield SubscriptionName(
            key=_CHANNEL_KEYS.get(key, key),
            name=" ".join(name.split())[:100] if isinstance(name, str) else "",
            is_on_by_default=default if isinstance(default, bool) else None,
        )


def _decoded(content: Any) -> Any:
    """JSON inside a string, or inside a string within a string."""
    for _ in range(2):
        if not isinstance(content, str):
            break
        try:
            content = json.loads(content)
        except (ValueError, RecursionError):
            return None
    try:
        return http.storable(content)
    except RecursionError:
        return None


def _read(decoded: Any) -> Preferences:
    if not isinstance(decoded, dict):
        return {}
    inner = decoded.get("cio_subscription_preferences")
    if isinstance(inner, dict | str):  # wrapped in the attribute's name
        return read_preferences(inner)
    found = {group: _group(decoded.get(group)) for group in GROUPS}
    if not any(found.values()):  # the topics without their group
        flat = {key: value for key, value in decoded.items() if _TOPIC.fullmatch(str(key))}
        found["topics"] = _group(flat)
    found["channels"] = _in_our_words(found["channels"])
    return {group: values for group, values in found.items() if values}


def _group(values: Any) -> dict[str, bool]:
    if isinstance(values, str):
        values = _decoded(values)
    if isinstance(values, list):
        values = {_name(item): item for item in values if isinstance(item, dict) and _name(item)}
    if not isinstance(values, dict):
        return {}
    flags = {str(name): _flag(value) for name, value in values.items()}
    return {name: flag for name, flag in flags.items() if flag is not None}


def _name(item: Mapping[str, Any]) -> str:
    return next((str(item[key]) for key in _NAMES if isinstance(item.get(key), str)), "")


def _flag(value: Any) -> bool | None:
    """On or off; None where neither is said."""
    if isinstance(value, dict):
        said = (_flag(value[key]) for key in _FLAGS if not isinstance(value.get(key, {}), dict))
        flag = next((one for one in said if one is not None), None)
        opposite = value.get("unsubscribed")
        return not opposite if flag is None and isinstance(opposite, bool) else flag
    if isinstance(value, bool | int | str):
        word = str(value).strip().lower()
        return True if word in _ON else False if word in _OFF else None
    return None


def _in_our_words(channels: dict[str, bool]) -> dict[str, bool]:
    """`sms` for `twilio`. Of two entries that are one channel, the one that is off decides."""
    named: dict[str, bool] = {}
    for key, is_on in channels.items():
        name = _CHANNEL_KEYS.get(key, key)
        named[name] = named.get(name, True) and is_on
    return named
