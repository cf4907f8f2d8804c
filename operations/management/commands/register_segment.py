"""Keeps everybody with an open brief in a segment in Customer.io, or stops keeping them."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from briefs.models import SavingSegment, SegmentMembership
from briefs.models.saving import to_be_in
from briefs.saving import switching, telling
from operations.doctor.findings import counted
from operations.doctor.providers import API_KEYS, TRACK_KEYS, explained
from personas.people.pacing import paced_app_api
from providers.customerio import LookupFailed
from providers.customerio_track import TrackApi

BUDGET_SECONDS = 20.0


class Command(BaseCommand):
    help = (
        "Make a manual segment in Customer.io, or take the one of this name, and keep every "
        "customer with an open brief in it. With --off, take all of them out and stop."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--name",
            default=switching.NAME,
            help="Its name in Customer.io (%(default)s). For another name, first run --off: people "
            "stay in the segment of before.",
        )
        parser.add_argument(
            "--take-over",
            action="store_true",
            help="Take a segment of this name even if people are in it: Savedesk takes them out.",
        )
        parser.add_argument("--off", action="store_true", help="Empty the segment, and stop.")
        parser.add_argument(
            "--dry-run", action="store_true", help="Say what would be done; change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["off"]:
            self._turn_off(is_trial=options["dry_run"])
            return
        if not TrackApi().is_configured:
            raise CommandError(
                "CIO_TRACK_SITE_ID and CIO_TRACK_KEY are not set. Both are in Customer.io under "
                f"{TRACK_KEYS}. Set them, restart Savedesk and run this again."
            )
        try:
            self._turn_on(options)
        except switching.Unsuitable as error:
            raise CommandError(str(error)) from error
        except LookupFailed as error:
            raise CommandError(explained(error, "segments")) from error

    def _turn_on(self, options: dict[str, Any]) -> None:
        api = paced_app_api(BUDGET_SECONDS)
        if not api.is_configured:
            raise CommandError(f"CIO_APP_KEY is not set. Create a key in Customer.io ({API_KEYS}).")
        plan = switching.plan(api, options["name"], may_take_over=options["take_over"])
        before = SavingSegment.current()
        if options["dry_run"]:
            will = f"“{plan.name}” would be " + ("made" if plan.segment is None else "used")
            people = counted(to_be_in().count(), "customer")
            self.stdout.write(f"{will}, and filled with {people} who have an open brief.")
            if before and (plan.segment is None or before.segment_id != plan.segment.id):
                self.stdout.write(
                    f"People would stay in “{before.name}” (id {before.segment_id}), which is kept "
                    "now: first run manage.py register_segment --off, or delete it in Customer.io."
                )
            self.stdout.write(f"Nothing was changed at {settings.CIO_TRACK_BASE_URL}.")
            return
        segment = switching.turn_on(api, plan)
        if before and before.segment_id != segment.id:
            self.stdout.write(
                f"“{before.name}” (id {before.segment_id}) is no longer kept, and whoever is in it "
                "stays in it: delete it in Customer.io, or empty it there."
            )
        done = "Made" if plan.segment is None else "Using"
        self.stdout.write(f"{done}: “{segment.name}” (id {segment.id}). It is kept from now on.")
        self._tell()

    def _turn_off(self, *, is_trial: bool) -> None:
        row = SavingSegment.current()
        if row is None:
            self.stdout.write("It is off already: nothing is told to Customer.io.")
        elif is_trial:
            people = counted(SegmentMembership.objects.filter(is_member=True).count(), "customer")
            self.stdout.write(f"“{row.name}” would be emptied of {people}. Nothing was changed.")
        elif not TrackApi().is_configured:
            row.stop()
            self.stdout.write(
                f"Off. Without CIO_TRACK_KEY nobody was taken out of “{row.name}”: delete it in "
                "Customer.io."
            )
        else:
            row.turn_off()
            self._tell()

    def _tell(self) -> None:
        """Do the first run here: whoever sets this up wants to see that it works."""
        is_told = telling.run()
        row = SavingSegment.objects.get(pk=1)
        members = SegmentMembership.objects.filter(is_member=True).count()
        if row.reason or row.compare_reason:
            raise CommandError(
                f"Not everything was told: {row.reason or row.compare_reason}. It is tried again "
                "by itself; manage.py doctor says what to do."
            )
        if row.state == row.State.OFF:
            self.stdout.write("Emptied and off. The segment stays; delete it in Customer.io.")
        elif not is_told:
            self.stdout.write("A worker is at it, and goes on with it within minutes.")
        elif row.is_emptying:
            self.stdout.write(
                f"Off. Still to be taken out: {counted(members, 'customer')}. The workers go on "
                "until Customer.io lists nobody in it."
            )
        else:
            self.stdout.write(f"In it now: {counted(members, 'customer')} with an open brief.")
