"""Erases all that is kept about one person, for ever; and lets somebody erased be known again."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from briefs.forgetting import erasing, people
from briefs.models import Erasure
from webhooks.models import Tombstone
from webhooks.personal import Person


class Command(BaseCommand):
    help = (
        "Erase all that is kept about one person: events, customer, briefs, whatever people wrote "
        "about them, and every text that quotes them. What Customer.io still sends about them is "
        "emptied from then on. It cannot be undone. See “Forget a person” in docs/operations.md."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "identifier",
            help="Any id, cio_id, e-mail address or number, of now or of before. To be exact: "
            "cio_id:…, id:…, email:…, phone:… or customer:17.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Count what would go; change nothing."
        )
        parser.add_argument("--yes", action="store_true", help="Do not ask at a terminal.")
        parser.add_argument(
            "--allow-again",
            action="store_true",
            help="Somebody erased signed up anew: work on their events from now on. Say each "
            "identifier, in a run of its own.",
        )
        parser.add_argument(
            "--vacuum",
            action="store_true",
            help="On SQLite also write the file anew, so that no byte is left in it. Events wait.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        term = options["identifier"]
        if options["allow_again"]:
            self._allow(term)
            return
        try:
            person = people.find(term)
        except people.Several as error:
            raise CommandError(f"{error}{', '.join(error.people)}") from None
        except people.Unknown as error:
            raise CommandError(str(error)) from None
        if options["dry_run"]:
            self._foresee(person)
            self.stdout.write("Nothing was changed.")
        elif options["yes"] or self._is_agreed(person):
            self._erase(person, is_vacuum=options["vacuum"])
        else:
            self.stdout.write("Nothing was changed.")

    def _allow(self, term: str) -> None:
        if not Tombstone.objects.all().lift(people.by_identifiers(term)):
            raise CommandError("Nobody with this identifier was erased.")
        self.stdout.write(
            "Events under this identifier are worked on from now on, unless they carry another one "
            "of somebody erased."
        )

    def _is_agreed(self, person: Person) -> bool:
        if not (sys.stdin.isatty() and self.stdout.isatty()):
            return True
        self._foresee(person)
        return input("Erase this person for ever? [y/N] ").strip().lower() in ("y", "yes")

    def _erase(self, person: Person, *, is_vacuum: bool) -> None:
        customer = next(iter(person.customers), None)
        row = Erasure.objects.create(way=Erasure.Way.COMMAND, customer=customer)
        # Under a lease: if this process ends, a worker goes on; while it lives, none does.
        erasure = erasing.erase(person, Erasure.objects.claim(row.pk) or row)
        self._show(erasure.counts)
        self._tell(erasure.left)
        if erasure.left:
            self.stdout.write(
                "Change these, and erase once more by each identifier: former versions keep them."
            )
        if is_vacuum and connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute("VACUUM")
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.stdout.write(f"The person is erased (erasure {erasure.pk}).")

    def _foresee(self, person: Person) -> None:
        self._show(erasing.count(person))
        if places := erasing.told(person):
            self._tell(places)
            self.stdout.write("No erasure changes these: change them first, then erase.")

    def _tell(self, places: list[str]) -> None:
        for place in places:
            self.stdout.write(self.style.WARNING(f"Still names the person: {place}"))

    def _show(self, counts: dict[str, int]) -> None:
        if not counts:
            self.stdout.write("There is nothing to erase.")
        for table, number in counts.items():
            self.stdout.write(f"{number:>9,}  {table}")
