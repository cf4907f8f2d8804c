"""What profile and signals say about contacting a customer: the facts behind each channel."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from briefs.models import Signal
from personas.models import Customer, SignalKind, SubscriptionNames
from personas.models.signals import Level
from personas.rules.recipients import ANOTHER, whose

# Names of a phone attribute, in small letters and without signs between the words.
PHONE_NAME = re.compile(
    r"(?:my|main|primary|work|home|business|office|company|contact|customer|user|account|billing"
    r"|direct)?(?:(?:mobile|cell|cellular|sms|tele|whatsapp)?phone|mobile|cell|sms(?=n)|tel|handy|msisdn)"
    r"(?:number|num|no|nr|e164)?[0-9]?"
)
_NO_LETTERS = re.compile(r"[\W_]+")
# What the App API says of a device, besides that it exists.
_OFF = ("false", "0")
_DEAD_STATES = ("bounced", "suppressed")


@dataclass(frozen=True, slots=True)
class Turned:
    """Who or what closed a channel last, and when."""

    words: str
    at: datetime | None = None


class Contact:
    """When each kind of signal came last, and what the customer switched on or off."""

    def __init__(
        self,
        customer: Customer,
        signals: Iterable[Signal],
        names: SubscriptionNames | None = None,
    ) -> None:
        self.customer = customer
        self.names = names or SubscriptionNames()
        self.is_looked_up = customer.fetched_at is not None
        self.topics: dict[str, bool] = customer.preferences.get("topics") or {}
        self.channels: dict[str, bool] = customer.preferences.get("channels") or {}
        self._last: dict[tuple[str, str], datetime] = {}  # by channel and kind
        for signal in signals:
            if not self._is_about_another_address(signal):
                for channel in _channels_of(signal):
                    self._note(channel, signal.kind, signal.happened_at)

    def _note(self, channel: str, kind: str, at: datetime) -> None:
        self._last[channel, kind] = max(self._last.get((channel, kind), at), at)

    def _is_about_another_address(self, signal: Signal) -> bool:
        """Whether it speaks of an address that is not, or no longer, the customer's.

        What they said no or yes to holds for the person, whichever copy of a message they used.
        """
        if signal.kind not in _OF_AN_ADDRESS:
            return False
        recipient = signal.message.get("recipient", "")
        return whose(recipient, [self.customer.email]) == ANOTHER

    def last(self, kind: str, channel: str = "email") -> datetime | None:
        return self._last.get((channel, kind))

    def last_not_undone(
        self, kind: SignalKind, *undone_by: SignalKind, channel: str = "email"
    ) -> datetime | None:
        """When this kind came last; None if it never came, or a later signal undid it."""
        at = self.last(kind, channel)
        later = [moment for other in undone_by if (moment := self.last(other, channel))]
        return None if at is None or any(moment > at for moment in later) else at

    def unsubscribed(self) -> Turned | None:
        """Whether they unsubscribed from everything that Customer.io may stop."""
        if self.customer.is_unsubscribed:
            at = self.customer.subscription_changed_at or self._last.get(_EVERYTHING)
            return Turned("unsubscribed", at)
        if at := self.last_not_undone(
            SignalKind.UNSUBSCRIBED, SignalKind.SUBSCRIBED, channel=_PERSON
        ):
            return Turned("unsubscribed", at)
        return None

    def turned_off(self, channel: str) -> Turned | None:
        """Whether they said no to this channel alone: in its preferences, or through a message."""
        if self.channels.get(channel) is False:
            return Turned(f"the {NAMES[channel]} channel is turned off")
        # To subscribe again takes back an unsubscribe. It lifts no STOP: the carrier still blocks.
        back = (SignalKind.CHANNEL_OPT_IN,)
        for kind, words, undone in (
            (SignalKind.CHANNEL_OPT_OUT, f"turned {NAMES[channel]} off", back),
            (
                SignalKind.UNSUBSCRIBED,
                f"unsubscribed by {NAMES[channel]}",
                (*back, SignalKind.SUBSCRIBED),
            ),
        ):
            if at := self.last_not_undone(kind, *undone, channel=channel):
                return Turned(words, at)
        return None

    @property
    def is_off_every_topic(self) -> bool:
        """A topic that they never chose is what the workspace says it is for everybody."""
        topics = {**self.names.defaults.get("topics", {}), **self.topics}
        return bool(self.topics) and not any(topics.values())

    @property
    def topics_off(self) -> str:
        """The names of those that they turned off."""
        off = sorted(name for name, is_on in self.topics.items() if not is_on)
        return self.names.words(topics=off)

    @property
    def has_phone(self) -> bool:
        return bool(phone_of(self.customer))

    @property
    def devices_that_take_push(self) -> int:
        return sum(_takes_push(device) for device in self.customer.devices)


def phone_of(customer: Customer) -> str:
    """The customer's number, or else the attribute that holds one, as it is written."""
    held = (
        str(value).strip()
        for name, value in customer.attributes.items()
        if PHONE_NAME.fullmatch(_NO_LETTERS.sub("", name.casefold()))
        and re.search(r"\d", str(value))
    )
    return customer.phone or next(held, "")


NAMES = {
    "email": "e-mail",
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "push": "push",
    "in_app": "in-app",
}
_OF_AN_ADDRESS = (
    SignalKind.SPAM_COMPLAINT, SignalKind.ADDRESS_GONE, SignalKind.DROPPED, SignalKind.BOUNCED,
    SignalKind.MAILBOX_FULL, SignalKind.BLOCKED, SignalKind.REACHED,
)  # fmt: skip
_PERSON = "person"  # beside the channels: what is about the person as a whole
_EVERYTHING = (_PERSON, SignalKind.UNSUBSCRIBED.value)


def _channels_of(signal: Signal) -> list[str]:
    """The channels that a signal speaks of; all of them for what is about the person."""
    if turned := signal.message.get("turned"):
        return [channel.strip() for channel in turned.split(",")]
    channel = signal.message.get("channel", "email")
    about_person = signal.level == Level.PERSON or channel == "email"
    if about_person and signal.kind == SignalKind.UNSUBSCRIBED:
        return [_PERSON]
    if signal.kind == SignalKind.SUBSCRIBED:
        return [_PERSON, *NAMES]
    return [channel]


def _takes_push(device: dict[str, object]) -> bool:
    """False where the device says that push is off, or the last push did not arrive.

    Source: https://docs.customer.io/api/app/#operation/getPersonAttributes (`push_enabled`,
    `_last_status`), which the API gives as texts.
    """
    told = device.get("attributes")
    said = {**device, **(told if isinstance(told, dict) else {})}
    is_off = str(said.get("push_enabled", "")).strip().lower() in _OFF
    return not is_off and str(said.get("_last_status", "")).strip().lower() not in _DEAD_STATES
