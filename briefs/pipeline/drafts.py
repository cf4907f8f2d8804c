"""One event on its way to becoming a signal, with all that is known of it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from briefs.models import Priority
from personas.models import Customer, Effect, SignalRule
from personas.rules import facts, preferences
from personas.rules.rulebook import PersonaMatch, RuleMatch
from webhooks.models import WebhookEvent

PENDING, PROCESSED, IGNORED = (
    WebhookEvent.Status.PENDING, WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED,
)  # fmt: skip


@dataclass(slots=True)
class Draft:
    """One event on its way to becoming a signal, or to a reason why not."""

    event: WebhookEvent
    data: dict[str, Any]
    level: str
    status: WebhookEvent.Status = PROCESSED
    reason: str = ""
    match: RuleMatch | None = None
    customer: Customer | None = None
    persona: PersonaMatch | None = None
    is_waiting_for_profile: bool = False
    has_joined: bool = False
    preferences_before: preferences.Preferences = field(default_factory=dict)
    fetched_before: datetime | None = None
    same: list[tuple[Customer, Customer]] = field(default_factory=list)

    def ignore(self, reason: str) -> None:
        self.status, self.reason = IGNORED, reason

    def put_off(self, reason: str) -> None:
        self.status, self.reason = PENDING, reason

    def remember(self) -> None:
        """Keep what is known of the person before they are looked up.

        An event that was put off is compared with what was known before its first try.
        """
        noted = self.event.noted or {}
        self.preferences_before = noted.get("preferences", self.person.preferences)
        self.fetched_before = self.person.fetched_at

    @property
    def noted(self) -> dict[str, Any]:
        """What a later try needs to know of this one."""
        return {"preferences": self.preferences_before}

    @property
    def is_looked_up(self) -> bool:
        """Whether the profile was read after the event came: now, or since it was put off."""
        fetched_at, put_off_at = self.person.fetched_at, self.event.put_off_at
        if fetched_at is None or fetched_at == self.fetched_before:
            return bool(fetched_at and put_off_at and fetched_at > put_off_at)
        return True

    @property
    def is_put_off(self) -> bool:
        return self.status == PENDING

    @property
    def is_ignored(self) -> bool:
        return self.status == IGNORED

    @property
    def rule(self) -> SignalRule:
        """What made it a signal. An ignored draft has none: LookupError."""
        if self.match is None:
            raise LookupError("no rule fits this event")
        return self.match.rule

    @property
    def person(self) -> Customer:
        """Who it is about. An ignored draft may be about nobody: LookupError."""
        if self.customer is None:
            raise LookupError("this event names no person")
        return self.customer

    @property
    def wants_brief(self) -> bool:
        return self.match is not None and self.rule.effect == Effect.OPENS_BRIEF

    @property
    def opens_brief(self) -> bool:
        """Whether signal and persona together are worth a brief."""
        return self.wants_brief and self.persona is not None and self.persona.persona.opens_brief

    @property
    def mapped(self) -> PersonaMatch:
        """The persona and why. Only a signal that wants a brief has one: LookupError."""
        if self.persona is None:
            raise LookupError("this event was not mapped to a persona")
        return self.persona

    @property
    def why(self) -> str:
        """Rule and persona with what decided, in words."""
        matches = (self.match, self.persona)
        return " · ".join(match.why for match in matches if match is not None)

    @property
    def priority(self) -> Priority:
        if self.person.is_deleted:
            return Priority.LOW
        return Priority.of(self.rule.severity, self.mapped.persona)

    @property
    def is_about_preferences(self) -> bool:
        return self.event.metric in facts.PREFERENCES_METRICS
