"""Fills an empty database with the starter rules; rules that exist are left alone."""

from typing import Any

from django.core.management.base import BaseCommand

from personas import starter


class Command(BaseCommand):
    help = "Load the starter rules, personas, first steps and attribute names where there are none."

    def handle(self, *args: Any, **options: Any) -> None:
        loaded = starter.load_if_empty()
        self.stdout.write(
            f"{loaded} rules loaded." if loaded else "Rules exist already; nothing was changed."
        )
