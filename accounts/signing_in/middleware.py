"""A session that has not shown its second factor reaches nothing but the page that asks for it."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from accounts.signing_in.hashing import TooManyAtOnce
from accounts.signing_in.next_page import with_next
from accounts.signing_in.standing import Standing, standing
from briefs.api import problems

ALWAYS_OPEN = {"logout", "operations:livez", "operations:readyz"}
OPEN = {
    Standing.MUST_SHOW: {"accounts:code"},
    Standing.MUST_SET_UP: {
        "accounts:second_factor",
        "accounts:second_factor_begin",
        "accounts:second_factor_confirm",
    },
}
ASKS = {Standing.MUST_SHOW: "accounts:code", Standing.MUST_SET_UP: "accounts:second_factor"}


class SecondFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponse | None:
        name = request.resolver_match.view_name if request.resolver_match else ""
        if name in ALWAYS_OPEN:
            return None
        where = standing(request)
        if where is Standing.FREE or name in OPEN[where]:
            return None
        if request.path.startswith("/api/"):
            return problems.refusal(403, "The second factor has not been shown.")
        # A form that was sent is not sent again: only a page is come back to.
        address = with_next(ASKS[where], request.get_full_path() if request.method == "GET" else "")
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(with_next(ASKS[where], ""))
        return redirect(address)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, TooManyAtOnce):
            return None
        response = render(request, "503.html", status=503)
        response["Retry-After"] = "5"
        return response
