"""Fills an empty database with starter rules; rules that somebody changed are left alone."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from personas import starter


class Command(BaseCommand):
    help = (
        "Load the starter rules, personas, first steps and attribute names where there are none. "
        "With --pack, those of another kind of business, as long as nobody has changed the rules."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        packs = "; ".join(f"{pack.name}: {pack.label}" for pack in starter.PACKS.values())
        parser.add_argument("--pack", choices=list(starter.PACKS), help=packs)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["pack"]:
            try:
                is_loaded = starter.choose(options["pack"])
            except starter.Changed as error:
                raise CommandError(f"{error} Nothing was changed.") from error
            words = "loaded." if is_loaded else "there already; nothing was changed."
            self.stdout.write(f"Starter rules “{options['pack']}”: {words}")
            return
        loaded = starter.load_if_empty()
        self.stdout.write(
            f"{loaded} rules loaded." if loaded else "Rules exist already; nothing was changed."
        )
