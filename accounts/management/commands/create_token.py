"""Makes an API token for a script and prints it, once."""

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import ApiToken, Role
from accounts.models.roles import role_of
from accounts.models.tokens import LIFETIMES, USUAL_LIFETIME, NoToken
from briefs import times


class Command(BaseCommand):
    help = (
        "Make an API token for somebody and print it. Only its digest is stored, so it cannot be "
        "printed again. It can do what both the person and its role may do."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user", help="The user name of the person it belongs to.")
        parser.add_argument("--name", required=True, help="What uses it, e.g. “weekly report”.")
        parser.add_argument(
            "--role", choices=Role.values, help="No higher than the person's own, which is usual."
        )
        parser.add_argument(
            "--months",
            type=int,
            choices=LIFETIMES,
            default=USUAL_LIFETIME,
            help="After how many months it expires (%(default)s).",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        people = get_user_model()._default_manager
        user = people.filter(username=options["user"]).first()
        if user is None:
            raise CommandError(f"There is nobody with the user name “{options['user']}”.")
        role = Role(options["role"] or role_of(user) or Role.VIEWER)
        name = options["name"].strip()[:80]
        if not name:
            raise CommandError("Say with --name what uses it.")
        try:
            row, token = ApiToken.make(user, name=name, role=role, months=options["months"])
        except NoToken as error:
            raise CommandError(str(error)) from error
        # The token alone on stdout, for scripts that read it.
        told = f"“{row.name}” of {user}, {role}, expires on {times.day(row.expiry)}."
        self.stderr.write(told, style_func=str)  # it is no error
        self.stdout.write(token)
