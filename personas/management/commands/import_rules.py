"""Puts the rules of a file in place of the present ones: what differs first, all or nothing."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from personas.rules import documents, restoring
from personas.rules.applying import Refused
from personas.rules.documents import Document
from personas.rules.parts import Unreadable
from personas.rules.versions import NotAccepted


class Command(BaseCommand):
    help = (
        "Put the rules of a file in place of the present ones. Says what differs first. Nothing is "
        "changed if the file has a mistake, or does what must be accepted and was not."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="As export_rules writes it: YAML or JSON.")
        parser.add_argument("--dry-run", action="store_true", help="Say what differs, no more.")
        parser.add_argument("--accept", action="store_true",
                            help="Accept what it says that must be accepted.")  # fmt: skip
        parser.add_argument("--why", default="", help="Kept with the version.")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = _read(options["file"])
            seen = restoring.preview(document)
        except (Unreadable, Refused) as error:
            mistakes = error.errors if isinstance(error, Refused) else [str(error)]
            raise CommandError("\n".join([*mistakes, "Nothing was changed."])) from error
        for line in [*(one.in_full for one in seen.differences), *seen.notes]:
            self.stdout.write(line)
        sentences = seen.refusal.sentences if seen.refusal else []
        for words in sentences:
            self.stdout.write(f"To be accepted: {words}")
        counted = f"{len(seen.differences)} differences"
        if options["dry_run"] or not seen.differences:
            self.stdout.write(f"{counted}; nothing was changed.")
            return
        if sentences and not options["accept"]:
            raise CommandError("Nothing was changed: give --accept if this is what you want.")
        accepted = seen.refusal.fingerprint if seen.refusal else ""
        what = f"Imported {Path(options['file']).name}"
        try:
            version = restoring.put_in_place(
                document, None, what, why=options["why"], accepted=accepted
            )
        except (Refused, NotAccepted) as error:
            raise CommandError(f"The rules changed meanwhile, and nothing was imported: {error}") \
                from error  # fmt: skip
        self.stdout.write(f"{counted}; {version}.")


def _read(file: str) -> Document:
    try:
        return documents.read(Path(file).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise Unreadable(f"{file} is no text in UTF-8.") from error
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
