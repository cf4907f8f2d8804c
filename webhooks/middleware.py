"""Takes the receiver's requests out before anything else can touch them.

Customer.io holds back every later webhook behind one that fails, so no host check, redirect,
session, CSRF check or throttle may stand before the receiver.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from webhooks.views import RECEIVER_PATH, receive


class ReceiverMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # With and without the slash: a redirect would be a failure to the sender.
        if request.path_info.rstrip("/") == RECEIVER_PATH.rstrip("/"):
            return receive(request)
        return self.get_response(request)
