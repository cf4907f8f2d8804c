"""One event while it is processed, with everything that is known about it so far."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from briefs.models import Cause
from personas.models import Customer, Effect, SignalKind, SignalRule
from personas.people import identity
from personas.rules import facts
from personas.rules.rulebook import PersonaMatch, Rulebook, RuleMatch
from providers.addresses import channel_of
from webhooks.models import WebhookEvent

PENDING, PROCESSED, IGNORED = (
    WebhookEvent.Status.PENDING, WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED,
)  # fmt: skip


@dataclass(slots=True)
class Draft:
    """An event that will become a signal, be ignored, or be put off; `reason` says why."""

    event: WebhookEvent
    data: dict[str, Any]
    level: str
    status: WebhookEvent.Status = PROCESSED
    reason: str = ""
    rule_match: RuleMatch | None = None
    found_out: dict[str, str] | None = None  # told to the rules; None: they were not asked
    named: identity.Identifiers = field(default_factory=dict)  # the event's, as rows keep them
    customer: Customer | None = None
    persona_match: PersonaMatch | None = None
    is_reached: bool = False  # it arrived at an address where earlier messages did not
    is_waiting_for_profile: bool = False
    has_joined: bool = False
    channels: list[str] = field(default_factory=list)  # that preferences turned, by their keys
    detail: str = ""  # what exactly: the channel, the topics or the other address
    # As `Customer.preferences` keeps them.
    preferences_before: dict[str, Any] = field(default_factory=dict)
    fetched_before: datetime | None = None
    same_people: list[tuple[Customer, Customer]] = field(default_factory=list)
    cause: Cause | None = None  # the message that its brief comes from

    @property
    def happened_at(self) -> datetime:
        return self.event.occurred_at or self.event.received_at

    def ask(self, rulebook: Rulebook, **found_out: str) -> None:
        """Take the first rule that fits; `found_out` as in `facts.facts`."""
        self.found_out = found_out
        event = self.event
        self.decide(rulebook.rule_for(event.object_type, event.metric, self.data, **found_out))

    def decide(self, match: RuleMatch | None) -> None:
        """Take the rule that fits; ignore the event if there is none, or if the rule says so."""
        self.rule_match = match
        if match is None:
            self.ignore(f"no churn signal: no active rule speaks of “{self.event.kind}”")
        elif match.rule.effect == Effect.IGNORE:
            note = f": {match.rule.note}" if match.rule.note else ""
            self.ignore(f"no churn signal by {match.why}{note}")

    def ignore(self, reason: str) -> None:
        self.status, self.reason = IGNORED, reason

    def put_off(self, reason: str) -> None:
        self.status, self.reason = PENDING, reason

    def keep_earlier_profile(self) -> None:
        """Keep what is known of the person before they are looked up.

        An event that is read once more is compared with what was known before its first try.
        """
        noted = self.event.noted or {}
        self.preferences_before = noted.get("preferences", self.person.preferences)
        self.fetched_before = self.person.fetched_at

    @property
    def noted(self) -> dict[str, Any]:
        """What a later try of this event needs: the preferences before the first try."""
        return {"preferences": self.preferences_before}

    @property
    def is_looked_up(self) -> bool:
        """Whether the profile was read after the event arrived: now, or after it was put off."""
        fetched_at, put_off_at = self.person.fetched_at, self.event.put_off_at
        if fetched_at is None or fetched_at == self.fetched_before:
            return bool(fetched_at and put_off_at and fetched_at > put_off_at)
        return True

    @property
    def turned(self) -> dict[str, str]:
        """The channels that a reply or a preference turned on or off, as the message keeps them."""
        if self.rule.kind not in (SignalKind.CHANNEL_OPT_OUT, SignalKind.CHANNEL_OPT_IN):
            return {}
        return {"turned": ", ".join(self.channels) or self.channel}

    @property
    def channel(self) -> str:
        """The channel of the message that the event is about."""
        return channel_of(self.event.object_type, self.data.get("recipient"))

    @property
    def recipient(self) -> str:
        """Where the message went, as sent; empty if the event names no address."""
        given = self.data.get("recipient")
        return given if isinstance(given, str) and self.event.object_type == "email" else ""

    @property
    def own_addresses(self) -> list[str]:
        """The person's address; also the one that the event states, until it is looked up."""
        stated = self.event.identifiers.get("email", "")
        known = [self.person.email] if self.person.email else [stated]
        return known if self.is_looked_up_since_received else [*known, stated]

    @property
    def is_looked_up_since_received(self) -> bool:
        fetched_at = self.person.fetched_at
        return fetched_at is not None and fetched_at > self.event.received_at

    @property
    def states_otherwise(self) -> identity.Identifiers:
        """Identifiers that the event states by the person's cio_id and that we know otherwise."""
        return identity.differing(self.customer, self.named) if self.customer else {}

    @property
    def is_of_doubtful_name(self) -> bool:
        """Whether the event differs from a look-up made after it happened: only asking helps."""
        fetched_at = self.person.fetched_at
        return bool(fetched_at and fetched_at > self.happened_at and self.states_otherwise)

    @property
    def is_put_off(self) -> bool:
        return self.status == PENDING

    @property
    def is_ignored(self) -> bool:
        return self.status == IGNORED

    @property
    def rule(self) -> SignalRule:
        """The rule that made it a signal. Raises LookupError for an event that no rule fits."""
        if self.rule_match is None:
            raise LookupError("no rule fits this event")
        return self.rule_match.rule

    @property
    def person(self) -> Customer:
        """Whom the event is about. Raises LookupError for an event that names no person."""
        if self.customer is None:
            raise LookupError("this event names no person")
        return self.customer

    @property
    def wants_brief(self) -> bool:
        return self.rule_match is not None and self.rule.effect == Effect.OPENS_BRIEF

    @property
    def opens_brief(self) -> bool:
        """Whether both the rule and the persona want a brief."""
        return (
            self.wants_brief
            and self.persona_match is not None
            and self.persona_match.persona.opens_brief
        )

    @property
    def mapped(self) -> PersonaMatch:
        """The persona and why. Raises LookupError unless the rule wants a brief."""
        if self.persona_match is None:
            raise LookupError("this event was not mapped to a persona")
        return self.persona_match

    @property
    def why(self) -> str:
        """Which rule and which persona were chosen and why, in words."""
        matches = (self.rule_match, self.persona_match)
        return " · ".join(match.why for match in matches if match is not None)

    @property
    def is_about_preferences(self) -> bool:
        return self.event.metric in facts.PREFERENCES_METRICS
