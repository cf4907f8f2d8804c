"""Customer.io's App API: looking people up, managing reporting webhooks, and segments.

Documentation: https://docs.customer.io/integrations/api/app/. Beyond its reference: batches come
flat although the specification wraps each person, and an unknown person's 404 has no documented
body.
"""

import uuid
from dataclasses import asdict
from typing import Any

from sandbox.api import Api, Pause
from sandbox.faults import Faults
from sandbox.limits import SlidingWindow
from sandbox.options import Options
from sandbox.people import ID_TYPES, People
from sandbox.person import Person
from sandbox.reporting_webhooks import ReportingWebhooks
from sandbox.segments import Segments
from sandbox.wire import Reply, Request, Routes, json_reply

BATCH_LIMIT = 100
MEMBERS_LIMIT = 30_000

IP_ADDRESSES = (
    "35.188.196.183",
    "104.198.177.219",
    "104.154.232.87",
    "130.211.229.195",
    "104.198.221.24",
    "104.197.27.15",
    "35.194.9.154",
    "104.154.144.51",
    "104.197.210.12",
    "35.225.6.73",
)
"""The United States addresses of https://docs.customer.io/integrations/data-out/connections/webhooks/."""

TOPICS = tuple(
    {
        "id": number,
        "identifier": f"topic_{number}",
        "name": name,
        "description": description,
        "subscribed_by_default": is_on,
    }
    for number, name, description, is_on in (
        (1, "Product updates", "What is new, once a month", True),
        (2, "Tips", "How others use the product", True),
        (3, "Events", "Webinars and meetings", False),
        (4, "Partner offers", "What partners have for you", False),
    )
)

CHANNELS = tuple(
    {
        "id": number,
        "type": kind,
        "name": name,
        "description": "",
        "subscribed_by_default": True,
    }
    for number, kind, name in (
        (1, "email", "Email"),
        (2, "twilio", "Text messages"),
        (3, "push", "Push notifications"),
        (4, "in_app", "In-app messages"),
        (5, "whatsapp", "WhatsApp"),
    )
)

_DETAILS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    500: "internal server error",
    503: "service unavailable",
}


class AppApi(Api):
    """Answers below `/v1`, for one workspace and one key."""

    base = ("v1",)

    def __init__(
        self, options: Options, faults: Faults, pause: Pause, people: People, segments: Segments
    ) -> None:
        super().__init__(options, faults, pause)
        self.people = people
        self._segments = segments
        self._webhooks = ReportingWebhooks()
        self._window = SlidingWindow(1.0)
        self.routes = Routes(
            {
                ("GET", "customers"): self.people_by_email,
                ("POST", "customers/attributes"): self.batch,
                ("GET", "customers/{id}/attributes"): self.attributes,
                ("GET", "reporting_webhooks"): self.list_webhooks,
                ("POST", "reporting_webhooks"): self.create_webhook,
                ("GET", "reporting_webhooks/{id}"): self.get_webhook,
                ("PUT", "reporting_webhooks/{id}"): self.replace_webhook,
                ("DELETE", "reporting_webhooks/{id}"): self.delete_webhook,
                ("GET", "info/ip_addresses"): self.ip_addresses,
                ("GET", "subscription_topics"): self.subscription_topics,
                ("GET", "subscription_channels"): self.subscription_channels,
                ("GET", "segments"): self.list_segments,
                ("POST", "segments"): self.create_segment,
                ("GET", "segments/{id}"): self.get_segment,
                ("DELETE", "segments/{id}"): self.delete_segment,
                ("GET", "segments/{id}/membership"): self.segment_members,
            }
        )

    def refuse(self, request: Request) -> Reply | None:
        """401 without the right key; 429 past the ten requests a second of the workspace."""
        if request.headers.get("authorization") != f"Bearer {self.options.cio_key}":
            return self.fail(401)
        if self._window.admit(self.options.app_requests_per_second) is not None:
            # Longer than a second is impossible, and Retry-After is whole seconds.
            return self.fail(429, retry_after=1)
        return None

    def fail(self, status: int, retry_after: int | None = None) -> Reply:
        """`{"errors": [{"detail", "status"}]}`; a 429 without `retry_after` is a daily quota."""
        if status != 429:
            return _error(status, _DETAILS[status])
        limit = self.options.app_requests_per_second
        detail = f"rate limited to {limit} requests per 1s"
        if retry_after is None:
            return _error(429, "daily quota exceeded")
        return _error(429, detail, headers={"Retry-After": str(retry_after)})

    def attributes(self, request: Request, identifier: str) -> Reply:
        """GET customers/{id}/attributes: `{"customer": {...}}`, 404, or 400 for a bad id_type.

        https://docs.customer.io/integrations/api/app/#operation/getPersonAttributes
        """
        id_type = request.query.get("id_type", "id")
        if refused := self._refuse_id_type(id_type):
            return refused
        person = self.people.find(id_type, identifier)
        if person is None:
            return _error(404, "customer not found")
        return json_reply({"customer": _customer(person, identifier)})

    def batch(self, request: Request) -> Reply:
        """POST customers/attributes: 1 to 100 ids of one type; unknown ids are left out.

        https://docs.customer.io/integrations/api/app/#operation/getPeopleById
        """
        id_type = request.query.get("id_type", "id")
        if refused := self._refuse_id_type(id_type):
            return refused
        ids = (request.json_object() or {}).get("ids")
        if not isinstance(ids, list) or not all(isinstance(one, str) for one in ids):
            return _error(400, "ids must be a list of strings", pointer="/ids")
        if not 1 <= len(ids) <= BATCH_LIMIT:
            return _error(400, f"ids must hold 1 to {BATCH_LIMIT} items", pointer="/ids")
        found = [(one, self.people.find(id_type, one)) for one in dict.fromkeys(ids)]
        customers = [_customer(person, one) for one, person in found if person]
        if self.options.wrapped:
            return json_reply({"customers": [{"customer": each} for each in customers]})
        return json_reply({"customers": customers})

    def people_by_email(self, request: Request) -> Reply:
        """GET customers?email=: everyone with the address; an empty list if nobody has it.

        https://docs.customer.io/integrations/api/app/#operation/getPeopleEmail
        """
        email = request.query.get("email")
        if not email:
            return _error(400, "email is required")
        results = [person.identifiers for person in self.people.with_email(email)]
        return json_reply({"results": results})

    def list_webhooks(self, request: Request) -> Reply:
        """GET reporting_webhooks: `{"reporting_webhooks": [...]}`."""
        return json_reply({"reporting_webhooks": self._webhooks.listing()})

    def create_webhook(self, request: Request) -> Reply:
        """POST reporting_webhooks: the new webhook, or 400 naming the field."""
        try:
            return json_reply(self._webhooks.create(request.json_object() or {}))
        except ValueError as error:
            return _error(400, str(error))

    def get_webhook(self, request: Request, webhook_id: str) -> Reply:
        """GET reporting_webhooks/{id}: the webhook, or 404."""
        webhook = self._webhooks.get(webhook_id)
        return json_reply(webhook) if webhook else self.fail(404)

    def replace_webhook(self, request: Request, webhook_id: str) -> Reply:
        """PUT reporting_webhooks/{id}: the webhook as replaced, 404, or 400 naming the field."""
        try:
            webhook = self._webhooks.replace(webhook_id, request.json_object() or {})
        except ValueError as error:
            return _error(400, str(error))
        return json_reply(webhook) if webhook else self.fail(404)

    def delete_webhook(self, request: Request, webhook_id: str) -> Reply:
        """DELETE reporting_webhooks/{id}: 204, or 404."""
        return Reply(status=204) if self._webhooks.delete(webhook_id) else self.fail(404)

    def ip_addresses(self, request: Request) -> Reply:
        """GET info/ip_addresses: `{"ip_addresses": [...]}`, where webhooks are sent from."""
        return json_reply({"ip_addresses": IP_ADDRESSES})

    def subscription_topics(self, request: Request) -> Reply:
        """GET subscription_topics: `{"topics": [...]}`, as preferences name and people call them.

        https://docs.customer.io/integrations/api/app/
        """
        return json_reply({"topics": TOPICS})

    def subscription_channels(self, request: Request) -> Reply:
        """GET subscription_channels: `{"channels": [...]}`; SMS is called by its provider.

        https://docs.customer.io/integrations/api/app/
        """
        return json_reply({"channels": CHANNELS})

    def list_segments(self, request: Request) -> Reply:
        """GET segments: `{"segments": [...]}`, all of them at once."""
        return json_reply({"segments": self._segments.listing()})

    def create_segment(self, request: Request) -> Reply:
        """POST segments: `{"segment": {"name", "description"}}`; a manual one, without people.

        https://docs.customer.io/integrations/api/app/#operation/createManSegment
        """
        given = (request.json_object() or {}).get("segment")
        if not isinstance(given, dict) or not given.get("name"):
            return _error(400, "segment.name is required", pointer="/segment/name")
        segment = self._segments.create(given["name"], given.get("description") or "")
        return json_reply({"segment": segment})

    def get_segment(self, request: Request, number: str) -> Reply:
        """GET segments/{id}: the segment, or 404."""
        segment = self._segments.get(_number(number))
        return json_reply({"segment": segment}) if segment else self.fail(404)

    def delete_segment(self, request: Request, number: str) -> Reply:
        """DELETE segments/{id}: 204, or 404."""
        return Reply(status=204) if self._segments.delete(_number(number)) else self.fail(404)

    def segment_members(self, request: Request, number: str) -> Reply:
        """GET segments/{id}/membership: people by pages, null where there are none; or 404.

        https://docs.customer.io/integrations/api/app/#operation/getSegmentMembership
        """
        if self._segments.get(_number(number)) is None:
            return self.fail(404)
        most = _number(request.query.get("limit", "1000"))
        if not 1 <= most <= MEMBERS_LIMIT:
            return _error(400, f"limit must be 1 to {MEMBERS_LIMIT}")
        start = _number(request.query.get("start", "0"))
        members = self._segments.members(_number(number))
        page = [person.identifiers for person in members[start : start + most]]
        is_last = start + most >= len(members)
        return json_reply(
            {
                "segment_id": _number(number),
                "ids": [each["id"] or "" for each in page] or None,
                "identifiers": page or None,
                "next": "" if is_last else str(start + most),
            }
        )

    def _refuse_id_type(self, id_type: str) -> Reply | None:
        if id_type not in ID_TYPES:
            return _error(400, f"id_type {id_type} is not an identifier of this workspace")
        is_off = {
            "email": not self.options.email_is_identifier,
            "phone": not self.options.phone_is_identifier,
        }
        if is_off.get(id_type):
            return _error(400, f"id_type {id_type} is not an identifier of this workspace")
        return None


def _number(text: str) -> int:
    """0, which nothing has, where the text is no number."""
    return int(text) if text.isascii() and text.isdecimal() else 0


def _customer(person: Person, asked_for: str) -> dict[str, Any]:
    """A person in the App API's words; `id` is the identifier in the request."""
    # A number is an attribute only: the specification's identifiers have no phone.
    names = {**person.identifiers, "phone": person.phone}
    known = {name: value for name, value in names.items() if value is not None}
    attributes = {"created_at": str(person.created_at), **person.attributes, **known}
    if chosen := person.attributes.get("cio_subscription_preferences"):
        attributes["_cio_subscription_preferences_computed"] = chosen
    return {
        "id": asked_for,
        "attributes": attributes,
        "identifiers": person.identifiers,
        "timestamps": dict.fromkeys(attributes, person.created_at),
        "unsubscribed": person.is_unsubscribed,
        "devices": [asdict(device) for device in person.devices],
    }


def _error(
    status: int, detail: str, *, pointer: str = "", headers: dict[str, str] | None = None
) -> Reply:
    """The App API's error body; each detail ends with a reference to quote to the support."""
    error: dict[str, Any] = {
        "detail": f"{detail} (reference {uuid.uuid4().hex[:6]})",
        "status": str(status),
    }
    if pointer:
        error["source"] = {"pointer": pointer}
    return json_reply({"errors": [error]}, status=status, headers=headers)
