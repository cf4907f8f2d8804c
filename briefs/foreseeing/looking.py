"""Whom an edit of the rules is tried on: people of the last 30 days, with what they did.

Two kinds of people: those with signals that may open a brief, and, of the kinds of event whose
rules change, those whose events led to no such signal. Both are read newest first, up to a limit,
and of many people only some are looked at, chosen by a hash: a second look a minute later sees the
same people.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zlib import crc32

from django.db import connection
from django.db.models import Max, Q

from briefs.models import Signal
from personas.models import Customer, Effect
from personas.models.value import WORTH
from webhooks.models import SMALL_BODY, RetentionPolicy, WebhookEvent

RECENT = timedelta(days=30)
SIGNALS = 10_000  # the newest ones, by whose customers people are chosen
EVENTS = 20_000  # keys of events, the newest ones
PEOPLE = 1_000  # looked at, of each kind; a persona of one customer in a hundred is still seen
READ = 1_000  # bodies of events, of each kind of people
# An edit holds the lock of SQLite's only writer meanwhile, for which the receiver waits too.
PART = {"sqlite": 4, "postgresql": 1}

_ENDED = (WebhookEvent.Status.PROCESSED, WebhookEvent.Status.IGNORED)


@dataclass(slots=True)
class Act:
    """One thing that somebody did. `data` is read only where the rules for it change."""

    happened_at: datetime
    object_type: str = ""
    metric: str = ""
    kind: str = ""  # of the signal that it became; empty if it became none
    detail: str = ""
    rule: str = ""  # by which it did
    data: dict[str, Any] | None = None
    found_out: dict[str, str] | None = None  # both are kept by `judging`
    decided: dict[Any, str] = field(default_factory=dict)


@dataclass(slots=True)
class Person:
    """`customer`: None if nobody was looked up. `weight`: for how many this one stands."""

    customer: Customer | None
    acts: list[Act]
    weight: float = 1.0
    has_signal: bool = True  # one that may open a brief


@dataclass(slots=True)
class Sample:
    people: list[Person] = field(default_factory=list)
    signals: int = 0  # looked at
    events: int = 0  # looked at besides
    is_whole: bool = True  # all of the 30 days


def look(now: datetime, metrics: Collection[str]) -> Sample:
    """The people of the last 30 days. metrics: of the events whose rules change."""
    sample = Sample()
    known = _with_signals(now, metrics, sample)
    if metrics:
        _without_signals(now, metrics, known, sample)
    return sample


def _with_signals(now: datetime, metrics: Collection[str], sample: Sample) -> set[int]:
    """Add those with signals; returns the keys of all of them, also of those not looked at."""
    since = now - RECENT
    opening = Signal.objects.filter(effect=Effect.OPENS_BRIEF)
    rows = opening.filter(happened_at__gt=since).order_by("-happened_at", "-pk")
    newest = list(rows.values_list("customer", flat=True)[:SIGNALS])
    keys = set(newest)
    if len(newest) == SIGNALS:
        since = rows.values_list("happened_at", flat=True)[SIGNALS - 1]
        sample.is_whole = False
    chosen = _some(keys)
    if not chosen:
        return keys
    weight = _all(len(keys), RECENT / max(now - since, timedelta(minutes=1))) / len(chosen)
    sample.is_whole &= len(chosen) == len(keys)
    acts = _acts(opening.filter(happened_at__gte=since, customer__in=chosen), metrics)
    sample.signals = sum(map(len, acts.values()))
    customers = _customers(Q(pk__in=chosen))
    sample.people += [
        Person(customer, acts[customer.pk], weight) for customer in customers if acts[customer.pk]
    ]
    return keys


def _acts(signals: Any, metrics: Collection[str]) -> dict[int, list[Act]]:
    """By customer, in the order of time."""
    rows = signals.order_by("happened_at", "pk").values_list(
        "customer", "event", "happened_at", "event__object_type", "event__metric", "kind",
        "detail", "rule__name", "event__body_ended_at",
    )  # fmt: skip
    found: dict[int, list[Act]] = defaultdict(list)
    to_read: dict[int, Act] = {}
    for customer, event, at, object_type, metric, kind, detail, rule, ended_at in rows:
        # Without its body an event is judged as one that is gone: by its rule.
        kept = metric if metric and not ended_at else ""
        act = Act(at, object_type or "", kept, kind, detail, rule or "")
        found[customer].append(act)
        if act.metric in metrics:
            to_read[event] = act
    for event in _bodies(sorted(to_read)[-_part(READ) :]):
        to_read[event.pk].data = event.data
    return found


def _without_signals(
    now: datetime, metrics: Collection[str], known: set[int], sample: Sample
) -> None:
    """Add those whose events of these kinds led to no signal that may open a brief."""
    since = max(now - RECENT, RetentionPolicy.current().before("body_days", now) or now - RECENT)
    recent = WebhookEvent.objects.filter(received_at__gt=since)
    first = recent.order_by("received_at").values_list("pk", flat=True).first()
    last = WebhookEvent.objects.aggregate(key=Max("pk"))["key"]
    if first is None or first > last:
        return
    start = max(first, last - EVENTS + 1)
    kinds = Q(pk__gte=start, metric__in=metrics, status__in=_ENDED, body_size__lte=SMALL_BODY,
              body_ended_at=None)  # fmt: skip
    rows = WebhookEvent.objects.filter(kinds).exclude(signal__effect=Effect.OPENS_BRIEF)
    by_person: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for event, customer, named in rows.values_list("pk", "signal__customer", "identifiers"):
        who = _who(customer, named)
        if who and customer not in known:
            by_person[who].append(event)
    chosen = _some(by_person)
    if not chosen:
        return
    times = (last - first + 1) / (last - start + 1) * (RECENT / (now - since))
    weight = _all(len(by_person), times) / len(chosen)
    sample.is_whole &= len(chosen) == len(by_person) and start == first and since <= now - RECENT
    wanted = sorted(event for who in chosen for event in by_person[who])[-_part(READ) :]
    events = {event.pk: event for event in _bodies(wanted)}
    sample.events = len(events)
    customers = _named(chosen)
    for who in chosen:
        stored = customers.get(who)
        if stored is not None and stored.pk in known:
            continue
        acts = [_act(events[key]) for key in by_person[who] if key in events]
        if acts:
            sample.people.append(Person(stored, acts, weight, has_signal=False))


def _all(people: int, times: float) -> float:
    """How many people there are in a time so much longer: not more than there are customers."""
    if times <= 1:
        return people
    return min(people * times, max(people, Customer.objects.count()))


def _act(event: WebhookEvent) -> Act:
    signal = getattr(event, "signal", None)
    return Act(
        event.occurred_at or event.received_at,
        event.object_type,
        event.metric,
        signal.kind if signal else "",
        signal.detail if signal else "",
        data=event.data,
    )


def _bodies(keys: Collection[int]) -> Iterable[WebhookEvent]:
    events = WebhookEvent.objects.filter(pk__in=keys, body_size__lte=SMALL_BODY)
    fields = ("object_type", "metric", "occurred_at", "received_at", "body")
    return events.select_related("signal").only(*fields, "signal__kind", "signal__detail")


def _who(customer: int | None, named: dict[str, str]) -> tuple[Any, ...]:
    """The same for all events of a person, as far as they name them alike; empty for nobody."""
    if customer is not None:
        return ("customer", customer)
    for name in ("cio_id", "id", "email", "phone"):
        if named.get(name):
            return (name, str(named[name]))
    return ()


def _named(people: Collection[tuple[Any, ...]]) -> dict[tuple[Any, ...], Customer]:
    """The stored customers among them, found by their keys and ids."""
    by: dict[str, list[Any]] = defaultdict(list)
    for name, *value in people:
        by[name] += value
    stored = _customers(
        Q(pk__in=by["customer"]) | Q(cio_id__in=by["cio_id"]) | Q(external_id__in=by["id"])
    )
    return {
        who: one
        for one in stored
        for who in (("customer", one.pk), ("cio_id", one.cio_id), ("id", one.external_id))
    }


def _customers(which: Q) -> list[Customer]:
    fields = ("cio_id", "external_id", "attributes", "fetched_at", "is_deleted", *WORTH)
    return list(Customer.objects.filter(which).only(*fields))


def _some(keys: Collection[Any]) -> list[Any]:
    """PEOPLE of them at most, and nearly as many; the same ones in every look."""
    places = {key: crc32(repr(key).encode()) for key in keys}
    chosen, limit = list(keys), float(2**32)
    while len(chosen) > _part(PEOPLE):
        limit *= 0.9
        chosen = [key for key in chosen if places[key] < limit]
    return chosen


def _part(number: int) -> int:
    return number // PART[connection.vendor]
