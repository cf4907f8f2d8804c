"""Tells a program that its token expires soon."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import http_date

from accounts.models import ApiToken

EXPIRES = "Savedesk-Token-Expires"


class ExpiryMiddleware:
    """Adds to each answer, in the last 14 days of its token, when that expires and what to do.

    No standard field says this of a token: `Sunset` (RFC 8594) says that the resource goes away,
    and `Warning` was withdrawn by RFC 9111. So the date is in a field of our own, as at GitHub, in
    the form that all dates of HTTP have, and `Link` names the page where a new one is made.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        token = getattr(request, "auth", None)  # set by Django REST framework
        if isinstance(token, ApiToken) and token.expires_soon(timezone.now()):
            page = request.build_absolute_uri(reverse("accounts:tokens"))
            response.headers[EXPIRES] = http_date(token.expiry.timestamp())
            response.headers["Link"] = f'<{page}>; rel="help"; title="API tokens"'
        return response
