"""Says which promises the stored rows break, and what to do about it."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from operations import invariants
from operations.invariants import PROMISES, Looked

SHOWN = 10  # of the rows that break a promise


class Command(BaseCommand):
    help = (
        "Look through all rows for what Savedesk promises never to be: an event in two states, two "
        "open briefs for one customer, a call paid again without a record, a number on a page that "
        "is not that of its rows. Reads one moment of the database and writes nothing, so it may "
        "be run at any time. Ends with 1 if a promise is broken."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = [one.name for one in PROMISES]
        parser.add_argument(
            "--only", nargs="+", choices=names, metavar="NAME", help="Look for these alone."
        )
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        only = options["only"]
        looked = invariants.check([one for one in PROMISES if not only or one.name in only])
        if options["json"]:
            found = list(looked)
            self.stdout.write(json.dumps([_report(one) for one in found], indent=2))
        else:
            found = self._tell(looked)
        broken = sum(bool(one.broken) for one in found)
        summary = f"{len(found)} promises: {broken} broken."
        if broken:
            raise CommandError(summary)
        if not options["json"]:
            self.stdout.write(summary)

    def _tell(self, looked: Iterable[Looked]) -> list[Looked]:
        """Print each as soon as it is known: a million events take a while."""
        told = []
        for one in looked:
            style = self.style.ERROR if one.broken else self.style.SUCCESS
            level = style("BROKEN" if one.broken else "kept  ")
            self.stdout.write(
                f"{level} {one.rows:>11,} looked at {one.found:>7} found  {one.promise.words}"
            )
            for row in one.broken[:SHOWN]:
                self.stdout.write(f"         {row}")
            if len(one.broken) > SHOWN:
                self.stdout.write("         … --json names more")
            if one.broken:
                self.stdout.write(f"       {one.promise.cure}")
            self.stdout.flush()
            told.append(one)
        return told


def _report(one: Looked) -> dict[str, Any]:
    return {
        "name": one.promise.name,
        "promise": one.promise.words,
        "looked_at": one.rows,
        "found": len(one.broken),
        "rows": [asdict(row) for row in one.broken],
        "cure": one.promise.cure if one.broken else "",
        "seconds": round(one.seconds, 3),
    }
