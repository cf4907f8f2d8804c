"""How long 1,000 good events take with and without 20 poisonous ones among them.

    python -m benchmarks.poison               on PostgreSQL, durability on
    python -m benchmarks.poison --sqlite      on SQLite

Each poison comes by the receiver's own code, which quarantines what it knows: an identifier that is
too long, an id of 990 characters beyond the basic plane, JSON nested 900 deep. A fourth kind is met
only in the batch: an identifier that an earlier version let in and an index of PostgreSQL refuses.
The time is one drain's, in a process of its own, until no event is due. Each of the rounds has a
database of its own; the shortest of each counts.
"""

import argparse
from typing import Any

from benchmarks.installation import Database, Desk, new_postgres, new_sqlite

GOAL = 1.5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--poison", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with (new_sqlite if given.sqlite else new_postgres)() as database:
        rounds = [_round(database, given.events, given.poison, n) for n in range(given.rounds)]
    good = min(without["seconds"] for without, _ in rounds)
    mixed = min(among["seconds"] for _, among in rounds)
    missed = " MISSED" if mixed / good > GOAL else ""
    print(f"{database.name}: {given.events} good events {good:.2f} s")
    print(f"  with {given.poison} poisonous among them {mixed:.2f} s")
    print(f"  ratio {mixed / good:.2f}, goal {GOAL}{missed}")
    last = rounds[-1][1]
    print(f"  ended as {last['states']}; good ones that were tried again: {last['again']}")


def _round(
    database: Database, events: int, poison: int, number: int
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What draining the same backlog took: without the poison, and with it."""
    seeded = database.copy(f"seeded{number}")
    Desk(seeded).step("seed", events)
    poisoned = seeded.copy(f"poisoned{number}")
    Desk(poisoned).step("poison", poison)
    return Desk(seeded).step("drain_first_tries"), Desk(poisoned).step("drain_first_tries")


if __name__ == "__main__":
    main()
