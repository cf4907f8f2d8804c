"""Pages of the REST API's lists: each begins behind the last row of the page before.

A cursor is encrypted: it holds what the last row is sorted by, which may be a customer's name, and
addresses of pages stand in the logs of many machines.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError as BadValue
from django.utils import timezone
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from briefs.finding.keysets import Keyset
from briefs.models import sealing

ORDERING, CURSOR, SIZE = "ordering", "cursor", "page_size"
USUAL, MOST = 50, 200
NOT_OURS = "This is no cursor of this list in this order: begin without one, and follow `next`."


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins. `at`: when the first page was asked for; all pages sort by it.

    `behind`: by what the last row of the page before is sorted, as it was written to JSON.
    """

    at: datetime
    behind: Any = None

    @classmethod
    def of(cls, request: Request) -> "Cursor":
        """The one that the request names. Raises ValidationError."""
        given = request.query_params.get(CURSOR, "")
        if not given:
            return cls(timezone.now())
        try:
            of_list, at, behind = json.loads(sealing.unseal(given, sealing.CURSOR))
        except sealing.Unreadable:
            raise ValidationError({CURSOR: [NOT_OURS]}) from None
        if of_list != _list(request):
            raise ValidationError({CURSOR: [NOT_OURS]})
        return cls(datetime.fromisoformat(at), behind)

    def moved(self, request: Request, behind: Any) -> str:
        """The cursor behind this row, in words for the address."""
        text = json.dumps(
            [_list(request), self.at, behind], default=str
        )  # moments to the microsecond
        return sealing.seal(text, sealing.CURSOR)


def _list(request: Request) -> list[str]:
    return [request.path, request.query_params.get(ORDERING, "")]


class Pages(BasePagination):
    """`next` is the address of the next page; null on the last one. Nothing is counted."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        size, cursor, keyset = size_of(request), view.cursor, Keyset(queryset)
        try:
            behind = None if cursor.behind is None else keyset.read(cursor.behind)
        except (BadValue, ValueError):  # the list is sorted by something else since an upgrade
            raise ValidationError({CURSOR: [NOT_OURS]}) from None
        found = list(keyset.part(size + 1, behind))
        self.next = None
        if len(found) > size:
            found.pop()
            place = found[-1][1]
            here = request.build_absolute_uri()
            self.next = replace_query_param(here, CURSOR, cursor.moved(request, place))
        # The keys are sorted alone: whole rows, with all that is joined to them, take far longer.
        rows = queryset.in_bulk([key for key, _ in found])
        return [rows[key] for key, _ in found if key in rows]

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self.next, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {
            "type": "string",
            "format": "uri",
            "nullable": True,
            "description": "The address of the next page; null on the last one.",
        }
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter(CURSOR, "Where the page begins, as in the `next` of the page before.",
                       {"type": "string"}),
            _parameter(SIZE, f"How many a page, {USUAL} if not said; more than {MOST} count as "
                       f"{MOST}.", {"type": "integer", "minimum": 1}),
        ]  # fmt: skip


def _parameter(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name, "in": "query", "required": False, "description": description,
        "schema": schema,
    }  # fmt: skip


def size_of(request: Request) -> int:
    """How many rows a page has. Raises ValidationError."""
    value = request.query_params.get(SIZE, "")
    if not value:
        return USUAL
    if not (value.isascii() and value.isdigit() and len(value) < 10 and int(value)):
        raise ValidationError({SIZE: [f"“{value}” is not a number from 1 on."]})
    return min(int(value), MOST)
