"""Four idle hosts on one PostgreSQL: the statements they ask it and the connections they hold.

    python -m benchmarks.idle              --hosts, --seconds, --samples for less
    python -m benchmarks.idle --no-web     one web host, and the others workers only
    python -m benchmarks.idle --pooled     through PgBouncer, if it is installed

Each host is a supervisor with a web server and both clusters. The server writes every statement
into its log, and the benchmark counts the lines. The figures:

- idle: statements a second while nothing happens, and what was asked most often.
- stored -> brief: signed unsubscribes a few seconds apart, so that each finds the hosts idle;
  from the event's `received_at` to the brief's `created_at`, both stamped by the database.
- connections: of all hosts, while idle and some seconds after a load of events and research.
"""

import argparse
import re
import secrets
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from benchmarks.installation import Database, Desk, prepared
from benchmarks.pipeline import PENDING, percentile, show_times, unsubscribe
from sandbox.pgbouncer import pgbouncer
from sandbox.postgres import postgres

GOAL_STATEMENTS = 20  # a second, of four hosts
WARM_UP_SECONDS = 40  # the first schedules run 30 seconds after the start of a cluster
BETWEEN_SECONDS = 2.5
AFTER_LOAD_SECONDS = 10
LATENCY = 0.5  # seconds that Mave thinks
_STATEMENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.{0,200})")
_VALUES = re.compile(r"'[^']*'(?:::\w+)?|\b\d+\b")
_MOST_OFTEN = 8


@contextmanager
def watched() -> Iterator[tuple[Database, Path]]:
    """An empty database, and the log in which its server writes every statement."""
    with postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE savedesk")
            connection.execute("ALTER SYSTEM SET log_statement = 'all'")
            connection.execute("SELECT pg_reload_conf()")
            [(folder,)] = connection.execute("SHOW data_directory").fetchall()
        database = Database(urlunsplit(urlsplit(url)._replace(path="/savedesk")))
        yield prepared(database), Path(folder) / "log"


def asked(log: Path, since: int) -> list[str]:
    """The statements in the log after this byte."""
    with log.open("rb") as lines:
        lines.seek(since)
        return _STATEMENT.findall(lines.read().decode(errors="replace"))


def connections(database: Database) -> int:
    """Those of Savedesk: all clients of the database but this one."""
    [(count,)] = database.query(
        "SELECT count(*) - 1 FROM pg_stat_activity"
        " WHERE datname = 'savedesk' AND backend_type = 'client backend'"
    )
    return int(count)


# The figures --------------------------------------------------------------------------------------


def idle(log: Path, seconds: float) -> None:
    begin, began = log.stat().st_size, time.monotonic()
    time.sleep(seconds)
    statements, took = asked(log, begin), time.monotonic() - began
    rate = len(statements) / took
    missed = " MISSED" if rate > GOAL_STATEMENTS else ""
    print(f"idle: {rate:.1f} statements a second  goal {GOAL_STATEMENTS}{missed}", flush=True)
    kinds = Counter(_VALUES.sub("?", statement)[:90] for statement in statements)
    for statement, count in kinds.most_common(_MOST_OFTEN):
        print(f"  {count / took:6.2f}/s  {statement}", flush=True)


def stored_to_brief(database: Database, desk: Desk, samples: int) -> None:
    run = secrets.token_hex(3)
    for number in range(samples):
        desk.post(unsubscribe(run, number))
        time.sleep(BETWEEN_SECONDS)
    desk.wait(PENDING, 0, 60)
    rows = database.query(
        f"SELECT {database.seconds('e.received_at', 'b.created_at')}"
        " FROM webhooks_webhookevent e JOIN briefs_signal s ON s.event_id = e.id"
        f" JOIN briefs_brief b ON b.id = s.brief_id WHERE e.event_id LIKE '{run}-%'"
    )
    lengths = [float(seconds) for (seconds,) in rows]
    show_times("stored -> brief, each from idle", lengths)
    if lengths:
        print(f"  slowest {percentile(lengths, 1.0):.0f} ms", flush=True)


def after_load(database: Database, desks: list[Desk], events: int) -> None:
    run = secrets.token_hex(3)
    for number in range(events):
        desks[number % len(desks)].post(unsubscribe(run, number))
    desks[0].step("questions", events)
    desks[0].wait(PENDING, 0, 120)
    desks[0].wait("SELECT -count(*) FROM briefs_research WHERE status <> 'done'", 0, 180)
    time.sleep(AFTER_LOAD_SECONDS)
    [(allowed,)] = database.query("SELECT current_setting('max_connections')")
    print(f"connections after load: {connections(database)} of {allowed}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hosts", type=int, default=4)
    parser.add_argument("--no-web", action="store_true", help="only the first has a web server")
    parser.add_argument("--pooled", action="store_true", help="through PgBouncer")
    parser.add_argument("--seconds", type=float, default=60, help="of idleness")
    parser.add_argument("--samples", type=int, default=20, help="single events")
    parser.add_argument("--load", type=int, default=100, help="events and questions at once")
    given = parser.parse_args()
    with watched() as (database, log), ExitStack() as stack:
        url = stack.enter_context(pgbouncer(database.url)) if given.pooled else database.url
        desks = [stack.enter_context(Desk(database)) for _ in range(given.hosts)]
        desks[0].start_sandbox(LATENCY)
        for number, desk in enumerate(desks):
            desk.env.update(
                DATABASE_URL=url,
                CIO_APP_BASE_URL=desks[0].env["CIO_APP_BASE_URL"],
                MAVERA_BASE_URL=desks[0].env["MAVERA_BASE_URL"],
            )
            desk.start(web=not (given.no_web and number))
        time.sleep(WARM_UP_SECONDS)
        print(f"{given.hosts} hosts on PostgreSQL{' behind PgBouncer' * given.pooled}\n")
        idle(log, given.seconds)
        print(f"connections while idle: {connections(database)}", flush=True)
        stored_to_brief(database, desks[0], given.samples)
        after_load(database, desks[:1] if given.no_web else desks, given.load)


if __name__ == "__main__":
    main()
