"""Taking back a bulk act within its minute: each brief becomes what it was, as far as it can.

Briefs that somebody or Savedesk changed since stay as they are, and so do closed ones whose
customer has a new open brief, and those that would go back to somebody who left. What stands in
their logs stays, and an entry tells of the undo.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import F

from briefs.models import Activity, Brief, BulkAct, BulkPart, ContactLog
from briefs.models.bulk import set_status
from briefs.notifying import outbox, personal
from briefs.research import requeuing, working
from briefs.triage import bulk, freshness
from briefs.triage.bulk import Status
from personas.models import Customer


class Undoing(StrEnum):
    """What came of it."""

    UNDONE = "undone"  # some briefs may be left as they are: the parts say which
    ALREADY = "already"
    TOO_LATE = "too_late"


def undo(act: BulkAct, actor: Any) -> Undoing:
    """Whoever acted may take it back. Raises PermissionDenied.

    An undo that broke off goes on where it ended when it is asked for again.
    """
    bulk.refuse_unable(actor)
    if act.actor_id != actor.pk:
        return Undoing.TOO_LATE
    is_begun = act.undo()
    if not is_begun and not act.undone_at:
        return Undoing.TOO_LATE
    keys = act.parts.filter(status=Status.DONE).order_by("brief").values_list("brief", flat=True)
    left = list(keys)
    if not is_begun and not left:
        return Undoing.ALREADY
    for some in bulk.batches(left):
        _batch(act, actor, some)
    return Undoing.UNDONE


@transaction.atomic
def _batch(act: BulkAct, actor: Any, keys: Sequence[int]) -> None:
    found = act.parts.filter(brief__in=keys, status=Status.DONE)
    had_them = _assignees_before(found)
    actor, *had_them = freshness.locked_people(actor, *had_them)
    able = {person.pk for person in had_them if person.has_perm(bulk.PERMISSION)}
    _lock_customers(act, keys)
    locked = Brief.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
    briefs = {brief.pk: brief for brief in locked}
    parts = list(found.order_by("brief"))  # under the lock: the same undo may run elsewhere
    others = _customers_with_another(act, briefs.values())
    back: list[BulkPart] = []
    kept: dict[str, list[BulkPart]] = defaultdict(list)
    for part in (part for part in parts if part.brief_id in briefs):
        brief = briefs[part.brief_id]
        if brief.customer_id in others:
            kept[Status.ANOTHER_OPEN].append(part)
        elif brief.revision != part.revision:
            kept[Status.CHANGED_SINCE].append(part)
        elif (had := _assignee_before(part)) and had not in able:
            kept[Status.LEFT].append(part)
        else:
            back.append(part)
    for why, some in kept.items():
        set_status(some, why)
    _restore(act, actor, [(part, briefs[part.brief_id]) for part in back])
    # The assignee is told of the briefs that are still theirs.
    theirs = act.parts.filter(status__in=(Status.DONE, Status.CHANGED_SINCE, Status.LEFT))
    personal.tell_of_undone_bulk(act, theirs.count())


def _lock_customers(act: BulkAct, keys: Sequence[int]) -> None:
    """As the pipeline does, before it opens a brief."""
    if act.kind == BulkAct.Kind.CLOSE:
        # Not by a join: without statistics PostgreSQL may try each customer with each brief.
        found = list(Brief.objects.filter(pk__in=keys).values_list("customer", flat=True))
        customers = Customer.objects.filter(pk__in=found).order_by("pk")
        list(customers.select_for_update().values_list("pk", flat=True))


def _assignee_before(part: BulkPart) -> int | None:
    return (part.was or {}).get("assignee_id")


def _assignees_before(parts: Iterable[BulkPart]) -> list[Any]:
    people: Any = get_user_model()._default_manager
    return list(people.filter(pk__in={_assignee_before(part) for part in parts} - {None}))


def _customers_with_another(act: BulkAct, briefs: Iterable[Brief]) -> set[int]:
    """Only a closed brief's customer can have a new open one."""
    if act.kind != BulkAct.Kind.CLOSE:
        return set()
    customers = [brief.customer_id for brief in briefs]
    open_briefs = Brief.objects.open().filter(customer__in=customers)
    return set(open_briefs.values_list("customer", flat=True))


def _restore(act: BulkAct, actor: Any, back: list[tuple[BulkPart, Brief]]) -> None:
    parts, briefs = [part for part, _ in back], [brief for _, brief in back]
    joined = requeuing.queue_again(briefs) if act.kind == BulkAct.Kind.CLOSE else {}

    def fields(pair: tuple[BulkPart, Brief]) -> dict[str, Any]:
        part, brief = pair
        return {**(part.was or {}), **joined.get(brief.pk, {})}

    for same in bulk.alike(back, fields):
        Brief.objects.filter(pk__in=[brief.pk for _, brief in same]).update(
            **{name: _read(name, value) for name, value in fields(same[0]).items()}
        )
    if act.kind == BulkAct.Kind.CLOSE:
        Activity.keep_endings(briefs)
    if act.kind == BulkAct.Kind.CONTACT and act.begun_at:  # the contact log loses the note below
        Activity.keep_said(briefs, actor, act.begun_at)
    Activity.objects.bulk_create(
        Activity(brief=brief, actor=actor, text=f"undid it: {_undone(act)}") for brief in briefs
    )
    contacts = [part.contact_id for part in parts if part.contact_id]
    ContactLog.objects.filter(pk__in=contacts).delete()
    set_status(parts, Status.UNDONE)
    if act.kind in (BulkAct.Kind.CLOSE, BulkAct.Kind.ASSIGN) and act.begun_at:
        outbox.tell_after_all(briefs, act.begun_at)
    if act.kind == BulkAct.Kind.CLOSE:
        transaction.on_commit(working.wake, robust=True)


def _read(name: str, value: Any) -> Any:
    field: Any = Brief._meta.get_field(name)
    return field.to_python(value)


def _undone(act: BulkAct) -> str:
    return {
        BulkAct.Kind.ASSIGN: "it has the assignee of before",
        BulkAct.Kind.SNOOZE: "it sleeps as long as before",
        BulkAct.Kind.CONTACT: "no contact was made",
        BulkAct.Kind.CLOSE: "it is open as before",
    }[BulkAct.Kind(act.kind)]


def forget() -> None:
    """Delete acts of which no page tells any more, and end those that broke off."""
    BulkAct.objects.broken_off().update(done_at=F("begun_at"))  # too late for an undo
    BulkAct.objects.over().delete()
