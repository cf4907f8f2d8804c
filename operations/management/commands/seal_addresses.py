"""Seals the addresses of notification targets by the present SECRET_KEY, after it was changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from briefs.models import NotificationTarget, sealing


class Command(BaseCommand):
    help = (
        "Seal anew, by the present SECRET_KEY, each address of a notification target that a key "
        "of SECRET_KEY_FALLBACKS sealed. After that the former key is needed no more. Ends with 1 "
        "if an address cannot be read by any key."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count; change nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        number, unreadable = 0, []
        for target in NotificationTarget.objects.all():
            try:
                if options["dry_run"]:
                    is_old = not sealing.is_by_present_key(target.sealed_address)
                    number += bool(target.address) and is_old
                else:
                    number += target.seal_anew()
            except sealing.Unreadable:
                unreadable.append(f"“{target.name}”")
        done = "would be sealed anew" if options["dry_run"] else "sealed anew"
        self.stdout.write(f"{number} {done}.")
        if unreadable:
            raise CommandError(
                f"{len(unreadable)} cannot be read by any key: {', '.join(unreadable)}. Enter "
                "their addresses again in the admin."
            )
