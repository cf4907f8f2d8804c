"""What the REST API says of a refusal: problem details, as RFC 9457 has them.

`code` is the machine's word where one status has several reasons, and `errors` names what is wrong
by the field or the parameter.
"""

from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import JsonResponse
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

MEDIA_TYPE = "application/problem+json"


class Problem(APIException):
    """A refusal with a code of its own. `further`: members beside those of every problem."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        detail: str,
        further: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status
        self.code, self.further, self.headers = code, further or {}, headers or {}


class Invalid(Problem):
    """What was sent is incomplete or cannot be done: by the field, in words."""

    def __init__(self, errors: dict[str, list[str]]) -> None:
        detail = "Nothing was done: " + " ".join(" ".join(words) for words in errors.values())
        super().__init__(HTTPStatus.BAD_REQUEST, "invalid", detail, {"errors": errors})


def about(status: int, detail: str) -> dict[str, Any]:
    """The members of every problem. Of the type that says no more than the status."""
    title = HTTPStatus(status).phrase
    return {"type": "about:blank", "title": title, "status": int(status), "detail": detail}


def refusal(status: int, detail: str, **further: Any) -> JsonResponse:
    """For what is refused outside of a view of the API."""
    return JsonResponse(
        {**about(status, detail), **further}, status=status, content_type=MEDIA_TYPE
    )


def told(exception: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an exception of a view; None for one that is a fault of ours."""
    if isinstance(exception, RequestDataTooBig):
        too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        exception = Problem(too_large, "too_large", "The body of this request is too large.")
    response = exception_handler(exception, context)
    if response is None:
        return None
    response.content_type = MEDIA_TYPE
    if isinstance(exception, ValidationError):
        # Beside `errors` each parameter by its own name, as before there were problem details.
        is_by_name = isinstance(response.data, dict)
        errors = response.data if is_by_name else {"non_field_errors": response.data}
        words = "This request is not understood: see errors."
        response.data = {**errors, **about(response.status_code, words), "errors": errors}
        return response
    response.data = about(response.status_code, str(response.data["detail"]))
    if isinstance(exception, Problem):
        response.data |= {"code": exception.code, **exception.further}
        for name, value in exception.headers.items():
            response.headers[name] = value
    return response


class TellsProblems:
    """A view of the API. The receiver, which is a view of the same framework, stays as it is."""

    def get_exception_handler(self) -> Any:
        return told
