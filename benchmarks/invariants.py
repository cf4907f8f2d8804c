"""How long check_invariants takes at size, promise by promise.

    python -m benchmarks.invariants                              200,000 briefs, 1,000,000 events
    python -m benchmarks.invariants --sqlite --briefs 2000

A database of its own is filled as for `benchmarks.desk`; `--database` names one to use instead. The
ceiling is one look at each of the tables, which is the least that all of it can take: the last line
is how many times as long the whole command takes, and how many promises the filling breaks.
"""

import argparse
import os
import time
from contextlib import ExitStack

import django

from benchmarks.desk import database, filled
from benchmarks.installation import Desk
from benchmarks.pipeline import WIDTH

TABLES = ("webhooks_webhookevent", "briefs_signal", "briefs_brief", "briefs_research",
          "briefs_mavecall", "briefs_notification", "personas_customer", "briefs_briefdocument",
          "briefs_customerdocument")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=200_000)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--database", default="", help="the address of one to use instead")
    given = parser.parse_args()
    with ExitStack() as stack:
        used = stack.enter_context(database(given.database, is_sqlite=given.sqlite))
        os.environ.update(stack.enter_context(Desk(used)).env)
        django.setup()
        filled(given.briefs)
        from operations import invariants

        began = time.monotonic()
        for table in TABLES:
            used.query(f"SELECT max(length(CAST(id AS text))), count(*) FROM {table}")
        ceiling = time.monotonic() - began
        print(f"{'ceiling: one look at each table':<{WIDTH}}{ceiling:8.2f} s", flush=True)
        began, broken = time.monotonic(), 0
        for one in invariants.check():
            broken += bool(one.broken)
            print(
                f"{one.promise.name:<{WIDTH}}{one.seconds:8.2f} s{one.found:>8} found", flush=True
            )
        took = time.monotonic() - began
        print(f"{'all':<{WIDTH}}{took:8.2f} s, {took / ceiling:.1f} × ceiling, {broken} broken")


if __name__ == "__main__":
    main()
