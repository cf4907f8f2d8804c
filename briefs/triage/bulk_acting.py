"""Doing to many briefs what a person would do to each: assign, snooze, log a contact, close.

Batch after batch is locked and changed in a transaction of its own, so that no other person and no
worker waits long. Each brief gets the same entry in its log as if it had been done alone, with the
number of the others. What was left out, and why, stands in the parts of the act.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from briefs.models import Activity, Brief, BulkAct, BulkPart, Calendar, ContactLog
from briefs.models.bulk import note_done, set_status
from briefs.notifying import personal
from briefs.reading import first_steps
from briefs.triage import bulk, contacting, freshness, snoozing
from briefs.triage.bulk import Status
from briefs.triage.closing import Ending
from briefs.triage.contacting import Contact
from briefs.triage.snoozing import Snooze, Until

Do = Callable[[list[Brief], Any], None]  # to these locked briefs, for the person as it is now
_ASLEEP = ("state", "snoozed_until", "is_snoozed_for_signal")
# By kind: the fields that the act may change. The undo puts them back.
CHANGED = {
    BulkAct.Kind.ASSIGN: ("assignee_id", *_ASLEEP),
    BulkAct.Kind.SNOOZE: ("due_at", "due_moved_at", *_ASLEEP),
    BulkAct.Kind.CONTACT: ("assignee_id", "first_touch_at", "due_at", "due_moved_at", *_ASLEEP),
    BulkAct.Kind.CLOSE: (
        "outcome", "closing_note", "closing_reason_id", "offer_id", "offer_percent", "offer_words",
        "is_persona_wrong", "step_at_closing", "closed_at", "is_waiting_for_profile",
        "assignee_id",  # stays, but that person may leave, and closed briefs are not released
        *_ASLEEP,
    ),
}  # fmt: skip


def assign(act: BulkAct, actor: Any, to: Any) -> bool:
    """Give them to somebody who may work on briefs; False if this act was begun before.

    Raises ValidationError and PermissionDenied, as the others do.
    """
    if not to.has_perm(bulk.PERMISSION):
        raise ValidationError({"to": "This person does not work on briefs."})
    together = _together(act, to)

    def do(briefs: list[Brief], actor: Any) -> None:
        _all(briefs).assign(to, actor, together)

    return _carry_out(act, actor, do, to)


def snooze(act: BulkAct, actor: Any, wanted: Snooze) -> bool:
    calendar = Calendar.load()
    day = snoozing.wakes_on(wanted, calendar, is_moved=bulk.is_any_moved(act))
    words = snoozing.words(wanted, day) + _together(act)
    until, due_at = calendar.opening(day), calendar.closing(calendar.working_day_from(day))
    for_signal = wanted.until == Until.SIGNAL

    def do(briefs: list[Brief], actor: Any) -> None:
        _all(briefs).snooze(until, words, actor, due_at, wanted.code, for_signal=for_signal)

    return _carry_out(act, actor, do)


def log(act: BulkAct, actor: Any, contact: Contact) -> bool:
    calendar = Calendar.load()
    contacting.refuse_incomplete(contact, calendar, is_moved=bulk.is_any_moved(act))
    words = f"logged contact: {contact.words}{_together(act)}"
    due_at = contacting.due_at(contact, calendar)

    def do(briefs: list[Brief], actor: Any) -> None:
        logs = ContactLog.objects.bulk_create(contact.entry(brief, actor) for brief in briefs)
        by_brief = {one.brief_id: one for one in logs}
        parts = list(act.parts.filter(brief__in=briefs))
        for part in parts:
            part.contact = by_brief[part.brief_id]
        BulkPart.objects.bulk_update(parts, ["contact"])
        _all(briefs).contacted(words, actor, due_at, contact.code)

    return _carry_out(act, actor, do)


def close(act: BulkAct, actor: Any, ending: Ending) -> bool:
    """Each brief keeps what it said was to be done first."""
    ending.refuse_incomplete()
    also = {"is_persona_wrong": True} if ending.is_persona_wrong else {}
    words = ending.briefly + _together(act)

    def do(briefs: list[Brief], actor: Any) -> None:
        fields = {**ending.fields, **also}
        steps = first_steps.steps_at_closing(briefs)
        for same in bulk.alike(briefs, lambda brief: steps[brief.pk]):
            step = steps[same[0].pk]
            _all(same).close(
                ending.outcome, ending.note, actor, words, step_at_closing=step, **fields
            )
        if ending.is_persona_wrong:
            said = "said that the persona was wrong"
            Activity.objects.bulk_create(
                Activity(brief=brief, text=said, actor=actor) for brief in briefs
            )

    return _carry_out(act, actor, do)


ACTS: dict[str, Callable[..., bool]] = {
    BulkAct.Kind.ASSIGN: assign, BulkAct.Kind.SNOOZE: snooze, BulkAct.Kind.CONTACT: log,
    BulkAct.Kind.CLOSE: close,
}  # fmt: skip


def _carry_out(act: BulkAct, actor: Any, do: Do, to: Any = None) -> bool:
    """Let `do` be done to what was chosen, by the person who chose it."""
    bulk.refuse_unable(actor)
    if act.actor_id != actor.pk or not act.begin():
        return False
    keys = act.parts.filter(status=Status.CHOSEN).order_by("brief").values_list("brief", flat=True)
    try:
        for some in bulk.batches(list(keys)):
            _batch(act, actor, some, do, to)
    finally:
        # Also of an act that broke off: what was done until then can be undone.
        if not connection.needs_rollback:
            act.end()
    return True


@transaction.atomic
def _batch(act: BulkAct, actor: Any, keys: Sequence[int], do: Do, to: Any) -> None:
    people = freshness.locked_people(*filter(None, (actor, to)))
    for person in people:
        bulk.refuse_unable(person)
    related = Brief.objects.select_related("customer", "persona")
    locked = related.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
    briefs = {brief.pk: brief for brief in locked}
    taken: list[Brief] = []
    parts = list(act.parts.filter(brief__in=briefs, status=Status.CHOSEN))
    left_out: dict[str, list[BulkPart]] = defaultdict(list)
    for part in parts:
        brief = briefs[part.brief_id]
        if why := _why_left_out(part, brief, to):
            left_out[why].append(part)
            continue
        taken.append(brief)
        part.was = {name: _kept(getattr(brief, name)) for name in CHANGED[BulkAct.Kind(act.kind)]}
    for why, some in left_out.items():
        set_status(some, why)
    if taken:
        BulkPart.objects.bulk_update([part for part in parts if part.was], ["was"])
        do(taken, people[0])
        note_done(act, [brief.pk for brief in taken])
        if to is not None:  # with each batch: the process may be ended before the next one
            personal.tell_of_bulk(act, to, bulk.number(act, Status.DONE))


def _why_left_out(part: BulkPart, brief: Brief, to: Any) -> str:
    if not brief.is_open:
        return Status.CLOSED
    if brief.revision != part.revision:
        return Status.CHANGED
    if to is not None and brief.assignee_id == to.pk:
        return Status.SAME
    return ""


def _kept(value: Any) -> Any:
    """For JSON, with every microsecond of a moment."""
    return value.isoformat() if isinstance(value, datetime) else value


def _all(briefs: Sequence[Brief]) -> Any:
    return Brief.objects.filter(pk__in=[brief.pk for brief in briefs])


def _together(act: BulkAct, to: Any = None) -> str:
    """For the log: that it was done to others as well. `to`: whose briefs are left out."""
    chosen = act.parts.filter(status=Status.CHOSEN)
    if to is not None:
        chosen = chosen.exclude(brief__assignee=to.pk)
    others = chosen.count() - 1
    if others < 1:
        return ""
    return f" (together with {others:,} other brief{'' if others == 1 else 's'})"
