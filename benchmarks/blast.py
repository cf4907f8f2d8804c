"""A campaign goes wrong: thousands unsubscribe at once. What Mave is asked, and what it costs.

    python -m benchmarks.blast [--events 5000] [--factor 15] [--budget N] [--sqlite]
                               [--redis-away 60]

The unsubscribes are of three newsletters: three incidents, each told once.
Signed webhooks over HTTP into the real web server, supervisor and clusters; Mave is the sandbox at
the latency of its documentation, 30 to 90 s, with its time running `factor` times faster. The
customers are of 8 personas that open briefs (one of them buys no research) and 300 industries in
free text. Beside it the benchmark computes the cost of one call for each event. `--redis-away` puts
the queues into a Redis, which is killed while the events arrive and comes back, empty, after so
many seconds.
"""

import argparse
import time
from collections.abc import Callable
from itertools import islice, product
from typing import Any

from django.db.models import Count

from benchmarks import system
from sandbox import Sandbox, brokers

LATENCY, JITTER = 30.0, 60.0
NAIVE_AT_ONCE = 10  # what Mavera allows one key
STARTER_KEY_PER_MINUTE = 60
LONGEST_SECONDS = 1800.0
NEWSLETTERS = 3
REDIS_STOPS_AFTER = 5.0  # seconds: most events are still to come

# As supervised companies are found in a CRM; each is a question of its own.
SUPERVISED = (
    *("healthcare", "health care", "hospital & health care", "medical devices", "pharma"),
    *("pharmaceuticals", "biotechnology", "life sciences", "banking", "finance", "insurance"),
    *("financial services", "fintech", "investment management", "government", "public sector"),
    *("government administration", "defense", "legal", "legal services", "law practice"),
    *("energy", "utilities", "telecommunications"),
)
_KINDS = (
    *("organic", "wholesale", "mobile", "second-hand", "regional", "online", "family-run"),
    *("industrial", "custom", "vintage", "premium", "discount", "seasonal", "independent"),
    *("rural", "urban", "outdoor"),
)
_TRADES = (
    *("groceries", "furniture", "travel", "games", "printing", "music lessons", "bicycles"),
    *("catering", "logistics", "media", "cosmetics", "gardening", "flooring", "toys"),
    *("photography", "recruiting", "translation"),
)
FREE_TEXT = tuple(
    f"{kind} {trade}".title() for kind, trade in islice(product(_KINDS, _TRADES), 276)
)
INDUSTRIES = SUPERVISED + FREE_TEXT

# Plan, usage and industries of the personas in the starter rules that open briefs.
PROFILES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("enterprise", "medium", SUPERVISED),
    ("enterprise", "low", FREE_TEXT),
    ("enterprise", "high", FREE_TEXT),
    ("business", "high", INDUSTRIES),
    ("business", "low", INDUSTRIES),
    ("pro", "low", INDUSTRIES),
    ("trial", "medium", INDUSTRIES),
    ("", "", ()),  # nothing is known of them: a brief, and no research
)


def main() -> None:
    given = _arguments()
    sandbox = Sandbox(
        latency=LATENCY,
        jitter=JITTER,
        time_scale=given.factor,
        credits=10**9,
        requests_per_minute=STARTER_KEY_PER_MINUTE,
    )
    _add_people(sandbox, given.events)
    broker = brokers.redis() if given.redis_away else None
    with system.running(sandbox, sqlite=given.sqlite, broker=broker) as running:
        _set_policy(given.factor, given.budget)
        _tell_everything()
        with system.stopped_once(broker, after=REDIS_STOPS_AFTER, seconds=given.redis_away):
            _blast(running, sandbox, given.events)
        _report(sandbox, given)


def _tell_everything() -> None:
    """Let a target hear of every brief. Nothing listens there: what is told is in the outbox."""
    from briefs.models import NotificationTarget

    target = NotificationTarget(name="Everybody", minimum_priority=1)
    target.address = "json://localhost:9/"
    target.save()


def _blast(running: system.System, sandbox: Sandbox, count: int) -> None:
    # Models can be imported only now that the settings know the database.
    from benchmarks import ledger

    began = time.monotonic()
    events = [
        _of_newsletter(
            system.event_of(f"blast-{n}", f"person-{n}", sandbox, "unsubscribed"), n % NEWSLETTERS
        )
        for n in range(count)
    ]
    acknowledged, answers = running.send(events)
    print(
        f"{len(acknowledged)} unsubscribes answered 200 in {time.monotonic() - began:.1f} s "
        f"(all answers: {dict(answers)})",
        flush=True,
    )
    _wait_until(lambda: not ledger.pending_events(), began)
    _wait_until(_is_over, began)


def _of_newsletter(event: dict[str, Any], number: int) -> dict[str, Any]:
    """The same act as the report about a message has it."""
    data = event["data"]
    data |= {
        "newsletter_id": 100 + number,
        "newsletter_name": f"Newsletter {number}",
        "delivery_id": f"delivery-{event['event_id']}",
        "recipient": data["identifiers"].get("email"),
    }
    return {**event, "object_type": "email"}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=5000, help="unsubscribes (%(default)s)")
    parser.add_argument(
        "--factor", type=float, default=15.0, help="how much faster Mave's time runs (%(default)s)"
    )
    parser.add_argument("--budget", type=int, help="credits a day; without it there is no budget")
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    parser.add_argument("--redis-away", type=float, default=0.0, help="for seconds")
    return parser.parse_args()


def _add_people(sandbox: Sandbox, count: int) -> None:
    for number in range(count):
        plan, usage, industries = PROFILES[number % len(PROFILES)]
        attributes = {"name": f"Customer {number}"}
        if plan:
            attributes |= {
                "plan": plan,
                "usage_tier": usage,
                "industry": industries[number // len(PROFILES) % len(industries)],
                "subscription_status": "trialing" if plan == "trial" else "active",
            }
        email = f"customer-{number}@example.com"
        sandbox.people.add(f"person-{number}", email=email, attributes=attributes)


def _set_policy(factor: float, budget: int | None) -> None:
    """Set the limits of production, adapted to the faster time and the sandbox's credits."""
    from briefs.models import ResearchPolicy

    policy = ResearchPolicy.current()
    print(
        f"Mave answers in {LATENCY:.0f} to {LATENCY + JITTER:.0f} s, its time runs {factor:g} "
        f"times faster; {policy.concurrency} calls at once as in production"
    )
    print(
        f"  changed: {policy.requests_per_minute} requests a minute become "
        f"{policy.requests_per_minute * factor:.0f}, because a minute of Mave's lasts "
        f"{60 / factor:.1f} s; the budget of {policy.day_budget} credits a day "
        + (f"becomes {budget}" if budget is not None else "is lifted"),
        flush=True,
    )
    ResearchPolicy.objects.update(
        requests_per_minute=round(policy.requests_per_minute * factor),
        day_budget=budget,
        month_budget=None,
    )


def _wait_until(is_over: Callable[[], object], began: float) -> None:
    while not is_over():
        if time.monotonic() - began > LONGEST_SECONDS:
            print(f"NOT OVER after {LONGEST_SECONDS:.0f} s")
            return
        time.sleep(0.2)


def _is_over() -> bool:
    """Nothing is left to ask, or what is left must wait and nothing is under way."""
    from benchmarks import ledger

    if not ledger.active_research():
        return True
    return not ledger.in_flight() and bool(ledger.why_waiting())


def _report(sandbox: Sandbox, given: argparse.Namespace) -> None:
    from benchmarks import ledger
    from briefs.models import Brief, Cause, Research

    incidents = Cause.objects.incidents().counted()

    calls = ledger.calls(60 / given.factor)
    briefs, distinct = Brief.objects.count(), ledger.questions()
    again = sum(charge.times > 1 for charge in sandbox.charges)
    charged = sum(charge.credits for charge in sandbox.charges)
    to_brief, to_research = ledger.seconds_to("created_at"), ledger.seconds_to("researched_at")
    rows = {
        "customers, briefs": f"{given.events}, {briefs}",
        "newsletters, incidents": f"{NEWSLETTERS}, {len(incidents)} with "
        f"{sum(one.number for one in incidents)} briefs",
        "messages": _messages(),
        "personas, industries": f"{len(PROFILES)}, {len(INDUSTRIES)}",
        "distinct questions": distinct,
        "Mave calls": f"{calls.chats} (the sandbox counts "
        f"{sum(charge.times for charge in sandbox.charges)}), {calls.repeats} of them repeats",
        "paid more than once (sandbox)": f"{again} questions, {ledger.questions_opened_again()} of "
        "them opened anew",
        "credits": f"{calls.credits} (the sandbox took {charged})",
        "until every customer has a brief": f"{to_brief:.1f} s",
        "until the last brief got its research": f"{to_research:.1f} s with Mave {given.factor:g} "
        f"times faster, at most {_real_minutes(given.factor, to_research):.1f} min at its own pace",
        "largest number in flight": f"{calls.most_in_flight} (the sandbox saw "
        f"{sandbox.max_in_flight})",
        "requests in Mavera's worst minute": f"{calls.worst_minute} (the sandbox saw "
        f"{sandbox.worst_minute})",
        "waiting at the end": f"{ledger.active_research()} questions for "
        f"{ledger.waiting_briefs()} briefs {_why_waiting()}",
        "failed": Research.objects.filter(status=Research.Status.FAILED).count(),
    }
    print()
    for name, value in rows.items():
        print(f"{name:<38}{value}")
    _print_one_call_per_event(given.events, calls.chats, calls.credits)


def _messages() -> str:
    from briefs.models import Notification

    rows = Notification.objects.values_list("kind", "status").annotate(number=Count("pk"))
    sent = [f"{number} {kind}" for kind, status, number in rows if status != "cancelled"]
    cancelled = [f"{number} {kind}" for kind, status, number in rows if status == "cancelled"]
    return f"{', '.join(sent) or 'none'}; cancelled: {', '.join(cancelled) or 'none'}"


def _real_minutes(factor: float, to_research: float) -> float:
    """Minutes at Mave's own pace, if Mave was at work all the time since the first call."""
    from benchmarks import ledger

    thinking = ledger.research_seconds()
    return (to_research - thinking + thinking * factor) / 60


def _why_waiting() -> str:
    from benchmarks import ledger

    reason = ledger.why_waiting() if ledger.active_research() else ""
    return f"(on the playbook meanwhile: {reason})" if reason else ""


def _print_one_call_per_event(events: int, calls: int, credits: int) -> None:
    if not calls:
        return
    mean = credits / calls
    hours = events * (LATENCY + JITTER / 2) / NAIVE_AT_ONCE / 3600
    print(
        f"\ncomputed: one call for each event is {events} calls, {events * mean:.0f} credits at "
        f"the same {mean:.1f} a call, {hours:.1f} h with {NAIVE_AT_ONCE} in flight; "
        f"that is {events / calls:.0f} times as many"
    )


if __name__ == "__main__":
    main()
