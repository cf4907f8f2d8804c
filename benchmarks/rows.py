"""Steps of the pipeline's benchmark that need the product itself, each in a process of its own.

    manage.py shell -c "from benchmarks import rows; rows.run('seed', 10000)"

`run` prints what a step returns as one line of JSON.
"""

import hashlib
import itertools
import json
import secrets
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import Now
from django.utils import timezone

from briefs.models import Brief, Priority, Research, ResearchPolicy, Signal
from briefs.pipeline import draining
from briefs.research import working
from briefs.research.questions import TEMPLATE_VERSION
from personas.models import Customer, Persona
from sandbox import profiles
from sandbox.person import Person
from webhooks import bell, parsing, views
from webhooks.clock import database_now
from webhooks.models import WebhookEvent

# Seven of ten are worth a brief, and their industries make a score of different questions.
PLANS = ("enterprise", "enterprise", "enterprise", "business", "business", "pro", "trial",
         "free", "free", "free")  # fmt: skip
INDUSTRIES = ("healthcare", "banking", "insurance", "pharma", "fintech", "energy", "legal",
              "government", "telecommunications", "utilities", "logistics", "media", "retail",
              "design", "education", "construction", "games", "travel", "software",
              "hospitality")  # fmt: skip
USAGES = ("low", "medium", "high")
CHUNK = 1000
WARM = 5  # events that only warm up


def person_ids(count: int) -> Iterator[str]:
    """Ids that spell profiles, mixed, so that every batch has some of each."""
    run = secrets.token_hex(3)
    for number in range(count):
        plan = PLANS[number % 10]
        industry, usage = INDUSTRIES[number // 10 % 20], USAGES[number // 200 % 3]
        yield f"{plan}-{industry}-{usage}-{run}{number}"


def event_of(person: Person) -> WebhookEvent:
    """The event as the receiver would store it: somebody unsubscribes."""
    payload = {
        "event_id": f"benchmark-{secrets.token_hex(8)}",
        "object_type": "customer",
        "metric": "unsubscribed",
        "timestamp": int(time.time()) - 120,  # before it was received, whenever that is said to be
        "data": {
            "identifiers": {"id": person.id, "cio_id": person.cio_id, "email": person.email},
            "customer_id": person.id,
            "email_address": person.email,
        },
    }
    body = json.dumps(payload).encode()
    parsed = parsing.parse(body)
    return WebhookEvent(
        event_id=parsed.event_id,
        object_type=parsed.object_type,
        metric=parsed.metric,
        occurred_at=parsed.occurred_at,
        identifiers=parsed.identifiers,
        body=body,
        body_size=len(body),
        headers={"Content-Type": "application/json"},
        is_verified=True,
    )


def customer_of(person: Person) -> Customer:
    """The customer as stored by a look-up a moment ago."""
    return Customer(
        cio_id=person.cio_id,
        external_id=person.id,
        email=person.email or "",
        attributes=dict(person.attributes),
        fetched_at=timezone.now(),
    )


def people(count: int) -> Iterator[Person]:
    for person_id in person_ids(count):
        person = profiles.person(person_id)
        assert person is not None, person_id  # noqa: S101 - the benchmark loaded them - the ids spell profiles
        yield person


def seed(count: int) -> dict[str, Any]:
    """A backlog: events that arrived a minute ago, so that no drain gives way to new ones."""
    for chunk in _chunks(people(count)):
        Customer.objects.bulk_create([customer_of(person) for person in chunk])
        WebhookEvent.objects.bulk_create([event_of(person) for person in chunk])
    WebhookEvent.objects.update(received_at=Now() - timedelta(minutes=1))
    return {}


def _chunks(everybody: Iterator[Person]) -> Iterator[list[Person]]:
    while chunk := list(itertools.islice(everybody, CHUNK)):
        yield chunk


def drain(_: int) -> dict[str, Any]:
    wall, cpu = time.perf_counter(), time.process_time()
    done = draining.drain()
    return {
        "events": done,
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
    }


def poison(count: int) -> dict[str, Any]:
    """Poisonous events among those that wait, in four kinds. The first three meet the receiver."""
    among = list(WebhookEvent.objects.order_by("pk").values_list("received_at", flat=True))
    for number in range(count):
        deep = json.loads("[" * 900 + "]" * 900)
        id_ = ("a" * 1200, _astral(), "somebody", "somebody")[number % 4]
        data = {"identifiers": {"id": id_}, "more": deep if number % 4 == 2 else None}
        event = {"event_id": f"poison-{number}", "object_type": "customer",
                 "metric": "unsubscribed", "timestamp": int(time.time()), "data": data}  # fmt: skip
        body = json.dumps(event).encode()
        digest = hashlib.sha256(body).hexdigest()
        views.store(views.Delivery(body, len(body), digest, is_verified=True, headers={}))
        stored = WebhookEvent.objects.order_by("-pk")[:1]
        WebhookEvent.objects.filter(pk__in=list(stored.values_list("pk", flat=True))).update(
            received_at=among[(2 * number + 1) * len(among) // (2 * count)]
        )
    let_in = WebhookEvent.objects.filter(event_id__startswith="poison-", status="pending")
    for key in list(let_in.values_list("pk", flat=True)):
        WebhookEvent.objects.filter(pk=key).update(identifiers={"id": _astral()})
    return {}


def _astral() -> str:
    """990 characters of four bytes each, which no compression makes fit an index."""
    return "".join(chr(0x20000 + secrets.randbelow(0xA000)) for _ in range(990))


def drain_first_tries(_: int) -> dict[str, Any]:
    """Drain until all had their first try; how the events ended, and how many good ones twice."""
    told = drain(0)
    states = WebhookEvent.objects.values_list("status").annotate(Count("pk"))
    again = WebhookEvent.objects.filter(status="processed", tries__gt=1).count()
    return {**told, "states": dict(states), "again": again}


def singles(count: int) -> dict[str, Any]:
    """How long a worker takes that looks right after an event was stored, by the same stamps.

    The customers are cached.
    """
    events = []
    for person in people(count + WARM):
        customer_of(person).save()
        event = event_of(person)
        event.save()
        events.append(event)
        draining.drain()
    signals = Signal.objects.filter(event__in=events[WARM:])
    stamps = signals.values_list("event__received_at", "brief__created_at")
    return {"lengths": [(there - stored).total_seconds() for stored, there in stamps if there]}


def questions(count: int) -> dict[str, Any]:
    """Open briefs with a question each that nobody has asked, and the workers woken."""
    ResearchPolicy.current()
    ResearchPolicy.objects.update(
        day_budget=None, month_budget=None, requests_per_minute=1_000_000, concurrency=10
    )
    persona = Persona.objects.filter(is_default=False, opens_brief=True).order_by("pk").first()
    assert persona is not None, "no starter rules"  # noqa: S101 - the benchmark loaded them
    for number, person in enumerate(people(count)):
        customer = customer_of(person)
        customer.save()
        asked = Research.objects.create(
            persona=persona,
            kind="unsubscribed",
            template_version=TEMPLATE_VERSION,
            question=f"What keeps segment {number}?",
            question_hash=secrets.token_hex(32),
            priority=Priority.HIGH,
        )
        Brief.objects.create(
            customer=customer,
            persona=persona,
            kind="unsubscribed",
            priority=Priority.HIGH,
            research=asked,
            happened_at=timezone.now(),
        )
    return {"woken": working.wake()}


def hide(_: int) -> dict[str, Any]:
    """Make the backlog due later: a cluster would take it as soon as it has started."""
    WebhookEvent.objects.update(available_at=Now() + timedelta(days=1))
    return {}


def ring(_: int) -> dict[str, Any]:
    """Make the backlog due, and ring."""
    WebhookEvent.objects.update(available_at=None)
    now = database_now()
    bell.ring()
    return {"rung_at": now.isoformat()}


def due_again(_: int) -> dict[str, Any]:
    """All that ended is due again, later: what is left for a drain to do."""
    WebhookEvent.objects.update(
        status="pending", tries=0, finished_at=None, available_at=Now() + timedelta(days=1)
    )
    return {}


def ring_again(_: int) -> dict[str, Any]:
    """Make what is due again due now, as a replay does, and ring."""
    WebhookEvent.objects.update(available_at=Now())  # it says that there was an earlier run
    now = database_now()
    bell.ring()
    return {"rung_at": now.isoformat()}


STEPS = {
    "ring_again": ring_again,
    "due_again": due_again,
    "seed": seed,
    "drain": drain,
    "drain_first_tries": drain_first_tries,
    "poison": poison,
    "hide": hide,
    "ring": ring,
    "singles": singles,
    "questions": questions,
}


def run(step: str, count: int) -> None:
    print(json.dumps(STEPS[step](count)))
