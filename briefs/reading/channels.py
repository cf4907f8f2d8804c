"""By which channels a customer may still be contacted, as far as we know. Pure functions.

A "yes" means that we know nothing against it. When sources disagree, the one that says no decides:
writing to somebody who opted out does more harm than one message that was not sent.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from briefs.models import Signal
from briefs.times import day
from personas.models import Customer, SignalKind

YES, NO, UNKNOWN = "yes", "no", "unknown"
# Names of a phone attribute, in small letters and without signs between the words.
PHONE_NAME = re.compile(
    r"(?:my|main|primary|work|home|business|office|company|contact|customer|user|account|billing"
    r"|direct)?(?:(?:mobile|cell|cellular|sms|tele|whatsapp)?phone|mobile|cell|sms(?=n)|tel|handy|msisdn)"
    r"(?:number|num|no|nr|e164)?[0-9]?"
)
_NO_LETTERS = re.compile(r"[\W_]+")
MAIL_TROUBLE = {
    SignalKind.BOUNCED: "the last message bounced, cause unclear",
    SignalKind.MAILBOX_FULL: "the mailbox was full or busy",
    SignalKind.BLOCKED: "the receiving server refused our mail",
}
_BACK = (SignalKind.TOPIC_OPT_IN, SignalKind.SUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Route:
    channel: str
    answer: str
    why: str
    since: str = ""  # a day

    @property
    def reason(self) -> str:
        return f"{self.why} ({self.since})" if self.since else self.why


@dataclass(frozen=True, slots=True)
class ClosedChannel:
    """A channel that must not, or cannot, be used for this customer."""

    key: str  # email, sms, push or in_app
    name: str  # as it is written within a sentence
    why: str
    since: str = ""

    @property
    def words(self) -> str:
        """Its name and why it is closed, within a sentence."""
        since = f", {self.since}" if self.since else ""
        return f"{self.name} ({self.why}{since})"


_NAMES = {
    "E-mail, marketing": ("email", "marketing e-mail"),
    "Push": ("push", "push"),
    "SMS": ("sms", "SMS"),
    "In-app": ("in_app", "in-app messages"),
}


def closed_channels(found: Iterable[Route]) -> list[ClosedChannel]:
    """The channels that must not be used to win this customer back, in the order of the routes.

    Winning a customer back is marketing, so opting out of marketing closes e-mail, although
    invoices and the like may still be sent. Calls are never closed here: nothing tells whether a
    customer agreed to them.
    """
    routes = list(found)
    is_mail_dead = any(r.channel == "E-mail, transactional" and r.answer == NO for r in routes)
    names = _NAMES | ({"E-mail, marketing": ("email", "e-mail")} if is_mail_dead else {})
    return [
        ClosedChannel(*names[route.channel], route.why, route.since)
        for route in routes
        if route.answer == NO and route.channel in names
    ]


def routes(customer: Customer, signals: Iterable[Signal]) -> list[Route]:
    """Answer for each channel, in a fixed order. `signals` are the customer's, in any order."""
    if customer.is_deleted:
        gone = "Customer.io no longer knows this person"
        return [
            Route(channel, NO, gone)
            for channel in ("E-mail, marketing", "E-mail, transactional", "Push", "SMS", "In-app")
        ]
    known = _Known(customer, signals)
    return [_marketing(known), _transactional(known), _push(known), _sms(known), _in_app(known)]


class _Known:
    """When each kind of signal came last, and what the customer switched on or off."""

    def __init__(self, customer: Customer, signals: Iterable[Signal]) -> None:
        self.customer = customer
        self.is_looked_up = customer.fetched_at is not None
        self.last: dict[str, datetime] = {}
        for signal in signals:
            if signal.message.get("channel", "email") == "email":
                seen = self.last.get(signal.kind)
                self.last[signal.kind] = max(seen or signal.happened_at, signal.happened_at)
        self.topics: dict[str, bool] = customer.preferences.get("topics") or {}
        self.channels: dict[str, bool] = customer.preferences.get("channels") or {}

    def last_not_undone(self, kind: SignalKind, *undone_by: SignalKind) -> datetime | None:
        """When this kind came last; None if it never came, or a later signal undid it."""
        at = self.last.get(kind)
        later = [self.last[other] for other in undone_by if other in self.last]
        return None if at is None or any(moment > at for moment in later) else at

    @property
    def mail_trouble(self) -> str:
        seen = [
            (self.last[kind], words) for kind, words in MAIL_TROUBLE.items() if kind in self.last
        ]
        return f"{max(seen)[1]} ({day(max(seen)[0])})" if seen else ""


def _marketing(known: _Known) -> Route:
    channel = "E-mail, marketing"
    if dead := _no_address(known):
        return Route(channel, NO, *dead)
    if reason := _opted_out(known):
        return Route(channel, NO, reason)
    if not known.customer.email:
        return Route(channel, UNKNOWN, "no address is known yet")
    if known.mail_trouble:
        return Route(channel, UNKNOWN, known.mail_trouble)
    if not known.is_looked_up:
        return Route(channel, UNKNOWN, "the profile was not looked up yet")
    off = sorted(name for name, is_on in known.topics.items() if not is_on)
    if off:
        return Route(channel, YES, f"except {', '.join(off)[:120]}")
    return Route(channel, YES, "subscribed")


def _transactional(known: _Known) -> Route:
    channel = "E-mail, transactional"
    if dead := _no_address(known):
        return Route(channel, NO, *dead)
    if not known.customer.email:
        return Route(channel, UNKNOWN, "no address is known yet")
    if known.mail_trouble:
        return Route(channel, UNKNOWN, known.mail_trouble)
    if known.channels.get("email") is False:
        return Route(channel, UNKNOWN, "the e-mail channel is off: check the message's settings")
    if known.last_not_undone(SignalKind.ALL_TOPICS_OFF, *_BACK) and "email" not in known.channels:
        return Route(channel, UNKNOWN, "they may have turned e-mail off as a whole")
    if _opted_out(known):
        return Route(channel, YES, "opting out stops marketing only")
    return Route(channel, YES, "nothing speaks against it")


def _no_address(known: _Known) -> tuple[str, ...]:
    """Why no mail at all can arrive, and since when; empty if mail may arrive."""
    if at := known.last_not_undone(SignalKind.SPAM_COMPLAINT):
        return "a complaint suppresses the address", day(at)
    if at := known.last_not_undone(SignalKind.ADDRESS_GONE):
        return "the address is gone", day(at)
    if at := known.last_not_undone(SignalKind.DROPPED):
        return "the address is suppressed", day(at)
    if known.is_looked_up and not known.customer.email:
        return ("the profile has no address",)
    return ()


def _opted_out(known: _Known) -> str:
    """Why marketing must stop; empty if it may go on."""
    customer = known.customer
    if customer.is_unsubscribed:
        at = customer.subscription_changed_at or known.last.get(SignalKind.UNSUBSCRIBED)
        return f"unsubscribed {day(at)}" if at else "unsubscribed"
    if at := known.last_not_undone(SignalKind.UNSUBSCRIBED, SignalKind.SUBSCRIBED):
        return f"unsubscribed {day(at)}"
    if known.channels.get("email") is False:
        return "the e-mail channel is turned off"
    if known.topics and not any(known.topics.values()):
        return "every topic is turned off"
    if at := known.last_not_undone(SignalKind.ALL_TOPICS_OFF, *_BACK):
        return f"opted out of everything {day(at)}"
    return ""


def _push(known: _Known) -> Route:
    if known.channels.get("push") is False:
        return Route("Push", NO, "the push channel is turned off")
    if devices := len(known.customer.devices):
        words = f"{devices} device{'s' if devices > 1 else ''}"
        return Route("Push", YES, words + _opt_out_note(known))
    if known.is_looked_up:
        return Route("Push", NO, "no device is registered")
    return Route("Push", UNKNOWN, "the profile was not looked up yet")


def _sms(known: _Known) -> Route:
    if known.channels.get("sms") is False:
        return Route("SMS", NO, "the SMS channel is turned off")
    if not _has_phone(known.customer):
        if known.is_looked_up:
            return Route("SMS", NO, "the profile has no phone number")
        return Route("SMS", UNKNOWN, "the profile was not looked up yet")
    if known.channels.get("sms"):
        return Route("SMS", YES, "opted in" + _opt_out_note(known))
    return Route("SMS", UNKNOWN, "a number is there: check consent first")


def _in_app(known: _Known) -> Route:
    if known.channels.get("in_app") is False:
        return Route("In-app", NO, "the in-app channel is turned off")
    if known.channels.get("in_app"):
        return Route("In-app", YES, "shows when they next open the product")
    return Route("In-app", UNKNOWN, "shows only if they open the product")


def _opt_out_note(known: _Known) -> str:
    return ", but campaigns skip who unsubscribed" if known.customer.is_unsubscribed else ""


def _has_phone(customer: Customer) -> bool:
    return any(
        PHONE_NAME.fullmatch(_NO_LETTERS.sub("", name.casefold())) and re.search(r"\d", str(value))
        for name, value in customer.attributes.items()
    )
