"""Sends one signed event, as Customer.io does, and reports what Savedesk does with it."""

import json
import secrets
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from operations.doctor.address import base
from operations.following import Following, Step, Stopped
from operations.registration import shown
from webhooks.views import RECEIVER_PATH

NOBODY = "savedesk-test"  # no workspace knows this id, so its brief buys no research
# Without a recipient, which only counts as the customer's own if it is their address.
MESSAGE = {"delivery_id": "test-delivery", "subject": "A test by Savedesk"}
# What Customer.io sends: https://docs.customer.io/api/webhooks
KINDS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "unsubscribed": ("customer", "unsubscribed", {}),
    "subscribed": ("customer", "subscribed", {}),
    "spam": ("email", "spammed", MESSAGE),
    "bounced": (
        "email",
        "bounced",
        {**MESSAGE, "failure_message": "550 5.1.1 The email account does not exist"},
    ),
    "preferences": (
        "customer",
        "cio_subscription_preferences_changed",
        {"content": json.dumps({"topics": {"topic_1": False, "topic_2": False}})},
    ),
}


class Command(BaseCommand):
    help = (
        "Send one signed event to the receiver and tell, step by step, what becomes of it. A "
        "brief about a customer whom Customer.io knows may buy research (10 to 75 credits). Ends "
        "with 1 if the event was not processed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--kind", choices=KINDS, default="unsubscribed", help="(%(default)s)")
        what.add_argument(
            "--payload", metavar="FILE", help="A JSON object; event id and time are made new."
        )
        parser.add_argument(
            "--customer",
            metavar="ID",
            help="Their id, or cio_ and their cio_id, or their e-mail address. Without it, "
            "somebody whom Customer.io does not know.",
        )
        parser.add_argument(
            "--url", default="", help="The receiver; by default the web server on this machine."
        )
        parser.add_argument("--no-wait", action="store_true", help="End once it is stored.")
        parser.add_argument("--dry-run", action="store_true", help="Print the event; send nothing.")

    def handle(self, *args: Any, **options: Any) -> None:
        event = self._event(options)
        body = json.dumps(event, indent=2 if options["dry_run"] else None).encode()
        if options["dry_run"]:
            self.stdout.write(body.decode())
            return
        url = options["url"] or f"http://127.0.0.1:{settings.PORT}{RECEIVER_PATH}"
        if not base(url):
            raise CommandError(f"--url must be a whole address: https://your-host{RECEIVER_PATH}")
        following = Following(event["event_id"], settings.PUBLIC_URL or base(shown(url)))
        self.stdout.write(f"Sending {event['event_id']} to {shown(url)}")
        try:
            self._follow(following, url, body, is_waiting=not options["no_wait"])
        except Stopped as error:
            raise CommandError(f"It stops here: {error}") from error
        except KeyboardInterrupt:
            self.stdout.write("No longer followed; the work goes on.")

    def _event(self, options: dict[str, Any]) -> dict[str, Any]:
        """The event to send: of a kind or from a file, with an id and a time of its own."""
        if options["payload"]:
            event = _read(options["payload"])
        else:
            object_type, metric, data = KINDS[options["kind"]]
            event = {"object_type": object_type, "metric": metric, "data": dict(data)}
            options["customer"] = options["customer"] or NOBODY
        if options["customer"]:
            data = event["data"] if isinstance(event.get("data"), dict) else {}
            event["data"] = {**data, "identifiers": _identifiers(options["customer"])}
        event["event_id"] = f"savedesk-test-{secrets.token_hex(8)}"
        event["timestamp"] = int(time.time())
        return event

    def _follow(self, following: Following, url: str, body: bytes, *, is_waiting: bool) -> None:
        self._tell(following.send(url, body))
        if not is_waiting:
            return
        for step in following.until_processed():
            self._tell(step)
        for step in following.what_it_led_to():
            self._tell(step)

    def _tell(self, step: Step) -> None:
        self.stdout.write(f"{step.seconds:7.2f} s  {step.words}")
        self.stdout.flush()


def _identifiers(customer: str) -> dict[str, str]:
    if customer.startswith("cio_"):
        return {"cio_id": customer.removeprefix("cio_")}
    return {"email" if "@" in customer else "id": customer}


def _read(name: str) -> dict[str, Any]:
    try:
        event = json.loads(Path(name).read_bytes())
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(f"{name} is not JSON: {error}.") from error
    if not isinstance(event, dict):
        raise CommandError(f"{name} is no JSON object: give one event, in braces.")
    return event
