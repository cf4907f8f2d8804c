"""What is told of the message that a signal is about: the same on pages and in the search."""

from collections.abc import Mapping
from typing import Any

from briefs.models.causes import message_key
from webhooks.moments import in_words

_CHANNELS = {"email": "E-mail", "sms": "SMS", "push": "Push", "in_app": "In-app"}
REPLY = "Reply"  # what the receiving server answered
_PARENTS = (
    ("Campaign", "campaign_name", "campaign_id"),
    ("Broadcast", "broadcast_name", "broadcast_id"),
    ("Newsletter", "newsletter_name", "newsletter_id"),
    ("Transactional message", "", "transactional_message_id"),
)
_FURTHER_IDS = ("delivery_id", "action_id", "parent_action_id", "content_id", "template_id",
                "journey_id", "trigger_id")  # fmt: skip


def described(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Channel, subject, origin and the server's reply, as far as they were sent."""
    found = []
    if channel := message.get("channel"):
        found.append(("Channel", _CHANNELS.get(channel, channel)))
    if subject := message.get("subject"):
        found.append(("Subject", f"“{subject}”"))
    for label, name, key in _PARENTS:
        if origin := _origin(message.get(name, ""), message.get(key, "")):
            found.append((label, origin))
    if reply := message.get("failure_message"):
        found.append((REPLY, reply))
    if said := message.get("stated_time"):
        words = f"the event says {in_words(said)}, which cannot be; this is when it was received"
        found.append(("Time", words))
    return found


def _origin(name: str, number: str) -> str:
    if name and number:
        return f"{name} (no. {number})"
    return name or (f"no. {number}" if number else "")


def key_in_words(message: Mapping[str, Any]) -> str:
    """`message campaign 7/12`: by its ids in Customer.io; empty if it has none.

    Pages call a message so that nothing else names.
    """
    key = message_key(message)
    return f"message {key.replace(':', ' ', 1)}" if key else ""


def further_ids(message: Mapping[str, Any]) -> list[str]:
    """Customer.io's ids of it that no page shows, and programs read in the API."""
    return [str(message[name]) for name in _FURTHER_IDS if message.get(name)]
