"""Mavera's errors, in the words and the shape of https://docs.mavera.io/guides/errors."""

from sandbox.wire import Reply, json_reply

_ERRORS = {
    "missing_field": (400, "invalid_request_error", "Missing required field."),
    "invalid_field": (400, "invalid_request_error", "Invalid value."),
    "missing_api_key": (401, "authentication_error", "No API key provided."),
    "invalid_api_key": (
        401,
        "authentication_error",
        "Invalid API key. Ensure your key starts with 'mvra_live_' and has not been revoked.",
    ),
    "revoked_api_key": (401, "authentication_error", "This API key has been revoked."),
    "credits_exhausted": (
        402,
        "insufficient_credits",
        "Insufficient credits. Please upgrade your subscription or wait for your next billing "
        "cycle.",
    ),
    "forbidden": (403, "permission_error", "You do not have access to this resource."),
    "resource_not_found": (404, "not_found_error", "Resource not found."),
    "method_not_allowed": (405, "invalid_request_error", "Method not allowed."),
    "rate_limit_exceeded": (429, "rate_limit_error", "Rate limit exceeded."),
    "internal_error": (500, "server_error", "An internal error occurred."),
    "service_unavailable": (503, "server_error", "The service is temporarily unavailable."),
}
"""Status, type and message by code. The types of 403, 404, 405 and 5xx are not documented."""

_CODE_OF_STATUS = {
    401: "invalid_api_key",
    402: "credits_exhausted",
    403: "forbidden",
    404: "resource_not_found",
    405: "method_not_allowed",
    429: "rate_limit_exceeded",
    500: "internal_error",
    503: "service_unavailable",
}


def error(
    code: str, message: str = "", *, param: str | None = None, retry_after: int | None = None
) -> Reply:
    """The reply for an error code; `retry_after` in seconds becomes a header."""
    status, kind, usual_message = _ERRORS[code]
    if code == "rate_limit_exceeded" and retry_after is not None:
        message = message or f"{usual_message} Please retry after {retry_after} seconds."
    body = {"message": message or usual_message, "type": kind, "code": code, "param": param}
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return json_reply({"error": body}, status=status, headers=headers)


def code_for(status: int) -> str:
    """The code that goes with a status when nothing more is known."""
    return _CODE_OF_STATUS[status]
