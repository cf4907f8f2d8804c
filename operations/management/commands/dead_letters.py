"""Lists what was given up, and has it tried again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from briefs.dead_letters import letters, listing, replaying
from briefs.dead_letters.letters import Choice, Kind
from briefs.dead_letters.replaying import Outcome
from briefs.times import clock_and_day

SHOWN = 50  # unless a limit is given


class Command(BaseCommand):
    help = (
        "List dead letters of every kind, the latest first: events that failed on every try or "
        "could not be read, questions to Mave, messages, reprocessing jobs. With --replay they are "
        "tried again. Selectors narrow each other down."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--kind", nargs="+", choices=Kind.values, default=[], help="Of these kinds."
        )
        parser.add_argument(
            "--id", nargs="+", metavar="ID", default=[], help="These, as the list names them."
        )
        parser.add_argument(
            "--reason", default="", metavar="WORDS", help="With these words in the reason."
        )
        parser.add_argument("--limit", type=int, help="So many at most; of a replay the oldest.")
        parser.add_argument("--replay", action="store_true", help="Try them again.")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Say what a replay would do, and how many credits it may cost; change nothing.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = tuple(Kind(kind) for kind in options["kind"])
        choice = Choice(kinds=kinds, words=options["reason"], names=tuple(options["id"]))
        there = {letter.name for letter in listing.every(choice)} if options["id"] else set()
        if options["dry_run"]:
            self._tell(replaying.look(choice, None, options["limit"]))
        elif options["replay"]:
            self._replay(choice, options["limit"])
        else:
            self._list(choice, options["limit"] or SHOWN)
        unknown = [one for one in options["id"] if one not in there]
        if unknown:
            raise CommandError(f"No dead letter is called {', '.join(unknown)}.")

    def _list(self, choice: Choice, limit: int) -> None:
        for letter in listing.every(choice, limit):
            standing = f", {letter.standing}" if letter.standing else ""
            self.stdout.write(
                f"{letter.name:<18} {clock_and_day(letter.last_at)}, {letter.tries} tries  "
                f"{letter.about}{standing}"
            )
            code = f"{letter.code}: " if letter.code else ""
            self.stdout.write(f"    {code}{letter.reason or 'no reason was noted'}")
        number = choice.count()
        none = "Nothing failed." if choice == Choice() else "None of these failed."
        self.stdout.write(f"Dead letters: {number:,}." if number else none)
        if tests := letters.tests().count():
            self.stdout.write(f"Signed tests, with which nothing is wrong: {tests:,}.")

    def _tell(self, outcome: Outcome) -> None:
        for number, kind, what in outcome.would:
            self.stdout.write(f"{number:>9,}  {kind}: {what}")
        for why, number in outcome.left.most_common():
            self.stdout.write(f"{number:>9,}  would stay: {why}")
        self.stdout.write(f"It costs {outcome.most_credits:,} credits at most. Nothing is changed.")

    def _replay(self, choice: Choice, limit: int | None) -> None:
        outcome = replaying.replay_letters(choice, None, limit)
        for why, number in outcome.left.most_common():
            self.stdout.write(f"{number:>9,}  left: {why}")
        self.stdout.write(f"{outcome.number:,} replayed, {sum(outcome.left.values()):,} left.")
