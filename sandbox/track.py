"""Customer.io's Track API, of which only manual segments are played; all else is refused.

Documentation: https://docs.customer.io/integrations/api/track/. Not documented there: the bodies of
errors, and what is answered for a segment that does not exist or is made of conditions.
"""

import base64

from sandbox.api import Api, Pause
from sandbox.faults import Faults
from sandbox.options import Options
from sandbox.segments import Segments
from sandbox.wire import Reply, Request, Routes, json_reply

IDS_LIMIT = 1000
ID_TYPES = ("id", "email", "cio_id")
_ERRORS = {
    401: "unauthorized",
    403: "this sandbox takes no attribute, event or subscription",
    404: "not found",
    405: "method not allowed",
    429: "too many requests",
    500: "internal server error",
    503: "service unavailable",
}


class TrackApi(Api):
    """Answers below `/track/api/v1`. The vendor has a host of its own for it."""

    base = ("track", "api", "v1")

    def __init__(self, options: Options, faults: Faults, pause: Pause, segments: Segments) -> None:
        super().__init__(options, faults, pause)
        self._segments = segments
        self.routes = Routes(
            {
                ("POST", "segments/{id}/add_customers"): self.add,
                ("POST", "segments/{id}/remove_customers"): self.remove,
            }
        )

    def refuse(self, request: Request) -> Reply | None:
        """401 without site id and key; 403 for any other call, so that it shows in a test."""
        pair = f"{self.options.track_site_id}:{self.options.track_key}"
        if request.headers.get("authorization") != (
            f"Basic {base64.b64encode(pair.encode()).decode()}"
        ):
            return self.fail(401)
        if self.routes.find(request.method, request.segments[len(self.base) :]) is None:
            return self.fail(403)
        return None

    def fail(self, status: int, retry_after: int | None = None) -> Reply:
        headers = {"Retry-After": str(retry_after)} if status == 429 and retry_after else {}
        return _error(status, _ERRORS[status], headers)

    def add(self, request: Request, number: str) -> Reply:
        """POST segments/{id}/add_customers: 1 to 1,000 ids of one type; `{}`.

        https://docs.customer.io/integrations/api/track/#operation/add_to_segment
        """
        return self._change(request, number, is_member=True)

    def remove(self, request: Request, number: str) -> Reply:
        """POST segments/{id}/remove_customers: the same, out of it."""
        return self._change(request, number, is_member=False)

    def _change(self, request: Request, number: str, *, is_member: bool) -> Reply:
        segment = self._segments.get(int(number)) if number.isdecimal() else None
        if segment is None:
            return self.fail(404)
        id_type = request.query.get("id_type", "id")
        ids = (request.json_object() or {}).get("ids")
        if segment["type"] != "manual" or id_type not in ID_TYPES:
            return _error(400, "not a manual segment, or not a type of ids")
        if not isinstance(ids, list) or not all(isinstance(one, str) and one for one in ids):
            return _error(400, "ids must be a list of strings")
        if not 1 <= len(ids) <= IDS_LIMIT:
            return _error(400, f"ids must hold 1 to {IDS_LIMIT} items")
        if self.options.refused_ids.intersection(ids):
            return _error(400, "ids holds one that is malformed")
        self._segments.change(segment["id"], id_type, ids, is_member=is_member)
        return json_reply({})


def _error(status: int, words: str, headers: dict[str, str] | None = None) -> Reply:
    return json_reply({"meta": {"error": words}}, status=status, headers=headers)
