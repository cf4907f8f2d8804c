"""By which channels a customer may still be contacted, as far as we know. Pure functions.

A "yes" means that we know nothing against it. When sources disagree, the one that says no decides:
writing to somebody who opted out does more harm than one message that was not sent.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from briefs.models import Signal
from briefs.reading.contact import Contact, Turned
from briefs.times import day
from personas.models import Customer, SignalKind, SubscriptionNames

YES, NO, UNKNOWN = "yes", "no", "unknown"
MAIL_TROUBLE = {
    SignalKind.BOUNCED: "the last message bounced, cause unclear",
    SignalKind.MAILBOX_FULL: "the mailbox was full or busy",
    SignalKind.BLOCKED: "the receiving server refused our mail",
}
# Kinds after which no mail arrives at the address: why, which signals undo it, and what would.
_ADDRESS_CLOSED = {
    SignalKind.SPAM_COMPLAINT: (
        "a complaint suppresses the address",
        (),
        "until they ask for mail again and the address is taken off the suppression list",
    ),
    SignalKind.ADDRESS_GONE: ("the address is gone", (SignalKind.REACHED,), ""),
    SignalKind.DROPPED: ("the address is suppressed", (SignalKind.REACHED,), ""),
}
_BACK = (SignalKind.TOPIC_OPT_IN, SignalKind.SUBSCRIBED)


@dataclass(frozen=True, slots=True)
class Route:
    channel: str
    answer: str
    why: str
    since: str = ""  # a day
    until: str = ""  # what would change it

    @property
    def reason(self) -> str:
        since = f" ({self.since})" if self.since else ""
        return f"{self.why}{since}" + (f", {self.until}" if self.until else "")


@dataclass(frozen=True, slots=True)
class ClosedChannel:
    """A channel that must not, or cannot, be used for this customer."""

    key: str  # email, sms, whatsapp, push or in_app
    name: str  # as it is written within a sentence
    why: str
    since: str = ""

    @property
    def reason(self) -> str:
        return self.why + (f", {self.since}" if self.since else "")


_NAMES = {
    "E-mail, marketing": ("email", "marketing e-mail"),
    "Push": ("push", "push"),
    "SMS": ("sms", "SMS"),
    "WhatsApp": ("whatsapp", "WhatsApp"),
    "In-app": ("in_app", "in-app messages"),
}
MAY_CLOSE = frozenset(key for key, _ in _NAMES.values())


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


def in_words(closed: Iterable[ClosedChannel]) -> str:
    """Their names and why they are closed, within a sentence; one reason is said once."""
    names: dict[str, list[str]] = {}
    for channel in closed:
        names.setdefault(channel.reason, []).append(channel.name)
    return ", ".join(f"{_listed(same)} ({reason})" for reason, same in names.items())


def _listed(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def routes(
    customer: Customer,
    signals: Iterable[Signal],
    names: SubscriptionNames | None = None,
    only: Collection[str] = MAY_CLOSE,
) -> list[Route]:
    """Answer for each channel, in a fixed order. `signals` are the customer's, in any order.

    names: of the workspace's topics, and what each is for somebody who never chose.
    only: the channels that are asked about, by their keys.
    """
    asked = {channel: how for channel, (key, how) in _ROUTES.items() if key in only}
    if customer.is_deleted:
        gone = "Customer.io no longer knows this person"
        return [Route(channel, NO, gone) for channel in asked]
    contact = Contact(customer, signals, names)
    return [how(channel, contact) for channel, how in asked.items()]


def _marketing(channel: str, contact: Contact) -> Route:
    if closed := _address_closed(channel, contact):
        return closed
    if no := contact.unsubscribed() or contact.turned_off("email") or _off_every_topic(contact):
        return _closed(channel, no)
    if not contact.customer.email:
        return Route(channel, UNKNOWN, "no address is known yet")
    if trouble := _mail_trouble(contact):
        return Route(channel, UNKNOWN, trouble)
    if not contact.is_looked_up:
        return Route(channel, UNKNOWN, "the profile was not looked up yet")
    if off := contact.topics_off:
        return Route(channel, YES, f"except {off[:120]}")
    return Route(channel, YES, "subscribed")


def _transactional(channel: str, contact: Contact) -> Route:
    if closed := _address_closed(channel, contact):
        return closed
    if not contact.customer.email:
        return Route(channel, UNKNOWN, "no address is known yet")
    if trouble := _mail_trouble(contact):
        return Route(channel, UNKNOWN, trouble)
    if contact.turned_off("email"):
        return Route(channel, UNKNOWN, "the e-mail channel is off: check the message's settings")
    if contact.unsubscribed() or _off_every_topic(contact):
        return Route(channel, YES, "opting out stops marketing only")
    return Route(channel, YES, "nothing speaks against it")


def _push(channel: str, contact: Contact) -> Route:
    if no := contact.turned_off("push") or contact.unsubscribed():
        return _closed(channel, no)
    known, working = len(contact.customer.devices), contact.devices_that_take_push
    if working:
        words = f"{working} device{'s' if working > 1 else ''}"
        return Route(channel, YES, words if working == known else f"{working} of {known} devices")
    if known:
        return Route(channel, NO, "push is off on their devices, or did not arrive there")
    if contact.is_looked_up:
        return Route(channel, NO, "no device is registered")
    return Route(channel, UNKNOWN, "the profile was not looked up yet")


def _by_phone(key: str) -> Callable[[str, Contact], Route]:
    def answer(channel: str, contact: Contact) -> Route:
        if no := contact.turned_off(key) or contact.unsubscribed():
            return _closed(channel, no)
        if not contact.has_phone:
            if contact.is_looked_up:
                return Route(channel, NO, "the profile has no phone number")
            return Route(channel, UNKNOWN, "the profile was not looked up yet")
        if contact.channels.get(key) or contact.last(SignalKind.CHANNEL_OPT_IN, key):
            return Route(channel, YES, "opted in")
        return Route(channel, UNKNOWN, "a number is there: check consent first")

    return answer


def _in_app(channel: str, contact: Contact) -> Route:
    if no := contact.turned_off("in_app"):
        return _closed(channel, no)
    if contact.channels.get("in_app"):
        return Route(channel, YES, "shows when they next open the product")
    return Route(channel, UNKNOWN, "shows only if they open the product")


# Customer.io's unsubscribe stops all of these but transactional mail and in-app messages:
# https://docs.customer.io/journeys/subscriptions/
_ROUTES: dict[str, tuple[str, Callable[[str, Contact], Route]]] = {
    "E-mail, marketing": ("email", _marketing),
    "E-mail, transactional": ("email", _transactional),
    "Push": ("push", _push),
    "SMS": ("sms", _by_phone("sms")),
    "WhatsApp": ("whatsapp", _by_phone("whatsapp")),
    "In-app": ("in_app", _in_app),
}


def _closed(channel: str, no: Turned) -> Route:
    return Route(channel, NO, no.words, day(no.at) if no.at else "")


def _address_closed(channel: str, contact: Contact) -> Route | None:
    """Why no mail at all can arrive, and since when; None if it may arrive."""
    for kind, (why, undone_by, until) in _ADDRESS_CLOSED.items():
        if at := contact.last_not_undone(kind, *undone_by):
            return Route(channel, NO, why, day(at), until)
    if contact.is_looked_up and not contact.customer.email:
        return Route(channel, NO, "the profile has no address")
    return None


def _off_every_topic(contact: Contact) -> Turned | None:
    if contact.is_off_every_topic:
        return Turned("every topic is turned off")
    if at := contact.last_not_undone(SignalKind.ALL_TOPICS_OFF, *_BACK):
        return Turned("opted out of every topic", at)
    return None


def _mail_trouble(contact: Contact) -> str:
    """What speaks against the address without closing it, unless mail arrived since."""
    seen = [
        (at, words)
        for kind, words in MAIL_TROUBLE.items()
        if (at := contact.last_not_undone(kind, SignalKind.REACHED))
    ]
    return f"{max(seen)[1]} ({day(max(seen)[0])})" if seen else ""
