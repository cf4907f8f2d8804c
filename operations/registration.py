"""What the workspace must report for the rules to work, and how its webhook is brought there.

Customer.io sends only the events that a reporting webhook names. Which those are follows from the
active signal rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from personas.models import Effect, SignalRule
from personas.models.signals import Level
from personas.rules.facts import PREFERENCES_METRICS
from providers.customerio import AppApi, ReportingWebhook
from webhooks.views import RECEIVER_PATH

NAME = "Savedesk"
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
PREFERENCES_EVENT = (
    "customer_subscription_preferences_changed"  # to subscribe; the payload has another name
)
PERSON_METRICS = ("subscribed", "unsubscribed")

# What Customer.io can report, by channel: the names that POST /v1/reporting_webhooks accepts. The
# sandbox has its own copy of the list, so that it refuses a name that is wrong here.
METRICS = {
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


# One for each message that is sent, many times as many events as all others together. They only
# show sooner that an address works again, so a webhook keeps them but is not told to send them.
OPTIONAL = frozenset({"email_delivered"})


class BadAddress(ValueError):
    """Customer.io must not send webhooks to this address; the message says why."""


def needed_events() -> frozenset[str]:
    """The names to subscribe to, so that Customer.io reports every event that an active rule names.

    A rule whose effect is to ignore needs no event.
    """
    rules = SignalRule.objects.filter(is_active=True).exclude(effect=Effect.IGNORE)
    return frozenset(name for rule in rules for name in events_of(rule)) - OPTIONAL


def events_of(rule: SignalRule) -> set[str]:
    """The names this rule alone needs; empty if Customer.io has no such event."""
    metrics, types = _words(rule.metrics), _words(rule.object_types) or set(METRICS)
    names: set[str] = set()
    if rule.level != Level.DELIVERY:
        # About the person. The object type only names the channel of the message that led to it.
        names |= {f"customer_{metric}" for metric in metrics & set(PERSON_METRICS)}
        if metrics & set(PREFERENCES_METRICS):
            names.add(PREFERENCES_EVENT)
    if rule.level != Level.PERSON:
        channels = types & set(METRICS) - {"customer"}
        names |= {f"{kind}_{m}" for kind in channels for m in metrics & set(METRICS[kind].split())}
    return names


def _words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",") if word.strip()}


# The address ------------------------------------------------------------------------------------


def checked_endpoint(url: str) -> str:
    """The address as it is registered, with its final slash. Raises BadAddress.

    Plain http is accepted for this machine only, where just the sandbox can send.
    """
    try:
        parts = urlsplit(url.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"This is not an address: {error}.") from error
    if not host or parts.scheme not in ("http", "https"):
        raise BadAddress("Give the whole address: https://your-host" + RECEIVER_PATH)
    if parts.scheme != "https" and host not in LOCAL_HOSTS:
        raise BadAddress("The address must begin with https://: events name your customers.")
    if parts.path.rstrip("/") != RECEIVER_PATH.rstrip("/") or parts.query or parts.fragment:
        raise BadAddress(
            f"The address must end in {RECEIVER_PATH}: https://{host}{RECEIVER_PATH} perhaps?"
        )
    return parts._replace(path=RECEIVER_PATH).geturl()


def shown(endpoint: str) -> str:
    """The address without user name and password, which Customer.io allows in it."""
    parts = urlsplit(endpoint)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()


def is_same_place(one: str, other: str) -> bool:
    return shown(one).rstrip("/").lower() == shown(other).rstrip("/").lower()


# The webhook ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """What registering changes: the webhook before, if there is one, and after."""

    before: ReportingWebhook | None
    after: ReportingWebhook

    @property
    def added(self) -> list[str]:
        return sorted(self.after.events - (self.before.events if self.before else frozenset()))

    @property
    def removed(self) -> list[str]:
        return sorted(self.before.events - self.after.events) if self.before else []

    @property
    def is_needed(self) -> bool:
        return self.before != self.after

    @property
    def moves_enabled(self) -> bool:
        """Whether it takes an enabled webhook away from another address."""
        return (
            self.before is not None
            and not self.before.is_disabled
            and not is_same_place(self.before.endpoint, self.after.endpoint)
        )


def plan(registered: Iterable[ReportingWebhook], endpoint: str, name: str = NAME) -> Change:
    """What to register for this endpoint. A webhook is looked for by endpoint, then by name.

    A webhook that is new at the address starts disabled; one that is enabled there stays enabled.
    """
    registered = list(registered)
    here = [webhook for webhook in registered if is_same_place(webhook.endpoint, endpoint)]
    named = [webhook for webhook in registered if webhook.name == name]
    before = next(iter(sorted(here, key=lambda webhook: webhook.is_disabled) or named), None)
    if before and here and "@" not in urlsplit(endpoint).netloc:
        endpoint = before.endpoint  # it may contain a password for a proxy in front of Savedesk
    wanted = ReportingWebhook(
        name=before.name if before else name,
        endpoint=endpoint,
        events=needed_events() | (before.events & OPTIONAL if before else frozenset()),
        is_disabled=before.is_disabled if before and here else True,
        full_resolution=True,
        with_content=True,
        id=before.id if before else None,
    )
    return Change(before, wanted)


def enable(api: AppApi, webhook: ReportingWebhook) -> ReportingWebhook:
    """Enable the webhook: from now on Customer.io sends events to it."""
    return api.save_reporting_webhook(replace(webhook, is_disabled=False))
