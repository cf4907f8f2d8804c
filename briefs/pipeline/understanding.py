"""What events mean, before anything is written: rule, customer, persona, the reason in words."""

from collections.abc import Sequence

from briefs.pipeline import preferences, reaching
from briefs.pipeline.drafts import Draft
from personas.models import Customer, SignalKind
from personas.models.signals import Level
from personas.models.subscriptions import CHANNELS, channel_words
from personas.people import identity, lookups
from personas.rules import facts, recipients
from personas.rules.rulebook import PersonaMatch, Rulebook
from webhooks.models import WebhookEvent

NOBODY = "no brief: the event names no person (deleted in Customer.io, or sent without identifiers)"
OF_ERASED = (
    "no brief: the look-up showed a person who was erased; this is erased in a minute or two"
)


def understand(batch: Sequence[WebhookEvent], rulebook: Rulebook) -> list[Draft]:
    """Return a draft for each event, each with a status and a reason.

    Looks profiles up in the App API, within its time budget. If that fails, the drafts say so and
    nothing is raised.
    """
    reached = reaching.again(batch)
    drafts = [_draft(event, rulebook, event.pk in reached) for event in batch]
    _find_customers([draft for draft in drafts if not draft.is_ignored])
    _decide(drafts, rulebook)
    return drafts


def imagine(
    event: WebhookEvent, customer: Customer | None, rulebook: Rulebook, *, is_reached: bool
) -> Draft:
    """What this event of this customer would mean. Both may be unsaved, and nothing is written.

    Nobody is looked up: the customer is judged by what is known.
    """
    draft = _draft(event, rulebook, is_reached)
    draft.customer, draft.named = customer, identity.normalise(event.identifiers)
    if customer is None and not draft.is_ignored:
        draft.ignore(NOBODY)
    with lookups.known_profiles_only():
        _decide([draft], rulebook)
    return draft


def _decide(drafts: list[Draft], rulebook: Rulebook) -> None:
    """Decide about those whose customers are found; this may look them up."""
    known = [draft for draft in drafts if not draft.is_ignored]
    for draft in known:
        draft.keep_earlier_profile()
    trouble = _look_up(known)
    _match_recipients(known, rulebook)
    preferences.match(known, rulebook, trouble)
    rulebook.read_memberships(draft.person for draft in known)
    for draft in known:
        if draft.person.is_of_erased:
            draft.ignore(OF_ERASED)
        elif draft.wants_brief and not draft.is_ignored:
            _match_persona(draft, rulebook, trouble)


def _draft(event: WebhookEvent, rulebook: Rulebook, is_reached: bool) -> Draft:
    # Most events: their payload need not even be read.
    if not rulebook.knows(event.metric) or (reaching.may_reach(event) and not is_reached):
        draft = Draft(event, {}, "")
        draft.decide(None)
        return draft
    data = event.data
    draft = Draft(event, data, facts.level(event.object_type, data), is_reached=is_reached)
    _match_rule(draft, rulebook)
    return draft


def _match_rule(draft: Draft, rulebook: Rulebook) -> None:
    event = draft.event
    if draft.is_about_preferences and rulebook.speaks_of(
        event.object_type, event.metric, draft.level
    ):
        return  # `preferences.match` decides, once the customer is looked up
    draft.ask(rulebook, reached="again" if draft.is_reached else "")
    match = draft.rule_match
    if match and match.rule.kind in (SignalKind.CHANNEL_OPT_OUT, SignalKind.CHANNEL_OPT_IN):
        draft.detail = channel_words([CHANNELS.get(draft.channel, draft.channel)])
    # Through another message than an e-mail they leave its channel only: see `Contact`.
    is_by_message = draft.level == Level.DELIVERY and draft.channel in CHANNELS
    if match and match.rule.kind == SignalKind.UNSUBSCRIBED and is_by_message:
        draft.detail = "" if draft.channel == "email" else channel_words([CHANNELS[draft.channel]])


def _find_customers(drafts: list[Draft]) -> None:
    resolution = identity.resolve([draft.event.identifiers for draft in drafts])
    found = zip(drafts, resolution.customers, resolution.named, strict=True)
    for draft, customer, named in found:
        draft.customer, draft.named = customer, named
        draft.same_people = resolution.same
        if customer is None:
            draft.ignore(NOBODY)


def _look_up(drafts: list[Draft]) -> str:
    """Refresh the customers whose profile decides something; returns the trouble, in words."""
    wanted = {
        draft.customer.pk: draft.customer
        for draft in drafts
        if draft.customer and (draft.wants_brief or draft.is_about_preferences)
    }
    for draft in drafts:  # several events of one person share one object
        if draft.customer and draft.customer.pk in wanted:
            draft.customer = wanted[draft.customer.pk]
    # A change is found by comparing with the preferences of now, so even fresh ones are read again.
    changed = {draft.person.pk for draft in drafts if draft.is_about_preferences}
    changed |= {draft.person.pk for draft in drafts if draft.is_of_doubtful_name} & set(wanted)
    trouble = lookups.refresh([wanted[key] for key in sorted(changed)], force=True)
    return trouble or lookups.refresh(wanted.values())


def _match_recipients(drafts: list[Draft], rulebook: Rulebook) -> None:
    """Decide anew about messages that went to another address than the person's own.

    Whoever was known by another address is looked up first: the person may have a new one.
    """
    sent = [
        draft
        for draft in drafts
        if draft.recipient and (draft.is_reached or _asks_whose_address(draft, rulebook))
    ]
    doubtful = [draft for draft in sent if _went_elsewhere(draft)]
    # Not for mail that arrived: a copy to a colleague would cost a look-up with every message.
    unsure = {
        d.person.pk: d.person
        for d in doubtful
        if not (d.is_reached or d.is_looked_up_since_received)
    }
    lookups.refresh(unsure.values(), force=True)
    for draft in doubtful:
        if _went_elsewhere(draft):
            draft.detail = ", ".join(recipients.addresses(draft.recipient))
            draft.ask(rulebook, recipient_is=recipients.ANOTHER)


def _asks_whose_address(draft: Draft, rulebook: Rulebook) -> bool:
    event = draft.event
    return rulebook.asks_whose_address(event.object_type, event.metric, draft.level)


def _went_elsewhere(draft: Draft) -> bool:
    return recipients.whose(draft.recipient, draft.own_addresses) == recipients.ANOTHER


def _match_persona(draft: Draft, rulebook: Rulebook, trouble: str) -> None:
    draft.persona_match = rulebook.persona_for(draft.person)
    if draft.person.fetched_at is None and trouble:
        # Without a key no look-up will ever be made: a brief that waited for it would stay hidden.
        draft.is_waiting_for_profile = not lookups.is_never_possible()
        draft.persona_match = PersonaMatch(
            rulebook.unknown, [], f"look-up failed: {trouble}", version=rulebook.version
        )
