"""Who comes first: the share of Urgent and the row of the most valuable, before and after.

    python -m benchmarks.priority [--seeds 1 2 3]

The population of the demo, and random ones, go through the real pipeline on a SQLite database in
memory. "Before" is the rule of the version before: the severity, one step up for a persona of high
value, and then the oldest first.
"""

import argparse
import json
import os
import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from briefs.models import Brief

# What a customer did: the metric, the kind of object, and what else the event says.
ACTS: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("unsubscribed", "customer", {}),
    ("spammed", "email", {}),
    ("bounced", "email", {"failure_message": "550 5.1.1 user unknown"}),
)
PRICES = ("49", "99", "99", "199")


@dataclass(frozen=True, slots=True)
class Someone:
    """A customer with attributes as Customer.io sends them, and what they did."""

    name: str
    attributes: dict[str, str]
    act: int = 0  # of ACTS


@dataclass(frozen=True, slots=True)
class Figures:
    briefs: int
    urgent: int
    row: int  # of the most valuable with a severe signal

    @property
    def words(self) -> str:
        share = 100 * self.urgent / self.briefs if self.briefs else 0
        return f"{self.urgent:>4} of {self.briefs:>4} Urgent ({share:4.1f} %), row {self.row:>4}"


def demo(run: str = "demo") -> list[Someone]:
    """The 200 people of the demo who unsubscribe at once."""
    from sandbox import profiles
    from sandbox.story import BURST

    ids = [f"{'-'.join(BURST[n % len(BURST)])}-{run}{n}" for n in range(200)]
    people = [profiles.person(person_id) for person_id in ids]
    return [Someone(str(one.id), dict(one.attributes)) for one in people if one]


def at_random(seed: int) -> list[Someone]:
    """Some hundred people: list prices, contracts, amounts for a year, unknown ones, and 0."""
    luck = random.Random(seed)
    return [_at_random(luck, number) for number in range(luck.randint(200, 400))]


def _at_random(luck: random.Random, number: int) -> Someone:
    plan = luck.choice(("enterprise", "enterprise", "business", "business", "pro", "trial", "free"))
    attributes = {
        "plan": plan,
        "usage_tier": luck.choice(("low", "medium", "high")),
        "industry": luck.choice(("healthcare", "retail", "banking", "media", "logistics")),
        "company": f"Company {luck.randint(1, 150)}",
        "subscription_status": "active",
        "is_internal": "false",
    }
    worth = luck.random()
    if plan in ("trial", "free"):
        attributes["mrr"] = "0"
    elif worth < 0.1:
        pass  # unknown
    elif plan == "pro":
        attributes["mrr"] = luck.choice(PRICES)
    elif worth < 0.4:
        attributes["arr"] = f"{luck.lognormvariate(10, 1.2):.2f}"
    else:
        attributes["mrr"] = f"{luck.lognormvariate(7.5, 1.2):.2f}"
    return Someone(f"person-{number}", attributes, luck.choice((0, 0, 0, 0, 1, 2)))


def fill(people: Iterable[Someone]) -> None:
    """Let these people do what they did: the pipeline opens their briefs."""
    from briefs.models import Brief
    from briefs.pipeline import draining, revaluing
    from personas.models import Customer, Terms
    from webhooks.models import WebhookEvent

    terms, now = Terms.load(), datetime.now(UTC)
    for number, one in enumerate(people):
        Customer.objects.create(
            external_id=one.name,
            email=f"{one.name}@example.com",
            attributes=one.attributes,
            fetched_at=now,
            **terms.read(one.attributes),
        )
        WebhookEvent.objects.create(**_event(one, now + timedelta(milliseconds=number)))
    draining.drain()
    if not Brief.objects.exists():
        raise AssertionError("the starter rules open no brief for them")
    revaluing.count_medians(at_once=True)


def _event(one: Someone, at: datetime) -> dict[str, Any]:
    metric, object_type, data = ACTS[one.act]
    payload = {"event_id": secrets.token_hex(8), "metric": metric, "object_type": object_type,
               "timestamp": int(at.timestamp()),
               "data": {"identifiers": {"id": one.name}, **data}}  # fmt: skip
    body = json.dumps(payload).encode()
    return {"event_id": payload["event_id"], "metric": metric, "object_type": object_type,
            "occurred_at": at, "received_at": at - timedelta(minutes=5),
            "identifiers": {"id": one.name}, "body": body, "body_size": len(body),
            "is_verified": True}  # fmt: skip


def before() -> Figures:
    """By the rule and in the order of the version before."""
    from personas.models import Persona

    def priority(brief: "Brief") -> int:
        return _severity(brief) + (brief.persona.value == Persona.Value.HIGH)

    briefs = sorted(_briefs(), key=lambda b: (-priority(b), b.created_at, b.pk))
    return _figures(briefs, [priority(brief) for brief in briefs])


def now() -> Figures:
    """As the inbox shows them at present."""
    briefs = list(_briefs().by_urgency())
    return _figures(briefs, [brief.priority for brief in briefs])


def _briefs() -> Any:
    from briefs.models import Brief

    return Brief.objects.open().select_related("persona").prefetch_related("signals")


def _severity(brief: "Brief") -> int:
    return max(signal.severity for signal in brief.signals.all())


def _figures(briefs: list["Brief"], priorities: list[int]) -> Figures:
    severe = [b for b in briefs if _severity(b) == 3 and b.value_month is not None]
    most = max((b.value_month for b in severe if b.value_month is not None), default=None)
    # Of several with the same value, the first.
    row = next((n for n, b in enumerate(briefs, 1) if b in severe and b.value_month == most), 0)
    return Figures(len(briefs), sum(priority == 4 for priority in priorities), row)


def set_thresholds() -> None:
    """Do what a lead does who takes what the data suggest, and has all judged anew."""
    from briefs.finding.known_values import suggestions
    from briefs.models import PriorityThreshold
    from briefs.pipeline import reprioritizing
    from personas.rules import versions

    with versions.change(None, "Set the thresholds"):
        for one in suggestions():
            if one.is_enough and one.top_from is not None and one.low_below is not None:
                PriorityThreshold.objects.create(
                    currency=one.currency, top_from=one.top_from, low_below=one.low_below
                )
    reprioritizing.apply()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings_test"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from personas import starter

    call_command("migrate", verbosity=0)
    starter.load_if_empty()
    populations = {"the demo": demo(), **{f"seed {seed}": at_random(seed) for seed in given.seeds}}
    for name, people in populations.items():
        with transaction.atomic():
            fill(people)
            print(f"{name:<10} before           {before().words}")
            print(f"{'':<10} no thresholds    {now().words}")
            set_thresholds()
            print(f"{'':<10} with thresholds  {now().words}")
            transaction.set_rollback(True)


if __name__ == "__main__":
    main()
