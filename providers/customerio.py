"""Customer.io's App API: who a person is, by any of their identifiers.

Source: https://docs.customer.io/integrations/api/app/
"""

import json
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Literal, Protocol
from urllib.parse import quote

from django.conf import settings

from providers import http, segments, subscriptions
from providers.segments import Members, Segment
from providers.subscriptions import SubscriptionName

IdType = Literal["cio_id", "id", "email", "phone"]
BUDGET_SECONDS = 3.0  # for all requests of one look-up together
ANSWER_SHARE = 1 / 6  # of the budget: with less time left, no further request is sent
BATCH_SIZE = 100
COMPUTED_PREFERENCES = "_cio_subscription_preferences_computed"  # holds every topic


class LookupFailed(Exception):
    """The App API gave no usable answer. `is_permanent`: only a person can cure the cause.

    `detail` is Customer.io's own sentence. It may quote what we sent, so it must not be logged.
    """

    def __init__(
        self,
        message: str,
        *,
        is_permanent: bool = False,
        retry_after: float | None = None,
        http_status: int | None = None,
        detail: str = "",
    ) -> None:
        super().__init__(message)
        self.is_permanent = is_permanent
        self.retry_after = retry_after
        self.http_status = http_status
        self.detail = detail


class HeldBack(LookupFailed):
    """We sent no request, for a reason of our own: Customer.io did not fail."""


class Pace(Protocol):
    """Keeps requests to the limit of ten a second, which all clients of a workspace share."""

    def wait(self, within: float) -> float:
        """Wait until one request may be sent; returns the seconds waited.

        Raises HeldBack if it would take longer than `within` seconds.
        """
        ...

    def hold_back(self, seconds: float) -> None:
        """Customer.io answered 429: no process may send a request for this many seconds."""
        ...


@dataclass(frozen=True, slots=True)
class Profile:
    """One person as the App API describes them; attribute values are strings."""

    cio_id: str
    id: str
    email: str
    attributes: dict[str, str]
    is_unsubscribed: bool | None
    devices: list[dict[str, Any]] = field(default_factory=list)
    preferences: dict[str, dict[str, bool]] = field(default_factory=dict)
    phone: str = ""  # an attribute: `identifiers` never has it


@dataclass(frozen=True, slots=True)
class ReportingWebhook:
    """An address to which Customer.io reports events. The API never returns its signing key."""

    name: str
    endpoint: str
    events: frozenset[str]
    is_disabled: bool = False
    full_resolution: bool = False  # "Send Frequency": every time, not only the first
    with_content: bool = False  # "Body Content"
    id: int | None = None  # None: not registered yet


class AppApi:
    """A client for one look-up: its requests share one time budget.

    The client waits only for the pace and after a 429, if the wait fits into the budget. Without
    a pace it may exceed the limit; `personas.people.pacing.paced_app_api` returns one that keeps
    to it.
    """

    def __init__(
        self,
        budget_seconds: float = BUDGET_SECONDS,
        base_url: str = "",
        pace: Pace | None = None,
    ) -> None:
        self._base_url = base_url or settings.CIO_APP_BASE_URL
        self._key = settings.CIO_APP_KEY
        self._deadline = time.monotonic() + budget_seconds
        self._answer_seconds = budget_seconds * ANSWER_SHARE
        self._has_answered = False
        self._pace = pace

    @property
    def is_configured(self) -> bool:
        return bool(self._key)

    def profiles(self, id_type: IdType, ids: list[str]) -> list[Profile]:
        """POST /v1/customers/attributes: up to 100 people; the answer omits unknown ids.

        https://docs.customer.io/integrations/api/app/#operation/getPeopleById
        """
        if id_type == "cio_id":  # this endpoint matches nobody when the prefix is sent
            ids = [value.removeprefix("cio_") for value in ids]
        reply = self._send("POST", "/customers/attributes", {"id_type": id_type}, {"ids": ids})
        items = reply.get("customers")
        if not isinstance(items, list):
            raise LookupFailed("Customer.io answered without a list of customers")
        return [read_profile(item) for item in items if isinstance(item, dict)]

    def profile(self, id_type: IdType, value: str) -> Profile | None:
        """GET /v1/customers/{id}/attributes: one person, or None if there is no such person.

        https://docs.customer.io/integrations/api/app/#operation/getPersonAttributes
        """
        try:
            reply = self._send(
                "GET", f"/customers/{quote(value, safe='')}/attributes", {"id_type": id_type}
            )
        except _NotFound:
            if id_type == "cio_id" and not value.startswith("cio_"):  # some endpoints want it
                return self.profile(id_type, f"cio_{value}")
            return None
        item = reply.get("customer")
        if not isinstance(item, dict):
            raise LookupFailed("Customer.io answered without a customer")
        return _profile(item)

    def cio_ids_of(self, email: str) -> list[str]:
        """GET /v1/customers?email=: all people with this address; empty if there is none.

        https://docs.customer.io/integrations/api/app/#operation/getPeopleEmail
        """
        results = self._send("GET", "/customers", {"email": email}).get("results")
        if not isinstance(results, list):
            raise LookupFailed("Customer.io answered without a list of results")
        people = [item for item in results if isinstance(item, dict)]
        return [str(item["cio_id"]).removeprefix("cio_") for item in people if item.get("cio_id")]

    def reach(self) -> datetime | None:
        """Look up a person who cannot exist, to test the connection and the key.

        Raises LookupFailed where a look-up of a real person would.
        Returns the time by Customer.io's clock, if the answer carries it.
        https://docs.customer.io/integrations/api/app/#operation/getPeopleById
        """
        try:
            reply = self._answer("POST", "/customers/attributes", _BY_CIO_ID, {"ids": ["0"]})
        except BadRequest:  # "0" is not a valid id; the key was accepted
            return None
        try:
            told = parsedate_to_datetime(reply.headers.get("date", ""))
        except ValueError:
            return None
        return told if told.tzinfo else told.replace(tzinfo=UTC)

    def subscription_topics(self) -> list[SubscriptionName]:
        """GET /v1/subscription_topics: all of the workspace.

        https://docs.customer.io/integrations/api/app/#operation/getTopics
        """
        reply = self._send("GET", "/subscription_topics", {})
        return subscriptions.names_of_topics(reply.get("topics"))

    def subscription_channels(self) -> list[SubscriptionName]:
        """GET /v1/subscription_channels: all of the workspace.

        https://docs.customer.io/integrations/api/app/#operation/getChannels
        """
        reply = self._send("GET", "/subscription_channels", {})
        return subscriptions.names_of_channels(reply.get("channels"))

    def segments(self) -> list[Segment]:
        """GET /v1/segments: all of the workspace.

        https://docs.customer.io/integrations/api/app/#operation/listSegments
        """
        items = self._send("GET", "/segments", {}).get("segments")
        if not isinstance(items, list):
            raise LookupFailed("Customer.io answered without a list of segments")
        return [segment for item in items if (segment := segments.read_segment(item))]

    def segment(self, number: int) -> Segment:
        """GET /v1/segments/{id}. Raises LookupFailed with status 404 if there is none.

        https://docs.customer.io/integrations/api/app/#operation/getSegment
        """
        return self._one_segment(self._send("GET", f"/segments/{number}", {}))

    def create_segment(self, name: str, description: str) -> Segment:
        """POST /v1/segments: a new manual segment, without anybody in it.

        https://docs.customer.io/integrations/api/app/#operation/createManSegment
        """
        body = {"segment": {"name": name, "description": description}}
        return self._one_segment(self._send("POST", "/segments", {}, body))

    def segment_members(self, number: int, start: str = "", most: int = 1000) -> Members:
        """GET /v1/segments/{id}/membership: one page. Raises as `segment` does.

        https://docs.customer.io/integrations/api/app/#operation/getSegmentMembership
        """
        params = {"limit": str(most)} | ({"start": start} if start else {})
        reply = self._send("GET", f"/segments/{number}/membership", params)
        people = reply.get("identifiers", "missing")
        if people is not None and not isinstance(people, list):  # an empty page has null
            raise LookupFailed("Customer.io answered without a list of people")
        page = segments.read_members(reply)
        if page.next and page.next == start:
            raise LookupFailed("Customer.io sends the same page again and again")
        return page

    def _one_segment(self, reply: dict[str, Any]) -> Segment:
        segment = segments.read_segment(reply.get("segment"))
        if segment is None:
            raise LookupFailed("Customer.io answered without a segment")
        return segment

    def reporting_webhooks(self) -> list[ReportingWebhook]:
        """GET /v1/reporting_webhooks: all of the workspace.

        https://docs.customer.io/integrations/api/app/#operation/listWebhooks
        """
        items = self._send("GET", "/reporting_webhooks", {}).get("reporting_webhooks")
        if not isinstance(items, list):
            raise LookupFailed("Customer.io answered without a list of reporting webhooks")
        return [_webhook(item) for item in items if isinstance(item, dict)]

    def save_reporting_webhook(self, webhook: ReportingWebhook) -> ReportingWebhook:
        """POST /v1/reporting_webhooks, or PUT /v1/reporting_webhooks/{id} if it has an id.

        Everything is replaced. Raises BadRequest with their `detail` if a field is refused.
        https://docs.customer.io/integrations/api/app/#operation/createWebhook
        """
        body = {
            "name": webhook.name,
            "endpoint": webhook.endpoint,
            "events": sorted(webhook.events),
            "disabled": webhook.is_disabled,
            "full_resolution": webhook.full_resolution,
            "with_content": webhook.with_content,
        }
        if webhook.id is None:
            return _webhook(self._send("POST", "/reporting_webhooks", {}, body))
        return _webhook(self._send("PUT", f"/reporting_webhooks/{webhook.id}", {}, body))

    def _send(
        self, method: str, path: str, params: dict[str, str], body: Any = None
    ) -> dict[str, Any]:
        reply = self._answer(method, path, params, body)
        decoded = reply.json()
        if not isinstance(decoded, dict):
            raise LookupFailed("Customer.io answered something that is not a JSON object")
        return decoded

    def _answer(
        self, method: str, path: str, params: dict[str, str], body: Any = None
    ) -> http.Reply:
        reply = self._send_once(method, path, params, body)
        while reply.status == 429 and reply.retry_after is not None:
            wait = max(1.0, reply.retry_after)  # zero would repeat the request without any pause
            if self._pace:
                self._pace.hold_back(wait)
            if not self._has_time_for(wait):
                break
            time.sleep(wait)  # one second as a rule: the limit is per second
            reply = self._send_once(method, path, params, body)
        if reply.status == 404:
            raise _NotFound(
                "Customer.io's App API answered 404: check CIO_APP_BASE_URL",
                is_permanent=True,
                http_status=404,
            )
        if reply.status == 400:
            raise BadRequest(
                "Customer.io's App API cannot read the request",
                is_permanent=True,
                http_status=400,
                detail=_detail(reply),
            )
        if not reply.is_success:
            raise _failure(reply)
        return reply

    def _send_once(self, method: str, path: str, params: dict[str, str], body: Any) -> http.Reply:
        seconds = self._wait_for_turn()
        try:
            reply = http.send(
                method,
                f"{self._base_url}{path}",
                seconds=seconds,
                headers={"Authorization": f"Bearer {self._key}"},
                params=params,
                json=body,
            )
        except http.TooLarge as error:
            raise TooMuch(f"Customer.io's App API: {error}") from error
        except http.RequestFailed as error:
            raise LookupFailed(f"Customer.io's App API: {error}") from error
        self._has_answered = True
        return reply

    def _wait_for_turn(self) -> float:
        """Wait until the request may be sent; returns the seconds that are left for its answer."""
        left = self._deadline - time.monotonic()
        if left <= 0 and not self._has_answered:
            raise LookupFailed("Customer.io's App API: the time for this look-up is used up")
        # All requests so far were answered. One more with too little time would fail, and that
        # would be counted as a failure of Customer.io.
        if self._has_answered and left < self._answer_seconds:
            raise HeldBack("there were more people to look up than one look-up has time for")
        if self._pace:
            left -= self._pace.wait(left - self._answer_seconds)
        return left

    def _has_time_for(self, seconds: float) -> bool:
        return time.monotonic() + seconds + 0.5 < self._deadline


class BadRequest(LookupFailed):
    """One of the ids is malformed, or its type is not enabled in the workspace."""


class TooMuch(LookupFailed):
    """The answer is too large: ask for fewer people at once."""


class _NotFound(LookupFailed):
    pass


_BY_CIO_ID = {"id_type": "cio_id"}  # the only identifier that every workspace has


def _failure(reply: http.Reply) -> LookupFailed:
    cures = {
        401: "check CIO_APP_KEY and CIO_REGION (a key of the other region is refused like this)",
        403: "the App API key may not read people, or not from this address",
    }
    cure = cures.get(reply.status)
    return LookupFailed(
        f"Customer.io's App API answered {reply.status}" + (f": {cure}" if cure else ""),
        is_permanent=400 <= reply.status < 500 and reply.status not in (408, 429),
        retry_after=reply.retry_after,
        http_status=reply.status,
    )


def _detail(reply: http.Reply) -> str:
    errors = _dict(reply.json()).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return str(_dict(first).get("detail") or "")[:300]


def _webhook(item: dict[str, Any]) -> ReportingWebhook:
    events, number = item.get("events"), item.get("id")
    return ReportingWebhook(
        name=str(item.get("name") or ""),
        endpoint=str(item.get("endpoint") or ""),
        events=frozenset(str(name) for name in events) if isinstance(events, list) else frozenset(),
        is_disabled=item.get("disabled") is True,
        full_resolution=item.get("full_resolution") is True,
        with_content=item.get("with_content") is True,
        id=number if isinstance(number, int) else None,
    )


def read_profile(item: dict[str, Any]) -> Profile:
    """One person of an answer of the App API, documented as wrapped in "customer", seen without."""
    return _profile(_dict(item.get("customer", item)))


def _profile(item: dict[str, Any]) -> Profile:
    attributes = {
        str(name): value if isinstance(value, str) else json.dumps(value)
        for name, value in _dict(item.get("attributes")).items()
        if value is not None
    }
    identifiers = {**attributes, **_filled(_dict(item.get("identifiers")))}
    unsubscribed = item.get("unsubscribed")
    devices = item.get("devices")
    return Profile(
        cio_id=str(identifiers.get("cio_id") or "").removeprefix("cio_"),
        id=str(identifiers.get("id") or ""),
        email=str(identifiers.get("email") or ""),
        phone=str(identifiers.get("phone") or ""),
        attributes=attributes,
        is_unsubscribed=unsubscribed if isinstance(unsubscribed, bool) else None,
        devices=[device for device in devices if isinstance(device, dict)]
        if isinstance(devices, list)
        else [],
        # What Customer.io has computed may hold topics only; what they chose has the rest.
        preferences=subscriptions.merged(
            subscriptions.read_preferences(attributes.get("cio_subscription_preferences")),
            subscriptions.read_preferences(attributes.get(COMPUTED_PREFERENCES)),
        ),
    )


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}
