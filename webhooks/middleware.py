"""Answers the receiver's requests before any other middleware sees them.

After a webhook that fails, Customer.io delays all later ones. So no host check, redirect, session,
CSRF check or throttle may come before the receiver.
"""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from webhooks import checks
from webhooks.views import RECEIVER_PATH, receive

logger = logging.getLogger(__name__)


class ReceiverMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        if words := checks.why_refused():  # no command runs the checks of a web server
            logger.warning("%s", words)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # With and without the slash: a redirect would be a failure to the sender.
        if request.path_info.rstrip("/") == RECEIVER_PATH.rstrip("/"):
            return receive(request)
        return self.get_response(request)
