"""What events mean, before anything is written: rule, customer, persona, the reason in words."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from briefs.health import database_now
from briefs.models import Priority
from personas import events, identity, lookups, preferences
from personas.customerio import read_preferences
from personas.models import Customer, Effect, SignalRule
from personas.rulebook import PersonaMatch, Rulebook, RuleMatch
from webhooks.models import WebhookEvent

PENDING, PROCESSED, IGNORED = (
    WebhookEvent.Status.PENDING, WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED,
)  # fmt: skip
PATIENCE = timedelta(days=1)  # with the App API, for an event that only a profile can decide


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
        return self.event.metric in events.PREFERENCES_METRICS


def understand(batch: Sequence[WebhookEvent]) -> list[Draft]:
    """Return a draft for each event, with a status and a reason each.

    May ask the App API once for all of them, within its time budget; a failure of that is no
    failure here. Raises LookupError if there are no personas at all.
    """
    rulebook = Rulebook.load()
    drafts = [_draft(event, rulebook) for event in batch]
    _find_customers([draft for draft in drafts if not draft.is_ignored])
    known = [draft for draft in drafts if not draft.is_ignored]
    for draft in known:
        draft.remember()
    trouble = _look_up(known)
    for draft in known:
        if draft.is_about_preferences:
            _match_preferences(draft, rulebook, trouble)
        if draft.wants_brief and not draft.is_ignored:
            _match_persona(draft, rulebook, trouble)
    return drafts


def _draft(event: WebhookEvent, rulebook: Rulebook) -> Draft:
    if not rulebook.knows(event.metric):  # most events: their payload need not even be read
        draft = Draft(event, {}, "")
        _decide(draft, None)
        return draft
    data = event.data
    draft = Draft(event, data, events.level(event.object_type, data))
    _match_rule(draft, rulebook)
    return draft


def _match_rule(draft: Draft, rulebook: Rulebook) -> None:
    event = draft.event
    if draft.is_about_preferences and rulebook.speaks_of(
        event.object_type, event.metric, draft.level
    ):
        return  # what changed shows only beside the customer's preferences
    _decide(draft, rulebook.rule_for(event.object_type, event.metric, draft.data))


def _decide(draft: Draft, match: RuleMatch | None) -> None:
    draft.match = match
    if match is None:
        draft.ignore(f"no churn signal: no active rule speaks of “{draft.event.kind}”")
    elif match.rule.effect == Effect.IGNORE:
        note = f": {match.rule.note}" if match.rule.note else ""
        draft.ignore(f"no churn signal by {match.why}{note}")


def _find_customers(drafts: list[Draft]) -> None:
    resolution = identity.resolve([draft.event.identifiers for draft in drafts])
    for draft, customer in zip(drafts, resolution.customers, strict=True):
        draft.customer = customer
        draft.same = resolution.same
        if customer is None:
            draft.ignore(
                "no brief: the event names no person (deleted in Customer.io, or sent without "
                "identifiers)"
            )


def _look_up(drafts: list[Draft]) -> str:
    """Refresh whoever a brief or a preference depends on; returns the trouble, in words."""
    wanted = {
        draft.customer.pk: draft.customer
        for draft in drafts
        if draft.customer and (draft.wants_brief or draft.is_about_preferences)
    }
    for draft in drafts:  # several events of one person share one object
        if draft.customer and draft.customer.pk in wanted:
            draft.customer = wanted[draft.customer.pk]
    # What changed shows only beside today's preferences, however fresh the cached ones are.
    changed = {draft.person.pk for draft in drafts if draft.is_about_preferences}
    trouble = lookups.refresh([wanted[key] for key in sorted(changed)], force=True)
    return trouble or lookups.refresh(wanted.values())


def _match_preferences(draft: Draft, rulebook: Rulebook, trouble: str) -> None:
    stated = read_preferences(draft.data.get("content"))
    before = draft.preferences_before
    change = preferences.change(before, draft.person.preferences, stated)
    is_comparable = any(before.values())  # or no look-up could tell
    is_open = change == preferences.UNKNOWN and is_comparable and not draft.is_looked_up
    if is_open and trouble and not lookups.is_never_possible():
        _wait_for_profile(draft, trouble)
        return
    event = draft.event
    _decide(
        draft,
        rulebook.rule_for(event.object_type, event.metric, draft.data, preferences=change),
    )


def _wait_for_profile(draft: Draft, trouble: str) -> None:
    """Put the event off while nobody can tell whether it is an opt-out, for a day at most."""
    since = draft.event.put_off_at
    if since is None or since > database_now() - PATIENCE:
        draft.put_off(f"waits: only the profile shows whether they opted out, and {trouble}")
    else:
        draft.ignore(
            "no churn signal, as far as anybody can tell: only the profile shows whether they "
            f"opted out, and for a day it could not be looked up ({trouble}). Reprocess the event "
            "once it can be"
        )


def _match_persona(draft: Draft, rulebook: Rulebook, trouble: str) -> None:
    draft.persona = rulebook.persona_for(draft.person)
    if draft.person.fetched_at is None and trouble:
        # Without a key nobody will ever look: such a brief must not wait out of sight.
        draft.is_waiting_for_profile = not lookups.is_never_possible()
        draft.persona = PersonaMatch(rulebook.unknown, [], f"look-up failed: {trouble}")
