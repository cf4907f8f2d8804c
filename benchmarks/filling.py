"""Two years of a busy workspace, made up: rows for `benchmarks.desk`, written in bulk.

Everything is in the order of time, and the same in each run but for the present moment. It has what
lists must cope with: one brief in ten is open, half of those are old; messages each made hundreds
leave within six hours; companies have 1 to 500 people; a fifth of the values is unknown.
"""

import itertools
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.management.color import no_style
from django.db import connection, models, transaction

from accounts.models import ApiToken, Role, roles
from briefs.finding.words import indexing
from briefs.models import (
    Activity,
    Brief,
    Cause,
    ClosingReason,
    Comment,
    ContactLog,
    MaveCall,
    Offer,
    PriorityThreshold,
    Research,
    Signal,
    TextChange,
)
from briefs.research.questions import TEMPLATE_VERSION
from personas.models import Customer, Persona, SignalRule
from personas.rules import versions
from webhooks.models import WebhookEvent

Row = dict[str, Any]
SINCE = timedelta(days=730)
COLLEAGUES = 12
EVENTS_EACH = 5  # of one brief: the one or two that became its signals, and others
# A message that makes many leave: so many briefs of every so many, within this time.
LEAVE, OF, WITHIN = 400, 10_000, timedelta(hours=6)
FIRST_BAD = 10_000  # the campaigns of such messages count from here
RUN, CAMPAIGNS = 40, 500  # of all others: so many briefs each, and so many in turn
COMPANIES = (500, 250, 120, 60, 30, 15, 8, 4, 2, 1, 1, 1)  # people of one, again and again
PLANS = ("free", "pro", "pro", "Business", "business", "Enterprise")
KINDS = ("unsubscribed",) * 5 + ("bounced", "address_gone", "spam_complaint", "channel_opt_out",
                                 "topic_opt_out")  # fmt: skip
WAYS = sorted(set(KINDS))
OUTCOMES = ("retained", "retained", "churned", "no_response", "no_response", "not_at_risk")
FIRST_NAMES = ("Ada", "Bao", "Chidi", "Dina", "Emre", "Fatima", "Goran", "Hana", "Iker", "Joana")
LAST_NAMES = ("Abe", "Brandt", "Castro", "Dubois", "Eze", "Fischer", "Garcia", "Haddad", "Ito",
              "Jensen", "Kaya", "Larsen", "Mbeki", "Novak", "Okafor", "Park", "Quispe")  # fmt: skip
ANSWER = Path(__file__).parent.parent / "sandbox" / "general_answer.md"
ANSWER_LENGTH = 2_500  # characters
PLAYBOOK_STEP = {"text": "Call the owner of the account.", "source": "for “Unsubscribed”",
                 "channels": ["phone"], "reason": "", "within_hours": 24}  # fmt: skip


@dataclass(frozen=True)
class Filling:
    """The rows of so many briefs. Keys count from 1, in the order of time."""

    briefs: int
    now: datetime  # in UTC, without a zone: both databases are told so

    @property
    def open(self) -> int:
        return self.briefs // 10

    @property
    def events(self) -> int:
        return self.briefs * EVENTS_EACH

    @property
    def customers(self) -> int:
        return self.briefs * 3 // 5

    @property
    def answers(self) -> int:
        return self.briefs * 3 // 200

    @property
    def entries(self) -> int:
        """Contact logs and comments together."""
        return self.briefs * 9 // 10

    def write(self) -> None:
        """Into an empty database that has the starter rules."""
        tables: list[tuple[type[models.Model], Iterator[Row]]] = [
            (Customer, self._customers()),
            (Research, self._research()),
            (MaveCall, self._calls()),
            (WebhookEvent, self._events()),
            (Cause, self._causes()),
            (Brief, self._briefs()),
            (Signal, self._signals()),
            (Activity, self._activities()),
            (ContactLog, self._contacts()),
            (Comment, self._comments()),
        ]
        with versions.change(None, "Set the thresholds"):
            for currency in ("USD", "EUR"):
                PriorityThreshold.objects.create(currency=currency, top_from=2_000, low_below=200)
        for model, rows in tables:
            write(model, rows)
        settle()

    # What is the same wherever it is asked for.

    @cached_property
    def people(self) -> list[int]:
        """The colleagues; the first one is who looks at the pages."""
        return [lead().pk, *(_colleague(number).pk for number in range(1, COLLEAGUES))]

    @cached_property
    def personas(self) -> list[int]:
        return list(Persona.objects.filter(opens_brief=True).values_list("pk", flat=True))

    @cached_property
    def rules(self) -> dict[str, int]:
        return dict(SignalRule.objects.values_list("kind", "pk"))

    @cached_property
    def reasons(self) -> list[int]:
        return list(ClosingReason.objects.values_list("pk", flat=True))

    @cached_property
    def offers(self) -> list[str]:
        return list(Offer.objects.values_list("pk", flat=True))

    def at(self, brief: int) -> datetime:
        """When it was opened, in UTC."""
        before = self.briefs - brief  # so many are newer
        step, place = SINCE / self.briefs, self._place(before)
        if place is None:
            return self.now - step * (before + 1)
        first = self.now - step * (before - place + LEAVE)
        return first + WITHIN * (LEAVE - place - 1) / LEAVE

    def _place(self, before: int) -> int | None:
        """Its place among those who left because of one message; None if it is none of them."""
        place = before % OF - OF // 20
        return place if 0 <= place < LEAVE else None

    def message(self, brief: int) -> int:
        """The campaign after which it was opened."""
        before = self.briefs - brief
        is_alone = self._place(before) is None
        return brief // RUN % CAMPAIGNS if is_alone else FIRST_BAD + before // OF

    def cause(self, brief: int) -> int:
        """Those of the bad messages come first, the newest of them before all."""
        message = self.message(brief)
        if message >= FIRST_BAD:
            return message - FIRST_BAD + 1
        return self._bad + brief // RUN * len(WAYS) + WAYS.index(self.kind(brief)) + 1

    @property
    def _bad(self) -> int:
        return self.briefs // OF + 1

    def kind(self, brief: int) -> str:
        return "unsubscribed" if self.message(brief) >= FIRST_BAD else KINDS[brief * 7 % len(KINDS)]

    def customer(self, brief: int) -> int:
        return (brief - 1) % self.customers + 1

    def is_open(self, brief: int) -> bool:
        """The newest, and as many older ones that are the last of their customer."""
        newest = self.open // 2
        is_last = brief > self.briefs - self.customers
        between = (self.customers - newest) // newest
        return brief > self.briefs - newest or (is_last and brief % between == 0)

    # Rows, one model after the other.

    def _customers(self) -> Iterator[Row]:
        dice = random.Random(1)
        employers = _employers()
        for key in range(1, self.customers + 1):
            name = f"{dice.choice(FIRST_NAMES)} {dice.choice(LAST_NAMES)} {key % 97}"
            yield {
                "id": key,
                "cio_id": f"{key:012x}",
                "external_id": f"user-{key}",
                "email": f"user-{key}@example.com",
                "attributes": {"name": name, "plan": PLANS[key % 6], "industry": "banking",
                               "usage": "low", "city": "Lagos", "seats": str(key % 90)},
                "sort_name": name.lower(),
                "fetched_at": self.now - timedelta(minutes=key % 1_000),
                "created_at": self.now - SINCE,
                **_worth(key, next(employers)),
            }  # fmt: skip

    def _research(self) -> Iterator[Row]:
        text = ANSWER.read_text().split("---\n", 2)[2]
        source = {"title": "Before they cancel", "url": "https://research.example.com/cancel"}
        for key in range(1, self.answers + 1):
            created = self.at(key * self.briefs // self.answers)
            status = _status(key)
            yield {
                "id": key,
                "persona_id": self.personas[key % len(self.personas)],
                "kind": KINDS[key % len(KINDS)],
                "template_version": TEMPLATE_VERSION,
                "question": f"What keeps customers of segment {key}? " * 12,
                "question_hash": f"{key:064x}",
                "priority": 1 + key % 3,
                "status": status,
                "tries": 1,
                "created_at": created,
                "finished_at": None if status == "queued" else created + timedelta(minutes=1),
                "status_reason": "Mave refused the question." if status == "failed" else "",
                "credits": 30,
                "answer": f"Segment {key}.\n\n{text}"[:ANSWER_LENGTH] if status == "done" else "",
                "sources": [source] * 3,
            }

    def _calls(self) -> Iterator[Row]:
        for key in range(1, self.answers + 1):
            started = self.at(key * self.briefs // self.answers)
            yield {"id": key, "research_id": key, "reference": f"SD-{key}", "started_at": started,
                   "finished_at": started + timedelta(minutes=1), "outcome": "answered",
                   "http_status": 200, "credits": 30}  # fmt: skip

    def _events(self) -> Iterator[Row]:
        for key in range(1, self.events + 1):
            brief, place = (key - 1) // EVENTS_EACH + 1, (key - 1) % EVENTS_EACH
            customer, at = self.customer(brief), self.at(brief) - timedelta(seconds=5 - place)
            is_signal = place == 0 or (place == 1 and brief % 2 == 0)
            kind, metric = ("email", "delivered")
            if is_signal:
                kind, metric = (("customer", "unsubscribed"), ("email", "bounced"))[place]
            event_id, address = f"01HX{key:022d}", f"user-{customer}@example.com"
            # JSON by hand: to dump it for a million rows takes as long as all the rest.
            who = f'{{"id": "user-{customer}", "cio_id": "{customer:012x}"}}'
            data = (
                f'{{"identifiers": {who}, "campaign_id": {self.message(brief)}, "action_id": 7, '
                f'"delivery_id": "delivery-{key}", "subject": "What is new this week", '
                f'"recipient": "{address}"}}'
            )
            body = (
                f'{{"event_id": "{event_id}", "object_type": "{kind}", "metric": "{metric}", '
                f'"data": {data}}}'
            ).encode()
            status = "processed" if is_signal else "dead" if key % 200_003 == 3 else "ignored"
            yield {
                "id": key,
                "event_id": event_id,
                "object_type": kind,
                "metric": metric,
                "occurred_at": at,
                "identifiers": who,
                "body": body,
                "body_size": len(body),
                "headers": '{"Content-Type": "application/json"}',
                "is_verified": True,
                "received_at": at,
                "last_received_at": at,
                "status": status,
                "status_reason": "Opened a brief." if is_signal else "No rule is about it.",
                "tries": 1,
                "finished_at": at + timedelta(seconds=1),
            }

    def _causes(self) -> Iterator[Row]:
        for key in range(1, self._bad + 1):
            first = max(1, self.briefs - OF * (key - 1) - OF // 20 - LEAVE + 1)
            at, is_over = self.at(first), key > 2
            yield {
                **self._cause(key, FIRST_BAD + key - 1, "unsubscribed", at),
                "incident_at": at + timedelta(hours=1),
                "ended_at": at + timedelta(days=2) if is_over else None,
            }
        keys = itertools.count(self._bad + 1)
        for run in range(self.briefs // RUN + 1):
            at = self.at(max(1, run * RUN))
            for kind in WAYS:
                yield {
                    **self._cause(next(keys), run % CAMPAIGNS, kind, at),
                    "ended_at": at + timedelta(days=1),
                }

    def _cause(self, key: int, campaign: int, kind: str, at: datetime) -> Row:
        described = {"campaign_name": f"Campaign {campaign}", "campaign_id": str(campaign)}
        return {"id": key, "message": f"campaign:{campaign}/7", "kind": kind, "most": 20,
                "described": described, "first_at": at, "created_at": at}  # fmt: skip

    def _briefs(self) -> Iterator[Row]:
        dice = random.Random(2)
        employers = list(islice(_employers(), self.customers))
        why = {"code": "severity", "words": "The signal’s severity is high: that is the step."}
        for key in range(1, self.briefs + 1):
            customer, at = self.customer(key), self.at(key)
            worth = _worth(customer, employers[customer - 1])
            month = worth["value_month"]
            is_without = key % 10 >= 7 or self._is_waiting(key)
            research = None if is_without else 1 + key % self.answers
            has_answer = research is not None and _status(research) == "done"
            yield {
                "id": key,
                "customer_id": customer,
                "persona_id": self.personas[customer % len(self.personas)],
                "persona_why": "“plan” is “pro” and “usage” is “low”: the persona's conditions.",
                "kind": self.kind(key),
                "detail": "SMS" if self.kind(key) == "channel_opt_out" else "",
                "priority": dice.choice((1, 2, 2, 2, 3, 3, 3, 4)),
                "priority_reasons": [why],
                "value_sort": month if month is not None else 149,
                "research_id": research,
                "basis": ("shared" if key % 10 else "new") if has_answer else "playbook",
                "is_sharing": research is not None and key % 10 > 0,
                "is_waiting_for_profile": self._is_waiting(key),
                "happened_at": at - timedelta(seconds=5),
                "created_at": at,
                "last_signal_at": at,
                "researched_at": at + timedelta(minutes=1) if has_answer else None,
                "returned_from_id": key - self.customers if self._has_returned(key) else None,
                "cause_id": self.cause(key),
                **worth,
                **(self._open(key, at) if self.is_open(key) else self._closed(key, at)),
            }

    def _is_waiting(self, brief: int) -> bool:
        """For the customer's profile, so nothing was asked for it."""
        return brief % 20 == 0 and self.is_open(brief)

    def _has_returned(self, brief: int) -> bool:
        return brief > self.customers and brief % 5 == 0

    def _open(self, key: int, at: datetime) -> Row:
        state = ("new",) * 6 + ("in_progress",) * 3 + ("snoozed",)
        is_held = state[key % 10] != "new"
        return {
            "state": state[key % 10],
            "assignee_id": self.people[key % COLLEAGUES] if is_held else None,
            "due_at": at + timedelta(hours=24 + key % 2_000),
            "first_touch_at": at + timedelta(hours=2) if key % 10 == 7 else None,
            "snoozed_until": self.now + timedelta(days=3) if state[key % 10] == "snoozed" else None,
        }

    def _closed(self, key: int, at: datetime) -> Row:
        return {
            "state": "closed",
            "assignee_id": self.people[key % COLLEAGUES],
            "outcome": OUTCOMES[key % len(OUTCOMES)],
            "closing_note": "They said that they will look at it again after the summer.",
            "step_at_closing": PLAYBOOK_STEP,
            "closed_at": at + timedelta(hours=3 + key % 200),
            "closing_reason_id": self.reasons[key % len(self.reasons)],
            "offer_id": self.offers[key % len(self.offers)],
        }

    def _signals(self) -> Iterator[Row]:
        """The first of each brief, and for each other brief a bounce after it."""
        for key in range(1, self.briefs + 1):
            first = {
                "id": 2 * key - 1,
                "event_id": EVENTS_EACH * (key - 1) + 1,
                "customer_id": self.customer(key),
                "rule_id": self.rules.get(self.kind(key)),
                "persona_id": self.personas[self.customer(key) % len(self.personas)],
                "brief_id": key,
                "kind": self.kind(key),
                "effect": "opens_brief",
                "severity": 3,
                "level": "delivery",
                "why": "The rule “Unsubscribed” matched; the persona opens briefs.",
                "message": {"campaign_id": str(self.message(key)), "action_id": "7",
                            "campaign_name": f"Campaign {self.message(key)}", "channel": "email",
                            "delivery_id": f"delivery-{key}", "subject": "What is new this week"},
                "happened_at": self.at(key) - timedelta(seconds=5),
                "created_at": self.at(key),
            }  # fmt: skip
            yield first
            if key % 2 == 0:
                again = {"id": 2 * key, "event_id": EVENTS_EACH * (key - 1) + 2, "kind": "bounced",
                         "effect": "timeline", "severity": 1}  # fmt: skip
                yield {**first, **again}

    def _activities(self) -> Iterator[Row]:
        keys = itertools.count(1)
        for brief in range(1, self.briefs + 1):
            actor, at = self.people[brief % COLLEAGUES], self.at(brief)
            yield {"id": next(keys), "brief_id": brief, "at": at, "text": "opened it"}
            if not self.is_open(brief):
                entry = {"brief_id": brief, "at": at + timedelta(hours=3), "actor_id": actor}
                yield {"id": next(keys), **entry, "text": "took it"}
                yield {"id": next(keys), **entry, "text": "closed it: Retained", "code": "closed"}

    def _contacts(self) -> Iterator[Row]:
        for key, brief, at, actor in self._entries():
            yield {"id": key, "brief_id": brief, "at": at, "actor_id": actor, "channel": "phone",
                   "is_reached": key % 3 == 0, "note": "Left a message."}  # fmt: skip

    def _comments(self) -> Iterator[Row]:
        for key, brief, at, actor in self._entries():
            yield {"id": key, "brief_id": brief, "at": at, "actor_id": actor,
                   "text": "Their contract ends in spring; the owner is on leave."}  # fmt: skip

    def _entries(self) -> Iterator[tuple[int, int, datetime, int]]:
        count = self.entries // 2
        for key in range(1, count + 1):
            brief = key * self.briefs // count
            yield key, brief, self.at(brief) + timedelta(hours=1), self.people[key % COLLEAGUES]


def _status(research: int) -> str:
    return "failed" if research % 50 == 2 else "queued" if research % 200 == 1 else "done"


def _employers() -> Iterator[str]:
    """The company of each customer in turn; one of three has none."""
    for number in itertools.count(1):
        size = COMPANIES[number % len(COMPANIES)]
        yield from itertools.repeat(f"Company {number}", size)
        yield from itertools.repeat("", size // 2)


def _worth(customer: int, company: str) -> Row:
    """The columns of `Valued`, the same for a customer and all their briefs."""
    is_known = customer % 5 > 0
    month = (customer * 37 % 1_000) ** 2 // 400 if is_known else None  # most are small
    return {
        "plan": PLANS[customer % 6],
        "company": company,
        "value_amount": month,
        "value_currency": ("EUR" if customer % 10 == 3 else "USD") if is_known else "",
        "value_period": "month" if is_known else "",
        "value_level": ("company" if company else "person") if is_known else "",
        "value_month": month,
    }


def lead() -> Any:
    """Who looks at the pages: somebody who may see all of them."""
    user, is_new = get_user_model().objects.get_or_create(username="lead", email="lead@example.com")
    if is_new:
        roles.give(user, Role.LEAD)
    return user


def token() -> str:
    """A token of the lead's."""
    return ApiToken.make(lead(), name="benchmark", role=Role.LEAD, months=3)[1]


def _colleague(number: int) -> Any:
    user = get_user_model().objects.create(username=f"agent{number}", first_name="Agent")
    roles.give(user, Role.AGENT)
    return user


# Writing ------------------------------------------------------------------------------------------


def write(model: type[models.Model], rows: Iterator[Row]) -> None:
    """Insert the rows: by COPY on PostgreSQL, by executemany on SQLite.

    A row names attributes. One that it does not name has the field's default; the first row names
    all whose default is the database's.
    """
    first = next(rows)
    fields = {
        field.attname: field
        for field in model._meta.concrete_fields
        if field.attname in first or not field.has_db_default() or field.has_default()
    }
    defaults = {name: None if one.null else one.get_default() for name, one in fields.items()}
    columns = [f'"{field.column}"' for field in fields.values()]
    table = f"{model._meta.db_table} ({', '.join(columns)})"
    whole = ({**defaults, **row} for row in itertools.chain([first], rows))
    written: Any = ([_plain(row[name]) for name in fields] for row in whole)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            marks = ", ".join(["%s"] * len(columns))
            cursor.executemany(f"INSERT INTO {table} VALUES ({marks})", written)
            return
        with cursor.copy(f"COPY {table} FROM STDIN") as copy:
            while lines := ["\t".join(map(_copied, row)) for row in islice(written, 1_000)]:
                copy.write("\n".join(lines) + "\n")


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value) if isinstance(value, datetime) else value


def _copied(value: Any) -> str:
    """As COPY reads it."""
    if value is None:
        return "\\N"
    if isinstance(value, bytes):
        return "\\\\x" + value.hex()
    if isinstance(value, str):
        return value.replace("\\", "\\\\").replace("\n", "\\n")
    return str(value)


def index() -> None:
    """The documents of the search, as the sweep would write them in the background."""
    began, written = time.monotonic(), 0
    TextChange.objects.all()._raw_delete("default")  # all is written below
    for number in indexing.build_all():
        written += number
    seconds = time.monotonic() - began
    print(f"{written:,} documents written in {seconds:.0f} s", flush=True)
    settle()


def settle() -> None:
    """What the database does by itself in the hours after: statistics, and pages all can see."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("ANALYZE")
            return
        for statement in connection.ops.sequence_reset_sql(no_style(), apps.get_models()):
            cursor.execute(statement)
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
