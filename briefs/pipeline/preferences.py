"""Changes of preferences: each event is compared with the state before it, also within a batch."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from briefs.pipeline.drafts import PROCESSED, Draft
from personas.models import Customer, SubscriptionNames
from personas.models import preferences as known_preferences
from personas.people import lookups, names
from personas.rules import preferences
from personas.rules.rulebook import Rulebook
from providers.customerio import COMPUTED_PREFERENCES
from providers.subscriptions import Preferences, merged, read_preferences
from webhooks.clock import database_now
from webhooks.models import WebhookEvent

PATIENCE = timedelta(days=1)  # how long an event waits that only a profile can decide


def match(drafts: Iterable[Draft], rulebook: Rulebook, trouble: str) -> None:
    """Decide about those drafts that are about preferences.

    trouble: why their people could not be looked up, in words.
    """
    changed = sorted((d for d in drafts if d.is_about_preferences), key=_order)
    if not changed:
        return
    if not trouble:
        names.refresh()
    subscriptions = SubscriptionNames.known()
    chained: dict[int, dict[str, Any]] = {}  # by customer: known after the events so far
    for draft in changed:
        is_first_try = not draft.event.noted or draft.event.put_off_at is not None
        if is_first_try and draft.person.pk in chained:
            draft.preferences_before = chained[draft.person.pk]
        _match(draft, rulebook, trouble, subscriptions)
        chained[draft.person.pk] = after(draft)


def after(draft: Draft) -> dict[str, Any]:
    """What is known of the person's preferences after this event, as rows keep it."""
    return known_preferences.stated(
        draft.preferences_before, _said(draft), draft.happened_at, draft.fetched_before
    )


def keep(drafts: list[Draft]) -> None:
    """Store what the events stated, and with each event what it was compared with.

    An event that is read again, by a reprocessing, is then compared with the same. Needs an open
    transaction, and must be the first in it that locks customers: it locks all of the batch.
    """
    changed = [d for d in drafts if d.customer and d.is_about_preferences and not d.is_put_off]
    if not changed:
        return
    touched = {d.person.pk for d in drafts if d.customer and d.status == PROCESSED}
    touched |= {draft.person.pk for draft in changed}
    rows = Customer.objects.filter(pk__in=touched).order_by("pk").select_for_update()
    stored, fetched_at = {}, {}
    for pk, known, at in rows.values_list("pk", "preferences", "fetched_at"):
        stored[pk], fetched_at[pk] = known, at
    learnt = {}
    for draft in sorted(changed, key=_order):
        pk = draft.person.pk
        if pk in stored:  # not erased meanwhile
            stored[pk] = known_preferences.stated(
                stored[pk], _said(draft), draft.happened_at, fetched_at[pk]
            )
            draft.person.preferences = stored[pk]
            learnt[pk] = Customer(pk=pk, preferences=stored[pk])
    Customer.objects.bulk_update(learnt.values(), ["preferences"], batch_size=200)
    for draft in changed:
        draft.event.noted = draft.noted
    WebhookEvent.objects.bulk_update([d.event for d in changed], ["noted"], batch_size=200)


def _order(draft: Draft) -> tuple[datetime, int]:
    return draft.happened_at, draft.event.pk


def _stated(draft: Draft) -> Preferences:
    return read_preferences(draft.data.get("content"))


def _said(draft: Draft) -> Preferences:
    """The state after the event: as it states, or else as the look-up shows."""
    return _stated(draft) or (_looked_up(draft) if draft.is_looked_up else {})


def _looked_up(draft: Draft) -> Preferences:
    return known_preferences.values(draft.person.preferences)


def _match(
    draft: Draft, rulebook: Rulebook, trouble: str, subscriptions: SubscriptionNames
) -> None:
    content = draft.data.get("content")
    if known_preferences.is_late(draft.preferences_before, draft.happened_at):
        draft.ignore("no new change: a newer event has spoken of their preferences since")
        return
    defaults = subscriptions.defaults
    if COMPUTED_PREFERENCES in draft.person.attributes:
        defaults["topics"] = {}  # Customer.io has put them in already
    before = _before(draft, defaults)
    change = preferences.compare(before, _looked_up(draft), _stated(draft), defaults)
    is_open = change.word == preferences.UNKNOWN and not _stated(draft) and not draft.is_looked_up
    is_comparable = any(before.values())  # without earlier preferences a look-up shows no change
    if is_open and is_comparable and trouble and not lookups.is_never_possible():
        _wait_for_profile(draft, trouble)
        return
    draft.channels = change.channels
    draft.detail = _detail(change, subscriptions)
    draft.ask(rulebook, preferences=change.as_fact(content))


def _before(draft: Draft, defaults: Preferences) -> Preferences:
    """The state before the event, with the defaults where somebody is known not to have chosen."""
    known, moment = draft.preferences_before, draft.happened_at
    before = known_preferences.as_of(known, moment)
    is_whole = known_preferences.is_whole(known, moment)
    if not before and not is_whole:
        seen, stated = known_preferences.values(known), _stated(draft)
        # A look-up was faster than this event. If it shows what the event states, it tells nothing
        # of before; if it shows anything else, that is what the event changed.
        if seen and (not stated or preferences.change(seen, seen, stated) != preferences.UNKNOWN):
            before, is_whole = seen, True
    never_chose = draft.fetched_before is not None and not known
    if not (is_whole or never_chose):
        return before
    return merged(defaults, before)


def _detail(change: preferences.Change, subscriptions: SubscriptionNames) -> str:
    if change.word in (preferences.CHANNEL_OFF, preferences.CHANNEL_ON):
        return subscriptions.words(channels=change.channels)
    return subscriptions.words(topics=change.topics, channels=change.channels)


def _wait_for_profile(draft: Draft, trouble: str) -> None:
    """Put the event off until a look-up shows whether it is an opt-out, for a day at most."""
    since = draft.event.put_off_at
    if since is None or since > database_now() - PATIENCE:
        draft.put_off(f"waits: only the profile shows whether they opted out, and {trouble}")
    else:
        draft.ignore(
            "no churn signal, as far as is known: only the profile shows whether they opted out, "
            f"and for a day it could not be looked up ({trouble}). Reprocess the event once "
            "look-ups work again"
        )
