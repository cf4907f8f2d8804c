"""Keeps the values of customers and briefs true: read anew when the team's terms change.

The sweep goes on where it stopped: `ValueReading` says how far that is. Priorities stay as they
are until somebody has them judged anew: see `reprioritizing`.
"""

import time
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from statistics import median

from django.db import connection, models, transaction
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now

from briefs.models import Brief, PersonaMedian, Yardstick
from personas.models import Customer, Persona, Terms, ValueReading, names
from personas.models.value import WORTH
from personas.models.writing import write
from webhooks.clock import database_now

SECONDS = 5.0  # in one sweep, which also does other work; the next sweep continues
BATCH = 500
PAUSE_SECONDS = 0.12  # between two on SQLite, so that the receiver can store events
COUNT_EVERY = timedelta(minutes=10)
NEWEST = 5_000  # briefs by which medians are counted
LOOKED_UP_WITHIN = timedelta(hours=1)
_RAISED = "revision = revision + 1"


def catch_up() -> int:
    """Read values anew as far as the time allows; returns how many customers were read."""
    done, stop_at = 0, time.monotonic() + SECONDS
    if not ValueReading.is_done(Terms.load().fingerprint):
        while time.monotonic() < stop_at and (read := _next_batch()) is not None:
            done += read
            if connection.vendor == "sqlite":
                time.sleep(PAUSE_SECONDS if read else 0)
    _follow_look_ups()
    count_medians()
    return done


@transaction.atomic
def _next_batch() -> int | None:
    """Read the next customers and their briefs anew; None if none is left."""
    row = ValueReading.locked()
    terms = Terms.load()  # under the lock: a worker with the terms of before cannot begin anew
    row.go_by(terms.fingerprint)
    if row.finished_at:
        return None
    rows = Customer.objects.filter(pk__gt=row.done_to).order_by("pk")
    if row.since:
        rows = rows.filter(fetched_at__gte=row.since)
    columns = ("attributes", "sort_name", *WORTH)
    customers = list(rows.only(*columns).select_for_update()[:BATCH])
    if customers:
        _read_anew(customers, terms)
        row.reached(customers[-1].pk)
    else:
        row.end_round()
    return len(customers)


def _read_anew(customers: list[Customer], terms: Terms) -> None:
    before = {customer.pk: customer.worth for customer in customers}
    changed = []
    for customer in customers:
        name, worth = names.sorted_by(customer.attributes), terms.read(customer.attributes)
        if (customer.sort_name, customer.worth) != (name, worth):
            customer.sort_name = name
            for column, value in worth.items():
                setattr(customer, column, value)
            changed.append(customer)
    write(Customer, ("sort_name", *WORTH), changed)
    briefs = Brief.objects.filter(customer__in=before).order_by("pk").select_for_update()
    by_key = {customer.pk: customer for customer in customers}
    _give([brief for brief in briefs if _follows(brief, before[brief.customer_id])], by_key)


def _follows(brief: Brief, before: dict[str, object]) -> bool:
    """Whether the customer's worth is the brief's: a closed one may tell of another time."""
    return brief.is_open or brief.value_month is None or brief.worth == before


def _give(briefs: list[Brief], customers: dict[int, Customer]) -> None:
    """Let locked briefs have their customers' worth; those that have it already stay."""
    yardstick, changed = Yardstick.load(), []
    for brief in briefs:
        before = (brief.worth, brief.value_sort)
        yardstick.value(brief, customers[brief.customer_id])
        if before != (brief.worth, brief.value_sort):
            changed.append(brief)
    write(Brief, ("value_sort", *WORTH), changed, also=_RAISED)


@transaction.atomic
def _follow_look_ups() -> None:
    """Let open briefs have what a look-up without a signal has found, such as one by hand."""
    recently = Q(customer__fetched_at__gte=Now() - LOOKED_UP_WITHIN)
    differs = Q()
    for name in WORTH:
        there = f"customer__{name}"
        is_null, is_null_there = Q(**{f"{name}__isnull": True}), Q(**{f"{there}__isnull": True})
        differs |= (is_null ^ is_null_there) | (~is_null & ~Q(**{name: F(there)}))
    found = Brief.objects.open().filter(recently, differs).order_by("pk")
    briefs = list(found.select_related("customer").select_for_update(of=("self",))[:BATCH])
    _give(briefs, {brief.customer_id: brief.customer for brief in briefs})


@transaction.atomic
def count_medians(*, at_once: bool = False) -> None:
    """Count the personas' medians, at most every ten minutes, and place unknown values by them."""
    row, now = ValueReading.locked(), database_now()
    if row.counted_at and row.counted_at > now - COUNT_EVERY and not at_once:
        return
    row.counted_at = now
    row.save(update_fields=["counted_at"])
    known: dict[int | None, list[Decimal]] = defaultdict(list)
    # Not "the newest of those with a value": where there are none, that would read them all.
    newest = Brief.objects.order_by("-created_at").values_list("persona", "value_month")[:NEWEST]
    for persona, month in newest:
        if month is not None:
            known[persona].append(month)
            known[None].append(month)
    PersonaMedian.objects.all().delete()
    PersonaMedian.objects.bulk_create(
        PersonaMedian(persona_id=key, month=round(median(months), 2))
        for key, months in known.items()
    )
    _place_unknown()


def _place_unknown() -> None:
    """Sort open briefs of unknown value after their personas' medians of now."""
    yardstick = Yardstick.load()
    places = Case(
        *(
            When(persona=key, then=Value(yardstick.place(key, None)))
            for key in Persona.objects.values_list("pk", flat=True)
        ),
        default=Value(yardstick.place(0, None)),
        output_field=Brief._meta.get_field("value_sort"),
    )
    rows = Brief.objects.open().filter(value_month=None).annotate(place=places)
    others = rows.exclude(value_sort=F("place")).order_by("pk")
    keys = list(
        others.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)
    )
    for start in range(0, len(keys), BATCH):
        some = Brief.objects.filter(pk__in=keys[start : start + BATCH])
        # Past Brief's own update: nobody sees this number, so no revision is raised.
        models.QuerySet.update(some, value_sort=places)
