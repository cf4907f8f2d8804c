"""Gives each request an id, which its log lines and its answer carry (X-Request-ID)."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from webhooks.logs.ids import about

HEADER = "X-Request-ID"
GIVEN = re.compile(
    r"[A-Za-z0-9_.-]{8,64}"
)  # what a proxy gives is kept, if it is no more than that
# What a page or a route of the API is about, by its address.
SUBJECT = re.compile(r"/(?:api/v1/)?(brief|customer|event|incident)s/(\d{1,18})/")


class RequestIdMiddleware:
    """First of all, around the receiver too; it touches nothing but the header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(HEADER, "")
        request_id = given if GIVEN.fullmatch(given) else uuid.uuid4().hex
        subject = SUBJECT.match(request.path_info)
        with about(request_id=request_id, **({subject[1]: int(subject[2])} if subject else {})):
            response = self.get_response(request)
        response[HEADER] = request_id
        return response
