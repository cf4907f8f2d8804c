"""Reprocessing many events, beside a drain that finds the same events due from the start.

    python -m benchmarks.reprocess [--events 20000] [--sqlite]

Events that ended, seven of ten with a brief, and the clusters that the supervisor runs (Mave is not
connected). In one run, the last two each on a copy of the database:

- one drain, new events: by which they ended, in one process; for comparison only, since an event
  that is read again has its signal and brief to be compared with;
- the clusters, ended events: all are due again from the start, and the bell is rung once. This is
  the ceiling: nobody has to read the bodies and make the rows due meanwhile;
- `reprocess_events --status processed ignored --yes`: from the start of the command, Python's own
  start included, to the last event's `finished_at`. Goal: 0.8 of the ceiling.

With the last it prints when the first event was done, and the rate from then on: the start costs
some seconds, which count less the more events there are.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import ingest
from benchmarks.installation import Database, Desk, new_postgres, new_sqlite
from benchmarks.pipeline import PENDING, show_rate
from webhooks.clock import NOW_SQL

GOAL = 0.8
MOST_SECONDS = 300


def drained(database: Database) -> float:
    """Events a second of the clusters, from one ring to the last event."""
    with _clusters(database) as desk:
        desk.step("due_again")
        rung_at = desk.step("ring_again")["rung_at"]
        _wait(desk)
    return _rate(database, rung_at)[0]


def reprocessed(database: Database) -> tuple[float, float]:
    with _clusters(database) as desk:
        now = NOW_SQL["postgresql" if database.is_postgres else "sqlite"]
        [(began,)] = database.query(f"SELECT {now}")
        print(f"  {_reprocess(desk, '--status', 'processed', 'ignored')}")
        _wait(desk)
    return _rate(database, str(began))


@contextmanager
def _clusters(database: Database) -> Iterator[Desk]:
    """Clusters that have worked on one event: their start takes seconds, and is none of this."""
    with Desk(database) as desk:
        desk.env["MAVERA_API_KEY"] = ""
        desk.start(web=False)
        [(first,)] = database.query("SELECT min(id) FROM webhooks_webhookevent")
        _reprocess(desk, "--ids", str(first))
        _wait(desk)
        yield desk


def _reprocess(desk: Desk, *selectors: str) -> str:
    """Run the command; returns its last line."""
    command = [sys.executable, "manage.py", "reprocess_events", *selectors, "--yes"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ingest.ROOT, env=desk.env, capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def _wait(desk: Desk) -> None:
    if not desk.wait(PENDING, 0, MOST_SECONDS):
        raise SystemExit("the clusters were not done in time")


def _rate(database: Database, since: str) -> tuple[float, float]:
    """Events a second since then, and the seconds until the first was done."""
    begin = f"TIMESTAMPTZ '{since}'" if database.is_postgres else f"'{since}'"
    first, last = (database.seconds(begin, f"{one}(finished_at)") for one in ("min", "max"))
    [(count, first_after, seconds)] = database.query(
        f"SELECT count(*), {first}, {last} FROM webhooks_webhookevent"
    )
    return float(count / seconds), float(first_after)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    given = parser.parse_args()
    with (new_sqlite if given.sqlite else new_postgres)() as database:
        print(f"{given.events:,} events, {database.name}, {os.cpu_count()} cores", flush=True)
        Desk(database).step("seed", given.events)
        alone = {"events": 0, "seconds": 0.0}
        while (done := Desk(database).step("drain"))["events"]:
            alone = {name: alone[name] + done[name] for name in alone}
        show_rate("one drain, new events", alone["events"] / alone["seconds"])
        ended, again = database.copy("ended"), database.copy("again")
        ceiling = drained(ended)
        show_rate("the clusters, ended events", ceiling, ceiling)
        rate, first_after = reprocessed(again)
        from_then = given.events / (given.events / rate - first_after)
        more = f"  first done after {first_after:.1f} s, then {from_then:.0f}/s"
        show_rate("reprocess_events", rate, ceiling, GOAL * ceiling, more)


if __name__ == "__main__":
    main()
