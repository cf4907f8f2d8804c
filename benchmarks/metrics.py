"""A scrape of /metrics at size: how long each part takes, beside a SELECT 1 of the same process.

    python -m benchmarks.metrics                              PostgreSQL, 1,000,000 events
    python -m benchmarks.metrics --sqlite --briefs 20000      SQLite
    python -m benchmarks.metrics --pending 50000              while so many events wait

A database of its own is filled by `benchmarks.filling`, five events a brief; `--database` names
one to use instead, which is filled unless it has briefs. The web server is asked over HTTP, as
Prometheus does. The ceilings are what it takes for a probe, and the database for nothing.
"""

import argparse
import http.client
import os
import time
from collections import defaultdict
from contextlib import ExitStack
from datetime import timedelta

import django

from benchmarks import ingest
from benchmarks.desk import database, filled
from benchmarks.installation import Desk
from benchmarks.pipeline import WIDTH, percentile

GOAL = 100  # ms, of p95


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[float, str]:
    """Seconds, and the body."""
    began = time.perf_counter()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read().decode()
    if answer.status != 200:
        raise SystemExit(f"{path} answered {answer.status}: {body[:200]}")
    return time.perf_counter() - began, body


def select_one() -> float:
    from django.db import connection

    began = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()
    return time.perf_counter() - began


def told(name: str, lengths: list[float]) -> float:
    """Print it; returns p95 in milliseconds."""
    p50, p95 = (percentile(lengths, share) for share in (0.5, 0.95))
    print(f"{name:<{WIDTH}}p50 {p50:8.2f}  p95 {p95:8.2f} ms", flush=True)
    return p95


def count_an_hour() -> None:
    """What the sweep does each minute, for the last hour at once; print how long it took."""
    from operations.metrics import counting
    from webhooks.clock import database_now
    from webhooks.models import Meter, MeterCount

    hour_ago = database_now() - timedelta(hours=1)
    Meter.objects.update_or_create(pk=1, defaults={"counted_until": hour_ago})
    began = time.perf_counter()
    counting.count()
    print(f"an hour was counted in {1000 * (time.perf_counter() - began):.0f} ms,"
          f" {MeterCount.objects.count()} counts", flush=True)  # fmt: skip


def wait(number: int) -> None:
    """Let the newest events wait to be worked on; no worker runs."""
    from webhooks.models import WebhookEvent

    newest = WebhookEvent.objects.order_by("-pk").values("pk")[:number]
    WebhookEvent.objects.filter(pk__in=newest).update(status="pending", finished_at=None)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--pending", type=int, default=0)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--database", default="", help="the address of one to use instead")
    given = parser.parse_args()
    with ExitStack() as stack:
        used = stack.enter_context(database(given.database, is_sqlite=given.sqlite))
        desk = stack.enter_context(Desk(used))
        os.environ.update(desk.env)
        django.setup()
        filled(given.briefs)
        count_an_hour()
        if given.pending:
            wait(given.pending)
        events = used.query("SELECT count(*) FROM webhooks_webhookevent")[0][0]
        stack.enter_context(ingest.process(desk.env, *ingest.web_command(desk.env)))
        ingest.wait_for(desk.port)
        connection = http.client.HTTPConnection("127.0.0.1", desk.port, timeout=60)
        print(f"{used.name}, {events:,} events, {os.cpu_count()} cores, {given.rounds} scrapes\n")
        print(f"first scrape: {1000 * ask(connection, '/metrics')[0]:.0f} ms", flush=True)
        scrapes, parts, bodies = list[float](), defaultdict[str, list[float]](list), set[str]()
        probes, nothing = list[float](), list[float]()
        for _ in range(given.rounds):
            seconds, body = ask(connection, "/metrics")
            scrapes.append(seconds)
            for line in body.splitlines():
                if line.startswith("savedesk_scrape_part_seconds{"):
                    parts[line.split('"')[1]].append(float(line.split()[-1]))
                if line.startswith("savedesk_scrape_errors{") and not line.endswith(" 0.0"):
                    bodies.add(line)
            probes.append(ask(connection, "/livez")[0])
            nothing.append(select_one())
        for name in sorted(parts, key=lambda name: -sum(parts[name])):
            told(f"  {name}", parts[name])
        one = told("ceiling: SELECT 1", nothing)
        probe = told("ceiling: a probe over HTTP", probes)
        p95 = told("/metrics over HTTP", scrapes)
        print(f"{'':<{WIDTH}}{p95 / one:.0f} times SELECT 1, {p95 / probe:.1f} times a probe")
        print(*sorted(bodies), sep="\n")
        if p95 > GOAL or bodies:
            raise SystemExit(f"p95 {p95:.0f} ms, goal {GOAL} ms: MISSED")


if __name__ == "__main__":
    main()
