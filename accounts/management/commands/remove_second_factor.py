"""Removes somebody's second factor: the last resort, when no lead can."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.signing_in import factors, names


class Command(BaseCommand):
    help = "Remove the second factor of somebody who lost the app and the recovery codes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="user name or mail address")

    def handle(self, *args: Any, user: str, **options: Any) -> None:
        found = names.named(user)
        if found is None:
            raise CommandError(f"There is nobody called {user}.")
        had_one = factors.remove(found)
        done = "is removed" if had_one else "was none: nothing to remove"
        self.stdout.write(f"Second factor of {found.get_username()}: {done}.")
