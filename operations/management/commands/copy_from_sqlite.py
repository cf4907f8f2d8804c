"""Copies an installation from SQLite into PostgreSQL, and compares both."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from operations.copying import source as sources
from operations.copying.copying import Compared, copy, filled_tables
from operations.copying.lines import NotCopied
from operations.management.commands.reprocess_events import Progress


class Command(BaseCommand):
    help = (
        "Copy a whole installation from a file of SQLite into the empty PostgreSQL that "
        "DATABASE_URL names: make its tables, copy all rows in one transaction, compare each "
        "table's number of rows and the digest of them. If anything differs, or the command is "
        "stopped, the target stays empty. The file is only read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="db.sqlite3, or its address: sqlite:////srv/db.sqlite3")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="Copy and compare, then take it all back. Savedesk may run on the file meanwhile.",
        )
        parser.add_argument(
            "--while-running",
            action="store_true",
            help="Copy although something has the file open. What it writes meanwhile is left out.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if connection.vendor != "postgresql":
            raise CommandError("Set DATABASE_URL to the PostgreSQL that the rows are to go to.")
        path = Path(unquote(options["file"].removeprefix("sqlite:///")))
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        is_free = options["dry_run"] or options["while_running"]
        if (users := sources.users(path)) and not is_free:
            raise CommandError(
                f"{len(users)} processes have {path} open ({', '.join(map(str, users[:5]))}). Stop "
                "Savedesk on this machine first, so that nothing comes after the copy: see “From "
                "SQLite to PostgreSQL” in docs/operations.md. --dry-run works beside it."
            )
        try:
            with sources.opened(path) as source:
                compared = self._copy(source, options, is_free)
        except NotCopied as error:
            raise CommandError(f"Nothing was copied: {error}. The target is as it was.") from error
        self._tell(compared, options)

    def _copy(
        self, source: sources.Source, options: dict[str, Any], is_free: bool
    ) -> list[Compared]:
        if why := source.why_not_migrated():
            raise NotCopied(f"{source.path} {why}")
        if used := filled_tables():  # looked at before anything is made there
            raise NotCopied(f"the target is not empty: {', '.join(used)}")
        call_command("migrate", verbosity=0, interactive=False)

        def report(table: str, rows: int) -> Progress:
            progress = Progress(rows)
            if progress.is_shown:
                self.stderr.write(table)
            return progress

        def keep() -> bool:
            if not is_free and source.was_written_to:
                raise NotCopied(f"something wrote into {source.path} meanwhile. Stop it first")
            return not options["dry_run"]

        compared = copy(source, report, keep=keep)
        if not options["dry_run"]:
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")
        return compared

    def _tell(self, compared: list[Compared], options: dict[str, Any]) -> None:
        for one in compared:
            if one.sent[0] or one.arrived[0]:
                said = "equal" if one.is_equal else f"DIFFERS: {one.arrived[0]:,} arrived"
                self.stdout.write(f"{one.table:<44}{one.sent[0]:>12,}  {said}")
        rows = sum(one.sent[0] for one in compared)
        if different := [one.table for one in compared if not one.is_equal]:
            raise CommandError(
                f"{len(different)} of {len(compared)} tables differ. All was taken back: the "
                "target is as empty as it was. Go on with the file."
            )
        done = "compared and taken back" if options["dry_run"] else "copied and compared: all equal"
        self.stdout.write(f"{len(compared)} tables, {rows:,} rows {done}.")
