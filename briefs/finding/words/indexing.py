"""Writes documents anew: of what triggers marked, and of all rows where the rules are new.

One worker at a time, in short transactions. A task does it within seconds (`operations.tasks`), and
the sweep makes good. While thousands of events wait it leaves the machine to them for a minute.
"""

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from typing import Any

from django.db import connection, models, transaction
from django.db.models import Max, Q
from django.db.models.functions import Now

from briefs.finding.words import documents, matching
from briefs.models import (
    Brief,
    BriefDocument,
    CustomerDocument,
    Research,
    ResearchDocument,
    SearchIndex,
    TextChange,
)
from personas.models import Customer
from webhooks.models import WebhookEvent

TASK = "briefs.tasks.index"
SECONDS = 20.0  # of one task
SWEEP_SECONDS = 5.0  # of one sweep, which also does other work
BATCH = 500
PAUSE_SECONDS = 0.12  # between two on SQLite, so that the receiver can store events
BUSY = 500  # events that wait: while there are more, documents wait for them
WAITS_AT_MOST = timedelta(minutes=1)
Kind = TextChange.Kind


def is_due() -> bool:
    return TextChange.objects.exists()


def run(seconds: float = SECONDS) -> int:
    """Write what is marked, until nothing is or the time is used up; returns how many marks.

    One batch only while an event is due: the worker that writes may be the one that it waits for.
    """
    stop_at, done = time.monotonic() + seconds, 0
    while time.monotonic() < stop_at and not _must_wait() and (taken := write_changes()):
        done += taken
        if _due_events(1):
            break
        _pause()
    return done


def sweep() -> None:
    """What no task has written, and the next of all rows while they are not all written."""
    run(SWEEP_SECONDS)
    if not _must_wait():
        build(SWEEP_SECONDS)


def _must_wait() -> bool:
    if _due_events(BUSY + 1) <= BUSY:
        return False
    return not TextChange.objects.filter(at__lt=Now() - WAITS_AT_MOST).exists()


def _due_events(most: int) -> int:
    return WebhookEvent.objects.all().due().values("pk")[:most].count()


def _pause() -> None:
    if connection.vendor == "sqlite":
        time.sleep(PAUSE_SECONDS)


@transaction.atomic
def write_changes() -> int:
    """Write the documents of the oldest marks; returns how many marks, 0 without any.

    0 too while another worker writes: of two writers the later one might have read earlier.
    """
    if SearchIndex.taken() is None:
        return 0
    marks = list(TextChange.objects.order_by("pk").values_list("pk", "kind", "key")[:BATCH])
    keys: dict[str, set[int]] = defaultdict(set)
    for _, kind, key in marks:
        keys[kind].add(key)
    write_customers(keys[Kind.CUSTOMER])
    theirs = Brief.objects.filter(customer__in=keys[Kind.CUSTOMER]).values_list("pk", flat=True)
    write_briefs(keys[Kind.BRIEF].union(theirs))
    write_answers(keys[Kind.RESEARCH])
    _mark(Brief.objects.filter(closing_reason__in=keys[Kind.REASON]))
    if keys[Kind.OFFER]:
        _mark(Brief.objects.exclude(offer=None))
    TextChange.objects.filter(pk__in=[pk for pk, _, _ in marks]).delete()
    return len(marks)


def _mark(briefs: models.QuerySet[Brief]) -> None:
    """Thousands may have been closed with a reason of another name: each batch takes some."""
    keys = briefs.order_by("pk").values_list("pk", flat=True)
    marks = (TextChange(kind=Kind.BRIEF, key=key) for key in keys)
    TextChange.objects.bulk_create(marks, batch_size=BATCH)


def write_briefs(keys: Collection[int]) -> None:
    found = documents.of_briefs(keys)
    _write(BriefDocument, keys, [(one.brief.pk, one.texts, one.columns) for one in found])


def write_customers(keys: Collection[int]) -> None:
    found = documents.of_customers(keys).items()
    _write(CustomerDocument, keys, [(key, texts, {}) for key, texts in found])


def write_answers(keys: Collection[int]) -> None:
    found = documents.of_answers(keys).items()
    _write(ResearchDocument, keys, [(key, texts, {}) for key, texts in found])


def _write(model: type[Any], keys: Collection[int], rows: list[Any]) -> None:
    """Those that are gone have no document any more: one may have been written since they went."""
    if gone := set(keys) - {key for key, _, _ in rows}:
        model.objects.filter(pk__in=gone).delete()
    if rows:
        matching.write(model, rows)


def forget(customer: int) -> None:
    """Take a person out: their document and those of their briefs.

    Whoever erases somebody calls it in the same transaction, after the rows are changed: what is
    left of them is written anew by the marks of that change.
    """
    CustomerDocument.objects.filter(pk=customer).delete()
    briefs = Brief.objects.filter(customer=customer)
    BriefDocument.objects.filter(pk__in=briefs.values("pk")).delete()


# All rows ----------------------------------------------------------------------------------------

_ALL: tuple[tuple[str, type[models.Model], Callable[[Collection[int]], None]], ...] = (
    ("briefs_below", Brief, write_briefs),  # first: what people look for
    ("research_below", Research, write_answers),
    ("customers_below", Customer, write_customers),
)


def is_built() -> bool:
    """Whether all documents are written, by the rules of now."""
    return SearchIndex.objects.filter(
        pk=1, rules=documents.rules(), finished_at__isnull=False
    ).exists()


def build(seconds: float) -> int:
    """Go on writing all documents, the newest first, if they are not; returns how many."""
    if is_built():
        return 0
    stop_at, done = time.monotonic() + seconds, 0
    while time.monotonic() < stop_at and (written := write_next()):
        done += written
        if _due_events(1):
            break
        _pause()
    return done


def build_all() -> Iterator[int]:
    """Write all documents that are still to be written; yields how many each batch wrote."""
    while (written := write_next()) is not None:
        yield written
        if not written:
            time.sleep(PAUSE_SECONDS)
        _pause()


def begin_anew() -> None:
    """Let all documents be written once more. Searches go on meanwhile, by those of before."""
    SearchIndex.objects.get_or_create(pk=1)
    SearchIndex.objects.filter(pk=1).update(rules="")


@transaction.atomic
def write_next() -> int | None:
    """Write the next documents of all rows; None if none is left, 0 while another worker writes."""
    row = SearchIndex.taken()
    if row is None:
        return 0
    _go_by(row, documents.rules())
    for name, model, write in _ALL:
        below = model._default_manager.filter(pk__lt=getattr(row, name)).order_by("-pk")
        if keys := list(below.values_list("pk", flat=True)[:BATCH]):
            write(keys)
            SearchIndex.objects.filter(pk=1).update(**{name: keys[-1]})
            return len(keys)
    SearchIndex.objects.filter(pk=1, finished_at=None).update(finished_at=Now())
    return None


def _go_by(row: SearchIndex, rules: str) -> None:
    if row.rules == rules:
        return
    highest = {name: _highest(model) + 1 for name, model, _ in _ALL}
    SearchIndex.objects.filter(pk=1).update(
        rules=rules, started_at=Now(), finished_at=None, **highest
    )
    row.refresh_from_db()


def _highest(model: type[models.Model]) -> int:
    return int(model._default_manager.aggregate(highest=Max("pk"))["highest"] or 0)


def left() -> int:
    """How many rows are still to be written."""
    row = SearchIndex.objects.filter(pk=1, rules=documents.rules()).first()
    below = {name: Q(pk__lt=getattr(row, name)) if row else Q() for name, _, _ in _ALL}
    return sum(model._default_manager.filter(below[name]).count() for name, model, _ in _ALL)
