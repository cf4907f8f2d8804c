"""Erasing a person among 1,000,000 events and 200,000 briefs.

    python -m benchmarks.erase                              PostgreSQL
    python -m benchmarks.erase --sqlite --briefs 20000      SQLite

A database of its own is filled by `benchmarks.filling`; each brief has five events. Two people are
taken, one after the other:

- the ceiling: the rows of one person deleted by their keys, which are known;
- the dry run and `erase_customer` of the other: finding the rows, emptying them, and searching
  every text in all tables for all that names the person. Goal: 60 s, however far that is from the
  ceiling, because it reads whole tables and the ceiling does not.
"""

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

import django

from benchmarks.desk import database, filled
from benchmarks.installation import Desk

GOAL = 60.0
CEILING, ERASED = 777, 778  # keys of customers


def delete_by_keys(key: int) -> None:
    from briefs.models import Activity, Brief, Comment, ContactLog, Signal
    from personas.models import Customer
    from webhooks.models import WebhookEvent

    briefs = list(Brief.objects.filter(customer=key).values_list("pk", flat=True))
    signals = Signal.objects.filter(customer=key)
    events = list(signals.values_list("event", flat=True))
    for model in (Activity, Comment, ContactLog):
        model.objects.filter(brief__in=briefs).delete()
    signals.delete()
    Brief.objects.filter(pk__in=briefs).delete()
    WebhookEvent.objects.filter(pk__in=events).delete()
    Customer.objects.filter(pk=key).delete()


def timed(name: str, work: Callable[[], Any], ceiling: float = 0.0) -> float:
    began = time.monotonic()
    work()
    seconds = time.monotonic() - began
    beside = f"  {seconds / ceiling:.0f} times the ceiling" if ceiling else ""
    print(f"{name:<40}{seconds:>9.2f} s{beside}", flush=True)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=200_000)
    parser.add_argument("--sqlite", action="store_true", help="instead of PostgreSQL")
    parser.add_argument("--database", default="", help="the address of one to use instead")
    given = parser.parse_args()
    with database(given.database, is_sqlite=given.sqlite) as used:
        os.environ.update(Desk(used).env)
        django.setup()
        filled(given.briefs)
        from briefs.forgetting import erasing, people
        from briefs.models import Erasure

        print(f"{given.briefs * 5:,} events, {used.name}, {os.cpu_count()} cores", flush=True)
        term = f"user-{ERASED}@example.com"
        ceiling = timed("ceiling: rows deleted by their keys", lambda: delete_by_keys(CEILING))
        timed("the person found", lambda: people.find(term), ceiling)
        timed("dry run", lambda: erasing.count(people.find(term)), ceiling)
        row = Erasure.objects.create(way=Erasure.Way.COMMAND)
        seconds = timed("erased", lambda: erasing.erase(people.find(term), row), ceiling)
        print(f"  {sum(row.counts.values()):,} rows{'' if seconds < GOAL else '  MISSED'}")


if __name__ == "__main__":
    main()
