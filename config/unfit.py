"""Refuses values that no database can look for: such a request gets a 400, never a 500.

Two places see them all. A NUL is refused before anybody reads the request; what a driver or a
calendar cannot hold is known only when a view meets it.
"""

import logging
import traceback
from collections.abc import Callable
from urllib.parse import unquote

from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from briefs.api import problems

logger = logging.getLogger(__name__)

NUL = "\0"
WORDS = "A value in this request is too large, too long, or has a sign that cannot be stored."


class UnfitMiddleware:
    """Stands before all that reads rows. The receiver is not behind it: it keeps what is signed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return _refuse(request) if _has_nul(request) else self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """The log names the line, in case the fault is ours, but no value: it may be personal."""
        if not _is_about_a_value(request, exception):
            return None
        place = traceback.extract_tb(exception.__traceback__)[-1]
        what = type(exception).__name__
        logger.warning("answered 400: %s in %s, line %s", what, place.filename, place.lineno)
        return _refuse(request)


def _is_about_a_value(request: HttpRequest, exception: Exception) -> bool:
    """Whether a value of the request is the fault.

    OverflowError: a number that SQLite's driver, or a moment that no calendar can hold. DataError:
    PostgreSQL's word for both, and for a NUL. A list of the admin takes dates and keys from the
    address as they are, and a year 10000 is a ValueError there.
    """
    match = request.resolver_match
    is_list = request.method == "GET" and f"{match and match.view_name}".endswith("_changelist")
    return isinstance(exception, DataError | OverflowError) or (
        is_list and isinstance(exception, ValueError)
    )


def _refuse(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        return problems.refusal(400, WORDS, errors={"non_field_errors": [WORDS]})
    return HttpResponse(render_to_string("400.html", {"words": WORDS}), status=400)


def _has_nul(request: HttpRequest) -> bool:
    """In the path or a cookie, which may write it as \\000, or in a parameter of the admin.

    Desk and API answer for their own parameters, in words that name the parameter.
    """
    is_admin = request.path_info.startswith("/admin/")
    query = unquote(request.META.get("QUERY_STRING", "")) if is_admin else ""
    return any(NUL in text for text in (request.path_info, query, *request.COOKIES.values()))
