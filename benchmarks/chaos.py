"""Everything fails at random for half an hour; then the losses and the costs are counted.

    python -m benchmarks.chaos [--minutes 30] [--seed N] [--sqlite] [--patience 1200] [--log F]
                               [--redis-away 60]

Faults of every kind at Mavera and the App API, workers, sentinels and clusters killed with -9 or
frozen, while new questions keep arriving. Then the faults end, and the benchmark waits until
nothing is under way. Ends with 1 and a list if a promise was broken: one of `check_invariants`,
more calls at once than the policy allows, an event lost or undrained, a brief that no research
comes for, a question that waits without a reason, an answer paid again although it could be found,
more paid again than was lost for good, or more requests in a minute than the key has.
`--redis-away` puts the queues into a Redis, which is killed half-way through and comes back, empty,
after so many seconds.

Backoffs are made due through the ORM once the faults are over ("fast-forward"); leases and the
search for a lost answer take the time they take. Policy: budgets are lifted, all else is as in
production. A pause that lasts longer than its cause is ended as a person would do it, and counted.
"""

import argparse
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import system
from benchmarks.kills import Killer
from benchmarks.upsets import PLENTY, Upsets
from sandbox import Sandbox, brokers

LATENCY, JITTER = 3.0, 12.0  # shorter than in life, so that more calls meet more trouble
STARTER_KEY_PER_MINUTE = 60
STRIKE_EVERY = (3.0, 20.0)
ASK_EVERY = (1.0, 4.0)
MOST_WAITING = 30  # questions; more would only be waited for in the end
LOOK_EVERY_SECONDS = 1.0
FAST_FORWARD_EVERY_SECONDS = 10.0

# A customer of each persona that buys research, as the sandbox spells them.
PEOPLE = (
    *("enterprise-banking-low", "enterprise-retail-low", "enterprise-media-high"),
    *("business-design-high", "business-games-low", "pro-music-low", "trial-travel-medium"),
)


@dataclass
class Questions:
    """New customers leave. The personas are edited before each, so that the questions are new."""

    running: system.System
    sandbox: Sandbox
    random: random.Random
    acknowledged: list[str] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def ask(self) -> None:
        """Edit the personas and make one or two people leave, unless enough questions wait."""
        from benchmarks import ledger
        from personas.models import Persona

        if ledger.active_research() >= MOST_WAITING:
            return
        number = next(self._numbers)
        for persona in Persona.objects.exclude(research_focus=""):
            focus = persona.research_focus.partition(" (Round ")[0]
            words = f"{focus} (Round {number} of the chaos.)"
            Persona.objects.filter(pk=persona.pk).update(research_focus=words)
        events = [self._event() for _ in range(self.random.randint(1, 2))]
        acknowledged, answers = self.running.send(events)
        self.acknowledged += acknowledged
        self.answers += answers

    def _event(self) -> dict[str, Any]:
        number = next(self._numbers)
        person = f"{self.random.choice(PEOPLE)}-{number}"
        metric = self.random.choice(("unsubscribed", "spammed"))
        return system.event_of(f"chaos-{number}", person, self.sandbox, metric)


@dataclass
class Pauses:
    """Research that Mavera's account stopped: how often, and how often only a person resumed it."""

    patience: float
    seen: int = 0
    by_hand: int = 0
    breaker_opened: int = 0
    _paused_for: object = None
    _since: float = 0.0
    _breaker: object = None

    def look(self, sandbox: Sandbox) -> None:
        """Count new pauses; resume a pause that lasts although the account is in order."""
        from benchmarks import ledger
        from briefs.models import ResearchPolicy
        from briefs.research import working

        policy, now = ResearchPolicy.current(), time.monotonic()
        health = ledger.health()
        breaker = getattr(health, "opened_at", None) or getattr(health, "breaker_until", None)
        self.breaker_opened += breaker is not None and breaker != self._breaker
        self._breaker = breaker
        if policy.paused_at != self._paused_for:
            self.seen += policy.paused_at is not None
            self._paused_for, self._since = policy.paused_at, now
        if sandbox.credits != PLENTY:
            self._since = now
        if policy.paused_at and now - self._since > self.patience:
            policy.resume()
            working.wake()
            self.by_hand += 1


@dataclass(frozen=True)
class Money:
    """What the sandbox charged beyond the first time for each question, and why it had to."""

    questions: int  # that were paid more than once
    again: int
    unrecoverable: int  # charges whose answer was never in a thread
    for_nothing: int  # charges although an answer was in a thread

    @classmethod
    def of(cls, sandbox: Sandbox) -> "Money":
        charges = sandbox.charges
        return cls(
            questions=sum(charge.times > 1 for charge in charges),
            again=sum(max(0, charge.times - 1) for charge in charges),
            unrecoverable=sum(charge.times - charge.answers for charge in charges),
            for_nothing=sum(max(0, charge.answers - 1) for charge in charges),
        )


def main() -> None:
    given = _arguments()
    print(f"seed {given.seed}: {given.minutes:g} minutes of chaos", flush=True)
    dice = random.Random(given.seed)
    sandbox = Sandbox(
        latency=LATENCY,
        jitter=JITTER,
        credits=PLENTY,
        requests_per_minute=STARTER_KEY_PER_MINUTE,
    )
    broker = brokers.redis() if given.redis_away else None
    with system.running(sandbox, sqlite=given.sqlite, log=given.log, broker=broker) as running:
        _lift_budgets()
        killer = Killer(running.supervisor, sandbox.port, dice)
        upsets = Upsets(sandbox, dice)
        questions = Questions(running, sandbox, dice)
        pauses = Pauses(min(180.0, given.minutes * 15))
        seconds = given.minutes * 60
        with system.stopped_once(broker, after=seconds / 2, seconds=given.redis_away):
            _storm(seconds, running, killer, upsets, questions, pauses)
        took = _settle(given.patience, running, sandbox, pauses)
        _report(sandbox, killer, upsets, questions, pauses, took)
        broken = _broken_promises(sandbox, questions)
    for promise in broken:
        print(f"BROKEN: {promise}")
    sys.exit(bool(broken))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="of faults (%(default)g)")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the dice; else a random one"
    )
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    parser.add_argument(
        "--patience",
        type=float,
        default=1200.0,
        help="seconds to wait for the rest once the faults are over (%(default)g)",
    )
    parser.add_argument("--redis-away", type=float, default=0.0, help="seconds, half-way through")
    parser.add_argument("--log", type=Path, help="file for what web server and clusters log")
    return parser.parse_args()


def _lift_budgets() -> None:
    from briefs.models import ResearchPolicy

    policy = ResearchPolicy.current()
    print(
        f"policy as in production, {policy.concurrency} calls at once and "
        f"{policy.requests_per_minute} requests a minute; only its budgets are lifted"
    )
    ResearchPolicy.objects.update(day_budget=None, month_budget=None)


def _storm(
    seconds: float,
    running: system.System,
    killer: Killer,
    upsets: Upsets,
    questions: Questions,
    pauses: Pauses,
) -> None:
    dice = killer.random
    now = time.monotonic()
    end, strike_at, ask_at, look_at = now + seconds, now + dice.uniform(*STRIKE_EVERY), now, now
    while (now := time.monotonic()) < end:
        if now >= ask_at:
            questions.ask()
            ask_at = now + dice.uniform(*ASK_EVERY)
        if now >= strike_at:
            killer.strike()
            strike_at = now + dice.uniform(*STRIKE_EVERY)
        if now >= look_at:
            look_at = now + LOOK_EVERY_SECONDS
            upsets.tick()
            pauses.look(questions.sandbox)
            running.processes.check()
        killer.thaw()
        time.sleep(0.1)
    upsets.end()
    killer.thaw(everything=True)


def _settle(patience: float, running: system.System, sandbox: Sandbox, pauses: Pauses) -> float:
    """Wait until nothing is under way, or until patience ends; returns the seconds it took."""
    from benchmarks import ledger

    print("the faults are over; from now on backoffs are made due (fast-forward)", flush=True)
    began = forwarded_at = time.monotonic()
    while time.monotonic() - began < patience:
        left = (ledger.pending_events, ledger.active_research, ledger.undecided_briefs)
        if not any(count() for count in left):
            break
        if time.monotonic() - forwarded_at > FAST_FORWARD_EVERY_SECONDS:
            forwarded_at = time.monotonic()
            ledger.fast_forward()
        pauses.look(sandbox)
        running.processes.check()
        time.sleep(LOOK_EVERY_SECONDS)
    return time.monotonic() - began


def _report(
    sandbox: Sandbox,
    killer: Killer,
    upsets: Upsets,
    questions: Questions,
    pauses: Pauses,
    took: float,
) -> None:
    from benchmarks import ledger

    calls = ledger.calls()
    money = Money.of(sandbox)
    rows = {
        "faults scripted": f"{sum(upsets.counts.values())}: {_listed(upsets.counts)}",
        "blows": f"{sum(killer.blows.values())}: {_listed(killer.blows)}",
        "kills that hit a request under way": killer.kills_in_flight,
        "events answered 200": f"{len(questions.acknowledged)} (all answers: "
        f"{dict(questions.answers)})",
        "distinct questions": ledger.questions(),
        "calls to Mave": f"{calls.chats}, and {calls.free} free requests",
        "calls flagged as repeats": calls.repeats,
        "paid again / unrecoverable (sandbox)": f"{money.again} / {money.unrecoverable}, for "
        f"{money.questions} questions; {money.for_nothing} although an answer lay in a thread",
        "lost answers recovered": calls.recovered,
        "largest number in flight": f"{calls.most_in_flight} by the ledger, "
        f"{sandbox.max_in_flight} seen by the sandbox, {ledger.cap()} allowed",
        "worst minute": f"{calls.worst_minute} requests by the ledger, {sandbox.worst_minute} seen "
        "by the sandbox",
        "pauses": f"{pauses.seen} by Mavera's account, {pauses.by_hand} of them resumed by hand",
        "breaker": f"opened {pauses.breaker_opened} times",
        "events undrained, lost": f"{ledger.pending_events()}, "
        f"{len(ledger.lost_events(questions.acknowledged))}",
        "briefs dead, undecided": f"{ledger.dead_briefs()}, {ledger.undecided_briefs()}",
        "until all was quiet again": f"{took:.0f} s after the faults were over",
    }
    print()
    for name, value in rows.items():
        print(f"{name:<38}{value}")
    print("research by its end:")
    for state, reasons in sorted(ledger.end_states().items()):
        print(f"  {state:<12}{sum(reasons.values())}")
        for reason, count in reasons.most_common():
            if reason or state != "done":
                print(f"    {count:>5}  {reason or 'WITHOUT A REASON'}")


def _broken_promises(sandbox: Sandbox, questions: Questions) -> list[str]:
    from benchmarks import ledger
    from operations import invariants

    in_flight = max(ledger.calls().most_in_flight, sandbox.max_in_flight)
    lost = ledger.lost_events(questions.acknowledged)
    money = Money.of(sandbox)
    found = {
        f"{in_flight} calls at once, {ledger.cap()} allowed": in_flight > ledger.cap(),
        f"{len(lost)} events lost: {lost[:5]}": bool(lost),
        f"{ledger.pending_events()} events undrained": ledger.pending_events(),
        f"{ledger.dead_briefs()} briefs that no research comes for": ledger.dead_briefs(),
        f"{ledger.active_without_reason()} questions wait without a reason": (
            ledger.active_without_reason()
        ),
        f"{money.for_nothing} answers paid again although one lay in a thread": money.for_nothing,
        f"{money.again} paid again, {money.unrecoverable} unrecoverable": (
            money.again > money.unrecoverable
        ),
        f"{sandbox.worst_minute} requests in a minute, {STARTER_KEY_PER_MINUTE} allowed": (
            sandbox.worst_minute > STARTER_KEY_PER_MINUTE
        ),
    }
    rows = [str(row) for looked in invariants.check() for row in looked.broken]
    return [*(promise for promise, is_broken in found.items() if is_broken), *rows]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())


if __name__ == "__main__":
    main()
