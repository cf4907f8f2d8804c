"""Takes the place of Django REST framework's command, whose tokens are no longer accepted."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    help = "Replaced by create_token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("arguments", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        raise CommandError("Tokens are made by: manage.py create_token USER --name NAME")
