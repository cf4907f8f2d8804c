"""Writes all rules as one readable file, which `import_rules` reads."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from personas.models import RuleVersion
from personas.rules import documents


class Command(BaseCommand):
    help = "Write all rules, the present ones or those of a version, as YAML."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Here --version is one of the rules; that of Django is another command's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", nargs="?", help="Where to. Without it: standard output.")
        words = "The rules of this version instead of the present ones."
        parser.add_argument("--version", type=int, dest="number", metavar="N", help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        document = documents.take()
        if options["number"] is not None:
            version = RuleVersion.objects.filter(number=options["number"]).first()
            if version is None:
                raise CommandError(f"There is no version {options['number']} of the rules.")
            if version.document_ended_at:
                raise CommandError(f"The rules of version {version.number} are no longer kept.")
            document = version.document
        text = documents.written(document)
        if not options["file"]:
            self.stdout.write(text, ending="")
            return
        try:
            Path(options["file"]).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from error
        rows = sum(len(value) for value in document.values() if isinstance(value, list))
        self.stdout.write(f"{rows} rules written to {options['file']}.")
