"""Removes what is over by the retention policy, now instead of at night."""

import sys
from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from operations.management.commands.reprocess_events import Progress, Stopping
from operations.pruning.endings import Ending, endings
from operations.pruning.working import state_of, work
from webhooks.clock import database_now
from webhooks.models import Pruning, RetentionPolicy


class Command(BaseCommand):
    help = (
        "Remove what is older than the retention policy in the admin says: raw bodies, events, "
        "notifications, log-ins and the like. The sweep does the same every night. Small batches, "
        "and none while the workers are behind. It may be stopped: begun again, it goes on."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="Count what would go; change nothing."
        )
        parser.add_argument("--limit", type=int, metavar="N", help="So many rows at most.")

    def handle(self, *args: Any, **options: Any) -> None:
        limit = options["limit"]
        if limit is not None and limit < 1:
            raise CommandError("--limit is a number of rows, from 1 on.")
        if options["dry_run"]:
            counts = _counts()
            self._tell(counts)
            self.stdout.write(f"{counts.total():,} rows would end, nothing changed.")
            return
        self._prune(limit)

    def _prune(self, limit: int | None) -> None:
        state = state_of()
        if not state.claim(is_asked=True):
            raise CommandError(
                "It is under way already, on this host or another. Webhook health says how far it "
                "came; once that worker ended, begin again."
            )
        done: Counter[str] = Counter()
        at = ""
        progress = Progress(min(limit or sys.maxsize, _counts().total()))

        def tell(ending: Ending, number: int) -> None:
            nonlocal at
            at = ending.words
            done[ending.words] += number
            progress(done.total())

        with Stopping() as stopping:
            is_complete = work(state, limit=limit, is_stopped=stopping, tell=tell)
        self._tell(done)
        self.stdout.write(f"{done.total():,} rows ended.")
        if stopping():
            where = f" in {at}" if at else ""
            raise CommandError(f"Stopped{where}: {stopping.why}. To go on: manage.py prune")
        if limit is not None and done.total() >= limit:
            self.stdout.write("That is the limit. There may be more: begin again.")
        elif not is_complete:
            why = state.trouble or "another worker took over"
            raise CommandError(f"Not all was removed: {why}. The log says more.")

    def _tell(self, counts: Counter[str]) -> None:
        for words, number in counts.items():
            if number:
                self.stdout.write(f"{number:>9,}  {words}")


def _counts() -> Counter[str]:
    """How many rows of each kind would end now. Failed events count once people were told."""
    found = endings(RetentionPolicy.current(), database_now(), Pruning.known())
    return Counter({ending.words: ending.over().count() for ending in found})
