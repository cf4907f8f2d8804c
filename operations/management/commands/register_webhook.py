"""Makes the workspace's reporting webhook send exactly the events that the team's rules need."""

import json
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from operations import doctor, registration
from operations.doctor import Verdict
from operations.doctor.address import base, is_allowed
from operations.doctor.findings import counted
from operations.doctor.providers import API_KEYS, explained
from operations.registration import BadAddress, Change, shown
from personas.models import Effect, SignalRule
from personas.people.pacing import paced_app_api
from providers.customerio import LookupFailed, ReportingWebhook
from webhooks.views import RECEIVER_PATH

BUDGET_SECONDS = 20.0


class Command(BaseCommand):
    help = (
        "Create the reporting webhook in Customer.io, or update the one that is there, so that "
        "it reports exactly what the active signal rules need. A new one starts disabled."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url",
            required=not settings.PUBLIC_URL,
            default=settings.PUBLIC_URL + RECEIVER_PATH,
            help="https://your-host/webhooks/customerio/ as it is public; else PUBLIC_URL's.",
        )
        parser.add_argument(
            "--name",
            default=registration.NAME,
            help="Its name in Customer.io (%(default)s). It is found by address, or else by name.",
        )
        parser.add_argument(
            "--enable",
            action="store_true",
            help="Check that webhooks would be accepted and processed, then enable it.",
        )
        parser.add_argument(
            "--move",
            action="store_true",
            help="Move the webhook of this name here, even if it is enabled for another address.",
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="Print the request; change nothing."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            endpoint = registration.checked_endpoint(options["url"])
        except BadAddress as error:
            raise CommandError(str(error)) from error
        self._warn_of(endpoint)
        try:
            self._register(endpoint, options)
        except LookupFailed as error:
            raise CommandError(explained(error, "reporting webhooks")) from error

    def _register(self, endpoint: str, options: dict[str, Any]) -> None:
        api = paced_app_api(BUDGET_SECONDS)
        if not api.is_configured:
            raise CommandError(f"CIO_APP_KEY is not set. Create a key in Customer.io ({API_KEYS}).")
        change = registration.plan(api.reporting_webhooks(), endpoint, options["name"])
        self._check(change, may_move=options["move"])
        if options["dry_run"]:
            self._preview(change)
            return
        if change.is_needed:
            change = Change(change.before, api.save_reporting_webhook(change.after))
        self._report(change)
        if options["enable"]:
            self._enable(change.after, endpoint)
        elif change.after.is_disabled:
            self._say_what_is_next(change.after)

    def _warn_of(self, endpoint: str) -> None:
        if not is_allowed(endpoint):
            self.stderr.write(
                "Warning: the host is not among ALLOWED_HOSTS. Webhooks are accepted anyway, "
                "but pages answer 400."
            )
        if endpoint.startswith("http://"):
            self.stderr.write("Warning: only a sandbox on this machine can send to this address.")
        for rule in SignalRule.objects.filter(is_active=True).exclude(effect=Effect.IGNORE):
            if not registration.events_of(rule):
                self.stderr.write(f"Warning: Customer.io has no event for the rule “{rule}”.")

    def _check(self, change: Change, *, may_move: bool) -> None:
        if not change.after.events:
            raise CommandError("No active signal rule needs any event. See the admin.")
        if change.before and change.moves_enabled and not may_move:
            raise CommandError(
                f"“{change.before.name}” is enabled for {shown(change.before.endpoint)}. Add "
                "--move to move it here, or --name to create another one."
            )

    def _preview(self, change: Change) -> None:
        body = asdict(change.after)
        number = body.pop("id")
        body |= {"endpoint": shown(change.after.endpoint), "events": sorted(change.after.events)}
        body["disabled"] = body.pop("is_disabled")
        line = "POST /reporting_webhooks" if number is None else f"PUT /reporting_webhooks/{number}"
        self.stdout.write(f"{line} at {settings.CIO_APP_BASE_URL}")
        self.stdout.write(json.dumps(body, indent=2))
        self._tell_events(change)
        self.stdout.write(
            "Nothing was changed." if change.is_needed else "It is like that already."
        )

    def _report(self, change: Change) -> None:
        before, after = change.before, change.after
        state = "disabled" if after.is_disabled else "enabled"
        done = "Created" if before is None else "Updated" if change.is_needed else "Unchanged"
        self.stdout.write(
            f"{done}: “{after.name}” (id {after.id}) to {shown(after.endpoint)}, {state}, "
            f"{len(after.events)} events, Body Content on, every occurrence."
        )
        if before and not registration.is_same_place(before.endpoint, after.endpoint):
            self.stdout.write(f"  moved from {shown(before.endpoint)}")
        self._tell_events(change)

    def _tell_events(self, change: Change) -> None:
        for name in change.added:
            self.stdout.write(f"  + {name}")
        for name in change.removed:
            self.stdout.write(f"  - {name}")

    def _say_what_is_next(self, webhook: ReportingWebhook) -> None:
        self.stdout.write(
            "\nIt is disabled: nothing is sent yet. Next:\n"
            "1. Copy the signing key, which the API never shows: in Customer.io, Data & "
            "Integrations >\n   Integrations > Reporting Webhooks, the menu of "
            f"“{webhook.name}”, Copy signing key.\n"
            "   Put it into CIO_WEBHOOK_SECRET and restart Savedesk.\n"
            "2. manage.py send_test_event\n"
            f"3. manage.py register_webhook --url {shown(webhook.endpoint)} --enable"
        )

    def _enable(self, webhook: ReportingWebhook, endpoint: str) -> None:
        if not webhook.is_disabled:
            self.stdout.write("It is enabled already.")
            return
        self.stdout.write("Checking that webhooks would be accepted and processed:")
        failed = 0
        for finding in doctor.examine(doctor.essential(base(endpoint))):
            if finding.level == Verdict.OK:
                continue
            failed += finding.level == Verdict.FAIL
            self.stdout.write(f"{finding.level:<4}  {finding.name}: {finding.seen}")
            self.stdout.write(f"      {finding.cure}")
        if failed:
            raise CommandError(
                f"Not enabled: {counted(failed, 'check')} failed. Customer.io holds back "
                "everything behind a webhook that fails, so repair this first."
            )
        # A budget of its own, because the checks above take time.
        registration.enable(paced_app_api(BUDGET_SECONDS), webhook)
        self.stdout.write("Enabled: Customer.io sends from now on.")
