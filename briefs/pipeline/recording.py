"""Writes what drafts led to: subscription state, signals, briefs, and their research.

Runs inside the transaction that ends the events. Customers are locked in order of their keys,
so that two workers cannot open two briefs for one person.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db.models.functions import Now

from briefs.models import Activity, Brief, Signal
from briefs.models.priority import Judgement
from briefs.models.turns import assign_by_persona
from briefs.notifying import outbox, personal
from briefs.pipeline import batches, profiles, rereading
from briefs.pipeline.batches import Batch
from briefs.pipeline.drafts import PROCESSED, Draft
from briefs.pipeline.inserting import insert
from briefs.reading.deadlines import Deadlines
from briefs.research import sharing
from personas.models import Customer, Effect, SignalKind
from personas.models.signals import Level
from personas.models.value import WORTH
from personas.models.writing import write
from personas.rules.recipients import addresses
from providers.addresses import address_of, channel_of, without_credentials
from webhooks.clock import database_now
from webhooks.models import WebhookEvent

# What a further signal may change in an open brief.
JOINED = ("priority", "priority_reasons", "happened_at", "due_at", "value_sort", *WORTH)


def record(drafts: list[Draft]) -> int:
    """Insert what the drafts caused and put each one's outcome into words.

    Returns how many new questions wait for Mave. Needs an open transaction.
    """
    past, all_drafts = rereading.look_back(drafts), drafts
    drafts = sorted(
        (d for d in drafts if d.status == PROCESSED and d.customer),
        key=lambda d: (d.happened_at, d.event.pk),
    )
    if not drafts:
        return rereading.settle(past, all_drafts, [])
    batch = batches.read(drafts, past)
    signals = [_signal(draft, batch) for draft in drafts]
    for signal in signals:
        if signal.kind == SignalKind.CHANNEL_OPT_IN:
            batch.opt_ins[signal.customer_id].append(signal)
    _update_subscriptions(drafts, batch)
    for draft, signal in zip(drafts, signals, strict=True):
        signal.brief = _choose_brief(draft, signal, batch)
    new = [*batch.opened, *batch.mapped.values()]
    assigned = assign_by_persona(new)
    asked = sharing.attach(new)
    now = database_now()
    deadlines = _deadlines(batch, signals)
    returned = _begin(batch, deadlines, now)
    _end_due(batch, deadlines, now)
    insert(batch.opened)
    write(Brief, JOINED, batch.joined.values(), also="revision = revision + 1")
    profiles.save(batch.mapped.values())
    Brief.objects.filter(pk__in=batch.joined).update(last_signal_at=Now())
    _write_causes(batch)
    _wake(batch, deadlines, now)
    _raise_revisions(signals, batch)
    sharing.hurry(batch.raised)
    _save(signals, now)
    _log(drafts, signals, batch, now, [*assigned, *returned])
    outbox.tell_of_briefs([*batch.opened, *batch.mapped.values(), *batch.raised])
    personal.tell_assigned([entry.brief for entry in assigned])
    return asked + rereading.settle(past, all_drafts, signals)


def _deadlines(batch: Batch, signals: list[Signal]) -> Deadlines:
    """Of all briefs that are open when the batch is written."""
    for brief in batch.briefs.values():
        brief.customer = batch.customers[brief.customer_id]
    return Deadlines(batch.briefs.values(), signals)


def _begin(batch: Batch, deadlines: Deadlines, now: datetime) -> list[Activity]:
    """Begin the new briefs: when they are due, and which brief they return from, for the log."""
    if not batch.opened:
        return []
    before = Brief.objects.closed_lately(brief.customer_id for brief in batch.opened)
    entries = []
    for brief in batch.opened:
        brief.created_at = brief.last_signal_at = now
        if not brief.is_waiting_for_profile:
            brief.due_at = deadlines.of(brief, now)
        last = before.get(brief.customer_id)
        if last and last.was_closed_before(brief.happened_at):  # else the act is no new one
            brief.returned_from = last
            words = f"returned: brief {last.pk} had ended as {last.get_outcome_display()}"
            entries.append(Activity(brief=brief, at=now, text=words))
    return entries


def _end_due(batch: Batch, deadlines: Deadlines, now: datetime) -> None:
    """Let nothing be due of open briefs of which this batch closed the last channel of a step.

    A contact that was made, and a date that a person chose, stay. Saves nothing.
    """
    for brief in batch.joined.values():
        is_untouched = not brief.due_moved_at and not brief.first_touch_at
        if brief.due_at and is_untouched and deadlines.of(brief, now) is None:
            brief.due_at = None


def _write_causes(batch: Batch) -> None:
    by_cause: dict[int, list[int]] = defaultdict(list)
    for key, cause in batch.caused.items():
        by_cause[cause.pk].append(key)
    for cause_key, keys in by_cause.items():
        Brief.objects.filter(pk__in=keys, cause=None).update(cause=cause_key)


def _wake(batch: Batch, deadlines: Deadlines, now: datetime) -> None:
    """Wake the snoozed briefs whose customer acted; the time for the first step begins anew."""
    if not batch.woken:
        return
    woken = [brief for brief in batch.briefs.values() if brief.pk in batch.woken]
    alike: dict[tuple[str, datetime | None], list[int]] = defaultdict(list)
    for brief in woken:
        alike[batch.woken[brief.pk], deadlines.of(brief, now)].append(brief.pk)
    for (why, due_at), keys in alike.items():
        Brief.objects.filter(pk__in=keys).wake(why, due_at=due_at, due_moved_at=None)
    personal.tell_woken(woken, batch.woken, now)


def _signal(draft: Draft, batch: Batch) -> Signal:
    """The event's signal: a new one, or that of an earlier run, updated by today's rules."""
    rule = draft.rule
    fields = {
        "customer": batch.customers[draft.person.pk],
        "rule": rule,
        "kind": rule.kind,
        "detail": draft.detail[:300],
        "effect": rule.effect,
        "severity": rule.severity,
        "level": draft.level,
        "persona": draft.persona_match.persona if draft.persona_match else None,
        "happened_at": draft.happened_at,
        "message": {
            **describe_message(draft.event.object_type, draft.data),
            **draft.turned,
            **_stated(draft.event),
        },
        "why": draft.why,
        "rules_version": draft.rule_match and draft.rule_match.version,
    }
    signal = batch.signals.get(draft.event.pk)
    if signal is None:
        return Signal(event=draft.event, **fields)
    past = batch.past.get(draft.event.pk)
    if past and past.is_closed and not past.is_echo:
        del fields["customer"]  # it stays with its brief
    for name, value in fields.items():
        setattr(signal, name, value)
    return signal


def _stated(event: WebhookEvent) -> dict[str, str]:
    """What the event says of its time, where that cannot be so and its receipt counts."""
    return {"stated_time": event.stated_time} if event.stated_time else {}


MESSAGE_KEYS = (
    "campaign_name", "campaign_id", "broadcast_name", "broadcast_id", "newsletter_name",
    "newsletter_id", "transactional_message_id", "subject", "failure_message", "delivery_id",
    # Kept for figures: which action and which variant sent it, long after the body is gone.
    "action_id", "parent_action_id", "content_id", "template_id", "journey_id", "trigger_id",
)  # fmt: skip


def describe_message(object_type: str, data: dict[str, Any]) -> dict[str, str]:
    """What a reader wants to know about the message: channel, campaign, subject, failure."""
    described = {
        key: without_credentials(str(data[key]))[:500]
        for key in MESSAGE_KEYS
        if isinstance(data.get(key), str | int) and not isinstance(data[key], bool)
    }
    if object_type and object_type != "customer":
        described["channel"] = channel_of(object_type, data.get("recipient"))
    sent_to = data.get("recipient")
    if object_type == "email" and isinstance(sent_to, str):  # perhaps with a copy to others
        described["recipient"] = ", ".join(addresses(sent_to))
    else:
        described["recipient"] = address_of(object_type, sent_to)
    return {key: value.replace("\0", "") for key, value in described.items() if value}


def _update_subscriptions(drafts: list[Draft], batch: Batch) -> None:
    changed = {}
    for draft in drafts:
        kind = draft.rule.kind
        if draft.level == Level.PERSON and kind in (SignalKind.UNSUBSCRIBED, SignalKind.SUBSCRIBED):
            customer = batch.customers[draft.person.pk]
            if customer.learn_subscription(kind == SignalKind.UNSUBSCRIBED, draft.happened_at):
                changed[customer.pk] = customer
    Customer.objects.all().save_subscriptions(changed.values())


def _choose_brief(draft: Draft, signal: Signal, batch: Batch) -> Brief | None:
    """Find or open the brief of this signal, and write in the draft's reason which it is."""
    past = batch.past.get(draft.event.pk)
    if signal.brief is not None and (past is None or past.keeps_its_brief(draft)):
        # An earlier run of this event found or opened it. Perhaps at another time: see
        # `batches.read`.
        batch.recent[signal.customer_id].append(signal)
        brief = batch.briefs.get(draft.person.pk)
        is_mapped = (
            brief == signal.brief and draft.opens_brief and _map_by_profile(brief, draft, batch)
        )
        also = ", which has a persona now" if is_mapped else ""
        also = ", which is closed and stays as it is" if past and past.is_closed else also
        draft.reason = f"already led to brief {signal.brief.pk}{also}: {signal.why}"
        return signal.brief
    signal.same_act_as = None
    echo_of = _earlier_report(signal, batch)
    if echo_of:
        signal.same_act_as = echo_of
        draft.reason = f"the same act as reported by another event, no second brief: {signal.why}"
        _note_cause(batch.briefs.get(draft.person.pk), echo_of, draft, batch)
        return echo_of.brief
    batch.recent[draft.person.pk].append(signal)
    if _is_outdated(signal):
        draft.reason = f"no brief, because they have subscribed again since · {signal.why}"
        return batch.briefs.get(draft.person.pk)
    if signal.is_undone_by(batch.opt_ins[signal.customer_id]):
        draft.reason = f"no brief, because they have turned it on again since · {signal.why}"
        return batch.briefs.get(draft.person.pk)
    if draft.rule.effect in (Effect.OPENS_BRIEF, Effect.GOOD_NEWS):  # no echo: see above
        _note_awake(batch.briefs.get(draft.person.pk), signal, batch)
    if not draft.opens_brief:
        draft.reason = f"{_why_no_brief(draft)} · {signal.why}"
        # If a brief is open, its timeline also shows good news and the like.
        return batch.briefs.get(draft.person.pk)
    brief = batch.briefs.get(draft.person.pk)
    if brief is not None:
        _join(brief, draft, signal, batch)
        draft.has_joined = True
        draft.reason = f"joined the customer's open brief: {signal.why}"
        return brief
    brief = _open(draft, signal, batch)
    waiting = ", waiting for the profile" if brief.is_waiting_for_profile else ""
    draft.reason = f"opened a brief{waiting}: {signal.why}"
    return brief


def _note_awake(brief: Brief | None, signal: Signal, batch: Batch) -> None:
    """A new act and good news wake a brief that is snoozed."""
    if brief is not None and brief.state == Brief.State.SNOOZED:
        batch.woken.setdefault(brief.pk, f"woke up: {signal.title}")


def _note_cause(brief: Brief | None, act: Signal, draft: Draft, batch: Batch) -> None:
    """The first report of an act often names no message, and the second one does."""
    if brief is None or brief != act.brief or brief.cause_id or draft.cause is None:
        return
    if brief.kind == draft.cause.kind:
        brief.cause = draft.cause
        if brief.pk:
            batch.caused[brief.pk] = draft.cause


def _earlier_report(signal: Signal, batch: Batch) -> Signal | None:
    others = [
        s
        for s in batch.recent[signal.customer_id]
        if s is not signal and (s.pk is None or s.pk != signal.pk)
    ]
    acts = (s for s in others if not s.same_act_as)
    return next((s for s in acts if signal.is_same_act(s, others)), None)


def _is_outdated(signal: Signal) -> bool:
    """Whether this unsubscribe arrived late: a newer event says that they subscribed again."""
    customer = signal.customer
    return (
        signal.kind == SignalKind.UNSUBSCRIBED
        and customer.is_unsubscribed is False
        and customer.subscription_changed_at is not None
        and customer.subscription_changed_at > signal.happened_at
    )


def _why_no_brief(draft: Draft) -> str:
    words = {
        Effect.GOOD_NEWS: "good news, no brief",
        Effect.TIMELINE: "an entry on the timeline, no brief",
        Effect.NOTICE: "no brief: a notice for the engineer",
    }.get(Effect(draft.rule.effect))
    if words is None:
        return f"no brief, because persona “{draft.mapped.persona.name}” opens none"
    named = f": {draft.detail}" if draft.detail else ""
    return words + named + (f" ({draft.rule.note})" if draft.rule.note else "")


def _join(brief: Brief, draft: Draft, signal: Signal, batch: Batch) -> None:
    before = brief.priority
    _map_by_profile(brief, draft, batch)
    # The customer was looked up for this signal, and may be worth something else by now.
    batch.yardstick.value(brief, draft.person)
    brief.joined_by(_judged(draft, brief, batch), signal.happened_at)
    if brief.pk:
        batch.joined[brief.pk] = brief
        if brief.priority > before:
            brief.customer = signal.customer
            batch.raised.append(brief)


def _map_by_profile(brief: Brief, draft: Draft, batch: Batch) -> bool:
    """Map a brief that has the unknown persona, if this draft found the persona. True if mapped."""
    if not profiles.may_be_mapped(brief) or draft.mapped.persona.is_unknown:
        return False
    brief.customer = batch.customers[draft.person.pk]
    severity = batch.severities.get(brief.pk, draft.rule.severity)
    profiles.map_anew(brief, draft.mapped, severity, batch.yardstick)
    batch.mapped[brief.pk] = brief
    return True


def _open(draft: Draft, signal: Signal, batch: Batch) -> Brief:
    brief = Brief(
        customer=signal.customer,
        persona=draft.mapped.persona,
        persona_why=draft.mapped.why,
        rules_version=draft.mapped.version,
        question_facts=draft.mapped.question_facts,
        kind=draft.rule.kind,
        detail=signal.detail,
        is_waiting_for_profile=draft.is_waiting_for_profile,
        happened_at=signal.happened_at,
        cause=draft.cause,
    )
    batch.yardstick.value(brief, draft.person)
    brief.is_judged(_judged(draft, brief, batch))
    batch.briefs[signal.customer_id] = brief
    batch.opened.append(brief)
    return brief


def _judged(draft: Draft, brief: Brief, batch: Batch) -> Judgement:
    """How urgent this event makes the brief, which has the customer's worth by now."""
    persona = draft.mapped.persona
    return batch.yardstick.judge(draft.rule.severity, persona, draft.person, brief)


def _save(signals: Iterable[Signal], now: datetime) -> None:
    """Insert new signals, then the echoes that point to them; update those of earlier runs."""
    old = [signal for signal in signals if signal.pk]
    new = [signal for signal in signals if not signal.pk]
    for signal in new:
        signal.created_at = now
    insert([signal for signal in new if not signal.same_act_as])
    insert([signal for signal in new if signal.same_act_as])
    if old:
        fields = ("customer", "rule", "persona", "brief", "kind", "detail", "effect", "severity",
                  "level", "why", "message", "same_act_as", "happened_at",
                  "rules_version")  # fmt: skip
        Signal.objects.bulk_update(old, fields)


def _raise_revisions(signals: Iterable[Signal], batch: Batch) -> None:
    """Raise the revision of briefs that show a signal but were not saved because of it.

    These signals are good news, echoes, and those that were read anew. Such a brief may be closed,
    and closed ones are not locked by now: one that somebody else has locked is left to them, or two
    workers could deadlock. They change it, so they raise its revision.
    """
    saved = {brief.pk for brief in batch.opened} | batch.joined.keys() | batch.mapped.keys()
    shown = {
        signal.brief.pk
        for signal in signals
        if signal.brief and (signal.brief.is_open or not signal.pk)  # a closed one stays as it is
    } - saved
    if shown:
        free = Brief.objects.filter(pk__in=shown).order_by("pk").select_for_update(skip_locked=True)
        Brief.objects.filter(pk__in=list(free.values_list("pk", flat=True))).update()


def _log(
    drafts: list[Draft],
    signals: list[Signal],
    batch: Batch,
    now: datetime,
    more: list[Activity],
) -> None:
    """`more`: entries that come after those of opening."""
    activities = [
        Activity(brief=brief, at=now, text=f"opened: {brief.persona_why}") for brief in batch.opened
    ]
    for entry in more:
        entry.at = now
    activities += more
    for draft, signal in zip(drafts, signals, strict=True):
        if draft.has_joined and signal.brief:
            words = f"joined by a further signal: {signal.title}"
            activities.append(Activity(brief=signal.brief, at=now, text=words))
    insert(activities)
