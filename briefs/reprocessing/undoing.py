"""Takes back what a job did with open briefs, for those that were not touched since.

Touched means: a further signal, entry of the log or comment. An answer from Mave is none; what was
paid for it stays paid, and other briefs can share it.
"""

from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from briefs.models import Activity, Brief, ReprocessedBrief, ReprocessingJob
from briefs.pipeline import remapping
from briefs.research import requeuing
from personas.models import Customer, Persona

Change, Undone = ReprocessedBrief.Change, ReprocessedBrief.Undone
# What a withdrawal changed: nobody had touched the brief.
_OPEN: dict[str, Any] = {
    "state": Brief.State.NEW, "outcome": "", "closing_note": "", "closed_at": None,
    "step_at_closing": None,
}  # fmt: skip


def kept(was: dict[str, Any]) -> dict[str, Any]:
    """These fields for JSON: of moments every microsecond, of amounts every digit."""
    return {
        name: str(value) if isinstance(value, datetime | Decimal) else value
        for name, value in was.items()
    }


def left(job: ReprocessingJob) -> QuerySet[ReprocessedBrief]:
    """What the job is still to undo."""
    changed = ReprocessedBrief.objects.filter(job=job.undoes_id).exclude(change=Change.LEFT)
    return changed.filter(undone="")


def undo_batch(job: ReprocessingJob, size: int) -> tuple[list[int], Counter[str]]:
    """Undo the next ones; returns which briefs, and how many came to what. Needs a transaction."""
    rows = left(job).filter(brief__gt=job.last_id).order_by("brief").select_related("brief")
    parts = list(rows[:size])
    keys = [part.brief_id for part in parts]
    # As the pipeline does before it opens a brief.
    people = Customer.objects.filter(pk__in=[part.brief.customer_id for part in parts])
    list(people.order_by("pk").select_for_update().values_list("pk", flat=True))
    locked = Brief.objects.filter(pk__in=keys).order_by("pk").select_for_update(of=("self",))
    briefs = {brief.pk: brief for brief in locked}
    for part in parts:
        part.undone = Undone.UNDONE
    _leave_changed(parts, briefs)
    _leave_of_another_open(parts, briefs)
    back = [part for part in parts if part.undone == Undone.UNDONE]
    _restore(job, [(part, briefs[part.brief_id]) for part in back])
    by_outcome: dict[str, list[int]] = defaultdict(list)
    for part in parts:
        by_outcome[part.undone].append(part.pk)
    for undone, some in by_outcome.items():
        ReprocessedBrief.objects.filter(pk__in=some).update(undone=undone)
    return keys, Counter(str(Undone(part.undone).label) for part in parts)


def _leave_changed(parts: list[ReprocessedBrief], briefs: dict[int, Brief]) -> None:
    touch = remapping.touches(briefs)
    known = set(Persona._base_manager.values_list("pk", flat=True))
    for part in parts:
        is_same = part.touch == touch.get(part.brief_id)
        if not is_same or part.was["persona_id"] not in known:
            part.undone = Undone.CHANGED


def _leave_of_another_open(parts: list[ReprocessedBrief], briefs: dict[int, Brief]) -> None:
    customers = {brief.customer_id for brief in briefs.values()}
    open_ = Brief.objects.open().filter(customer__in=customers)
    with_open = dict(open_.values_list("customer", "pk"))
    for part in parts:
        customer = briefs[part.brief_id].customer_id
        if with_open.get(customer, part.brief_id) != part.brief_id:
            part.undone = Undone.ANOTHER_OPEN


def _restore(job: ReprocessingJob, back: list[tuple[ReprocessedBrief, Brief]]) -> None:
    fields = {*remapping.FIELDS}
    for part, brief in back:
        was = {**part.was, **(_OPEN if part.change == Change.WITHDRAWN else {})}
        for name, value in was.items():
            setattr(brief, name, _read(name, value))
    joined = requeuing.queue_again([brief for _, brief in back])
    for part, brief in back:
        for name, value in joined.get(brief.pk, {}).items():
            setattr(brief, name, value)
        also = _OPEN if part.change == Change.WITHDRAWN else {}
        brief.save(update_fields={*fields, *also})
    Activity.objects.bulk_create(
        Activity(brief=brief, text=f"undid it: {_words(part)}", actor=job.actor)
        for part, brief in back
    )


def _read(name: str, value: Any) -> Any:
    """The value of a field, from JSON."""
    field: Any = Brief._meta.get_field(name)
    return value if field.get_internal_type() == "JSONField" else field.to_python(value)


def _words(part: ReprocessedBrief) -> str:
    before = part.before
    return f"persona {before['persona']} and priority {before['priority']} are as before"
