"""The sandbox's own routes at `/sandbox`: faults, people, what was received and what was paid."""

from dataclasses import asdict
from typing import Any

from sandbox.faults import KINDS, ROUTES, Faults
from sandbox.mavera import Mavera
from sandbox.people import People
from sandbox.person import Device
from sandbox.recording import Recording
from sandbox.segments import Segments
from sandbox.wire import Reply, Request, Routes, json_reply

_PERSON_FIELDS = {
    "id": str | None,
    "email": str | None,
    "phone": str | None,
    "cio_id": str | None,
    "attributes": dict,
    "unsubscribed": bool,
    "devices": list,
}


class Control:
    """Answers below `/sandbox`. No key is asked for, and nothing here is recorded."""

    def __init__(
        self,
        faults: Faults,
        people: People,
        recording: Recording,
        mavera: Mavera,
        segments: Segments,
    ) -> None:
        self._faults = faults
        self._people = people
        self._recording = recording
        self._mavera = mavera
        self._segments = segments
        self._routes = Routes(
            {
                ("GET", "sandbox"): self.index,
                ("GET", "sandbox/faults"): self.list_faults,
                ("POST", "sandbox/faults"): self.add_fault,
                ("DELETE", "sandbox/faults"): self.clear_faults,
                ("GET", "sandbox/requests"): self.list_requests,
                ("DELETE", "sandbox/requests"): self.clear_requests,
                ("GET", "sandbox/charges"): self.list_charges,
                ("GET", "sandbox/segments"): self.list_segments,
                ("GET", "sandbox/people"): self.list_people,
                ("POST", "sandbox/people"): self.add_person,
                ("DELETE", "sandbox/people/{id}"): self.remove_person,
            }
        )

    def answer(self, request: Request) -> Reply | None:
        """The answer; 404 for an unknown route, 405 for a wrong method, 400 for a bad body."""
        match = self._routes.find(request.method, request.segments)
        if match is None:
            return _refusal(404, f"No such route. There are: {', '.join(self._routes.listing())}.")
        if match.handler is None:
            return _refusal(405, "That method is not allowed here.")
        try:
            return match.handler(request, *match.ids)
        except ValueError as error:
            return _refusal(400, str(error))

    def index(self, request: Request) -> Reply:
        """GET sandbox: the routes, the faults, and figures that no vendor's API has."""
        return json_reply(
            {
                "routes": self._routes.listing(),
                "faults": KINDS,
                "fault_routes": list(ROUTES),
                "credits_used": self._mavera.balance.used,
                "max_in_flight": self._mavera.chat.max_in_flight,
                "worst_minute": self._mavera.busiest.most,
            }
        )

    def list_faults(self, request: Request) -> Reply:
        """GET sandbox/faults: the faults that have not happened yet."""
        return json_reply({"faults": self._faults.listing()})

    def add_fault(self, request: Request) -> Reply:
        """POST sandbox/faults: `{"route", "fault"}`, and `count`, `retry_after`, `seconds`."""
        self._faults.add_json(_body(request))
        return self.list_faults(request)

    def clear_faults(self, request: Request) -> Reply:
        """DELETE sandbox/faults: forget the faults that have not happened yet."""
        self._faults.clear()
        return Reply(status=204)

    def list_requests(self, request: Request) -> Reply:
        """GET sandbox/requests: what was received, oldest first, with the keys shortened."""
        return json_reply({"requests": [each.public() for each in self._recording.listing()]})

    def clear_requests(self, request: Request) -> Reply:
        """DELETE sandbox/requests: forget what was received."""
        self._recording.clear()
        return Reply(status=204)

    def list_charges(self, request: Request) -> Reply:
        """GET sandbox/charges: each question that was paid, how often, for how much."""
        charges = self._mavera.chat.charges.listing()
        return json_reply({"charges": [asdict(charge) for charge in charges]})

    def list_segments(self, request: Request) -> Reply:
        """GET sandbox/segments: each with everybody who is in it."""
        return json_reply(
            {
                "segments": [
                    {**one, "members": [p.identifiers for p in self._segments.members(one["id"])]}
                    for one in self._segments.listing()
                ]
            }
        )

    def list_people(self, request: Request) -> Reply:
        """GET sandbox/people: those seeded and added."""
        return json_reply({"people": self._people.listing()})

    def add_person(self, request: Request) -> Reply:
        """POST sandbox/people: add or replace one; `attributes` and `devices` as looked up."""
        fields = _person_fields(_body(request))
        person = self._people.add(**fields)
        return json_reply(person.identifiers, status=201)

    def remove_person(self, request: Request, person_id: str) -> Reply:
        """DELETE sandbox/people/{id}: from now on no look-up finds the person."""
        self._people.remove(person_id)
        return Reply(status=204)


def _body(request: Request) -> dict[str, Any]:
    body = request.json_object()
    if body is None:
        raise ValueError("The body is not a JSON object.")
    return body


def _person_fields(body: dict[str, Any]) -> dict[str, Any]:
    for name, value in body.items():
        if name not in _PERSON_FIELDS:
            raise ValueError(f"Unknown field: {name!r}. Known: {', '.join(_PERSON_FIELDS)}.")
        if not isinstance(value, _PERSON_FIELDS[name]):
            raise ValueError(f"{name!r} has the wrong type.")
    try:
        devices = [Device(**device) for device in body.get("devices", [])]
    except TypeError:
        raise ValueError("A device has 'id', 'platform' and 'last_used'.") from None
    return {**body, "devices": devices}


def _refusal(status: int, sentence: str) -> Reply:
    return json_reply({"error": sentence}, status=status)
