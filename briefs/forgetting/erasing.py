"""Erases a person. Read it from the top:

    tombstones -> events -> texts that quote them -> customer, briefs and all about them

Tombstones come first, so that whatever arrives or is claimed from now on is emptied. Every step may
be repeated, and the customer goes last: an erasure that broke off is begun anew by the same
identifier. No step holds a lock for long, except on rows of this one person.
"""

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import Max

from briefs.finding.words import indexing
from briefs.forgetting import brief_tables, people, searching
from briefs.forgetting.quoting import Pattern, is_telling
from briefs.models import (
    Erasure,
    NotificationTarget,
    ReprocessingJob,
    SavingSegment,
    SearchIndex,
    SegmentMembership,
    TextChange,
)
from briefs.models.watching import WORDS
from briefs.saving import sharing
from personas.models import Customer
from providers.customerio_track import TrackApi, TrackFailed
from webhooks import personal, scrubbing
from webhooks.models import Tombstone, WebhookEvent
from webhooks.personal import Fate, Person, Quotes, Wanted

logger = logging.getLogger(__name__)

T = TypeVar("T")
AT_ONCE = 200  # events in one transaction: the receiver waits for a locked one
EVENTS = "webhooks.WebhookEvent"
DEADLOCK = "40P01"
TRIES = 3
MARKS = 5_000  # of changes whose documents are written at once; a task writes the others
PAGES = 200  # of the index of words that are joined at a time
PAUSE_SECONDS = 0.02


def count(person: Person, *, texts: bool = True) -> dict[str, int]:
    """How many rows of which table an erasure would delete, empty or change.

    texts: also search the texts that may quote the person, which reads whole tables.
    """
    events = events_of(person, texts=texts)
    counts = Counter({EVENTS: len(events)})
    for entry in personal.theirs():
        if entry.table != EVENTS:
            counts[entry.table] += entry.rows(person).count()
    if texts:
        counts += _numbers(_search(person, searching.find, events))
    return {table: number for table, number in sorted(counts.items()) if number}


def told(person: Person) -> list[str]:
    """Where present rules and settings name the person: only the team may change these."""
    patterns, places = Pattern.each(person), []
    for entry in personal.quotes():
        if entry.fate != Fate.TOLD:
            continue
        rows = {row.pk: row for row in searching.quoting(entry, patterns[entry.wanted])}
        if entry.wanted == Wanted.NAMING:
            places += [_place(row) for row in rows.values()]
            continue
        certain = searching.find(entry, patterns[Wanted.NAMING])  # another entry deletes these
        places += [
            f"{_place(row)}, unless it means somebody else"
            for key, row in rows.items()
            if key not in certain
        ]
    return places


def erase(person: Person, erasure: Erasure) -> Erasure:
    """Erase the person, and note in the row how much went. Call it outside a transaction."""
    _wipe_what_is_freed()
    since = TextChange.objects.aggregate(last=Max("pk"))["last"] or 0
    counts: Counter[str] = Counter()
    left = _walk(_bury(person), counts)
    while merged := _merged_meanwhile(person, erasure):
        person = merged
        left = _walk(_bury(person), counts)
    _write_documents(since)
    _tidy()
    erasure.end({table: number for table, number in counts.items() if number}, left)
    return erasure


def _walk(person: Person, counts: Counter[str]) -> list[str]:
    """Over all tables; returns what still names the person."""
    counts[EVENTS] += _empty_events(person)
    counts += _numbers(_search(person, searching.carry_out, events=set()))
    left = told(person)
    return left + _leave_segment(_again(lambda: _take(person, counts)))


def _merged_meanwhile(person: Person, erasure: Erasure) -> Person | None:
    """Who is to be erased by now, if the row became part of another before it was taken."""
    erasure.refresh_from_db(fields=["customer"])
    if erasure.customer in (None, *person.customers):
        return None
    customer = Customer.objects.filter(pk=erasure.customer or 0).first()
    return people.gather(customer) if customer else None


def events_of(person: Person, *, texts: bool = True) -> set[int]:
    """The keys of the person's events. Of those under a shared address, the others' stay.

    texts: also those that can be found only by reading bodies.
    """
    events = WebhookEvent.objects.all()
    own = set(events.filter(signal__customer__in=person.customers).values_list("pk", flat=True))
    # Some products give an address as the id. Where nothing came of such an event, no row says so.
    ids = {*person.identifiers.get("id", ()), *person.identifiers.get("email", ())}
    named = events.of_person({**person.identifiers, "id": ids}) - own
    others = set(
        events.filter(pk__in=named, signal__isnull=False)
        .exclude(signal__customer__in=person.customers)
        .values_list("pk", flat=True)
    )
    return own | (named - others) | (_quarantined(person) if texts else set())


def _quarantined(person: Person) -> set[int]:
    """Events that nobody could read have no identifiers: their bodies are searched."""
    pattern = Pattern.of(person)
    short = {
        (kind, value)
        for kind in ("cio_id", "id")
        for value in person.identifiers.get(kind, ())
        if not is_telling(value)
    }
    events = WebhookEvent.objects.filter(status=WebhookEvent.Status.QUARANTINED)
    found = set()
    for event in events.only("pk", "body").iterator(100):
        body = bytes(event.body)
        text = body.decode("utf-8", "replace")
        is_named = pattern.could_be_in(text) and pattern.finds(text)
        if is_named or (short and not short.isdisjoint(_ids_in(body))):
            found.add(event.pk)
    return found


def _ids_in(body: bytes) -> set[tuple[str, str]]:
    """Whatever could be an id, as a whole word."""
    return {one for named in scrubbing.named_in(body) for one in named.items()}


def _keys(person: Person) -> dict[str, set[Any]]:
    """By table: the rows that go as theirs, so that they are not counted twice."""
    found: dict[str, set[Any]] = {}
    for entry in personal.theirs():
        if entry.table != EVENTS:
            keys = entry.rows(person).values_list("pk", flat=True)
            found.setdefault(entry.table, set()).update(keys)
    return found


def _bury(person: Person) -> Person:
    """Put up tombstones, and again for what the person was called meanwhile."""
    while True:
        Tombstone.objects.all().put_up(person.identifiers)
        customer = Customer.objects.filter(pk__in=person.customers).first()
        again = people.gather(customer) if customer else person
        if again.identifiers == person.identifiers:
            return again
        person = again


def _empty_events(person: Person) -> int:
    """A worker that has one of them under its lease loses it, and writes nothing."""
    keys = sorted(events_of(person))
    for start in range(0, len(keys), AT_ONCE):
        some = WebhookEvent.objects.filter(pk__in=keys[start : start + AT_ONCE])
        _again(some.empty)
    return len(keys)


def _search(
    person: Person, work: Callable[[Quotes, Pattern, set[Any]], set[Any]], events: set[int]
) -> dict[str, set[Any]]:
    """By table: the keys of rows of others that quote the person, with which `work` was done.

    events: those of the person that are not emptied yet.
    """
    patterns, theirs = Pattern.each(person), _keys(person) | {EVENTS: events}
    found: dict[str, set[Any]] = defaultdict(set)
    for entry in personal.quotes():
        if entry.fate != Fate.TOLD:
            but = theirs.get(entry.table, set())
            found[entry.table] |= work(entry, patterns[entry.wanted], but)
    return found


def _numbers(found: dict[str, set[Any]]) -> Counter[str]:
    return Counter({table: len(keys) for table, keys in found.items()})


def _place(row: Any) -> str:
    """Where it is, without its words: they name the person."""
    words = f"{row._meta.verbose_name} {row.pk}"
    for above in ("persona", "rule", "owner"):
        if key := getattr(row, f"{above}_id", None):
            words += f" of {above} {key}"
    return words


@transaction.atomic
def _take(person: Person, counts: Counter[str]) -> list[SegmentMembership]:
    """All rows of the customer, in one transaction, under the locks of whoever could add one.

    They are taken in the order in which the pipeline, the outbox and the index take them.
    Returns the rows that said who is in Customer.io's segment of open briefs.
    """
    customers = Customer.objects.filter(pk__in=person.customers).order_by("pk")
    list(customers.select_for_update().values_list("pk", flat=True))
    briefs = brief_tables.briefs_of(person).order_by("pk")
    list(briefs.select_for_update(of=("self",)).values_list("pk", flat=True))
    list(NotificationTarget.objects.order_by("pk").select_for_update(no_key=True))
    list(SearchIndex.objects.select_for_update().values_list("pk", flat=True))
    in_segment = SegmentMembership.objects.filter(customer__in=person.customers)
    members = list(in_segment.select_related("customer"))
    taken: Counter[str] = Counter()
    for entry in personal.theirs():
        if entry.table == EVENTS:
            continue
        rows = entry.rows(person)
        if entry.empty:
            taken[entry.table] += entry.empty(rows, person)
        else:
            number = rows.count()
            rows.delete()
            taken[entry.table] += number
    # A dry run keeps examples in a worker's memory: it begins its batch anew without them.
    ReprocessingJob.objects.all().revoke()
    counts.update(taken)
    return members


def _leave_segment(members: list[SegmentMembership]) -> list[str]:
    """Take them out of Customer.io's segment of open briefs; says so if that failed."""
    segment = SavingSegment.objects.filter(pk=1).first()
    if not members or segment is None:
        return []
    api = TrackApi()
    try:
        for row in sharing.to_take_out(members):
            if row.identifier:
                kind, value = row.identifier
                api.remove(segment.segment_id, kind, [value])
    except TrackFailed:
        logger.warning("somebody erased was not taken out of the segment of open briefs")
        return ["Customer.io's segment of open briefs: the nightly comparison takes them out"]
    return []


@transaction.atomic
def _write_documents(since: int) -> None:
    """Of what was changed since that mark. While another worker writes documents, it does it."""
    if SearchIndex.taken() is None:
        return
    keys: dict[str, set[int]] = defaultdict(set)
    for kind, key in TextChange.objects.filter(pk__gt=since).values_list("kind", "key")[:MARKS]:
        keys[kind].add(key)
    indexing.write_customers(keys[TextChange.Kind.CUSTOMER])
    indexing.write_briefs(keys[TextChange.Kind.BRIEF])
    indexing.write_answers(keys[TextChange.Kind.RESEARCH])


def _again(work: Callable[[], T]) -> T:
    """Do it, and once more if PostgreSQL ended a deadlock by giving it up."""
    for _ in range(TRIES - 1):
        try:
            return work()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != DEADLOCK:
                raise
    return work()


def _wipe_what_is_freed() -> None:
    """SQLite leaves the bytes of what is deleted in its file, unless it is told not to."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def _tidy() -> None:
    """SQLite's index of words keeps those of a deleted document until its parts are joined.

    A little at a time: to join all at once would keep the receiver from its only writer.
    """
    if connection.vendor != "sqlite":
        return
    for table in WORDS.values():
        pages = -PAGES  # begin a new round, then go on with it until nothing is left to do
        while _merge(table, pages) > 1:
            pages = PAGES
            time.sleep(PAUSE_SECONDS)


def _merge(table: str, pages: int) -> int:
    """Join some parts of this index; returns how many rows that changed, at most 1 if none is left.

    https://sqlite.org/fts5.html#the_merge_command
    """
    statement = f"INSERT INTO {table} ({table}, rank) VALUES ('merge', {pages})"  # noqa: S608 - ours
    with connection.cursor() as cursor:
        before = cursor.execute("SELECT total_changes()").fetchone()[0]
        cursor.execute(statement)
        return int(cursor.execute("SELECT total_changes()").fetchone()[0] - before)
