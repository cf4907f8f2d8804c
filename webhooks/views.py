"""The receiver: verify, store, answer. Everything else happens in a worker.

| request                                  | answer            | and Customer.io                |
|------------------------------------------|-------------------|--------------------------------|
| verified, new                            | 200 stored        | goes on                        |
| verified, seen before                    | 200 duplicate     | goes on                        |
| verified, its event id is that of an     | 200 stored, under | goes on                        |
| event of another person or metric        | its body's digest |                                |
| verified, without a usable event id, but | 200 stored, under | goes on; the same body again   |
| says what happened to whom               | its body's digest | is a duplicate                 |
| verified, but unusable, a test, a list   | 200 quarantined   | goes on: a retry cannot help   |
| of events, or over 10 MiB                |                   |                                |
| signature missing or wrong               | 401               | waits an hour, retries 7 days  |
| over 64 MiB                              | 413               | retries                        |
| cannot be stored now                     | 503 + Retry-After | retries soon                   |
"""

import hashlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from webhooks.bell import ringer
from webhooks.models import Answer, DeliveryRow, WebhookEvent
from webhooks.parsing import ParsedEvent, Unusable, digest_key, parse
from webhooks.signatures import Verifier, is_like_the_senders, is_too_old
from webhooks.storing import IdTaken, NotStored, ValuesRefused, committer
from webhooks.tallying import tallying

logger = logging.getLogger(__name__)

RECEIVER_PATH = "/webhooks/customerio/"
MIB = 1024 * 1024
KEPT_WHOLE = 10 * MIB  # a larger body keeps its size, its digest and its first 64 KiB
KEPT_START = 64 * 1024
REFUSED_ABOVE = 64 * MIB
CHUNK = 64 * 1024
KEPT_HEADERS = ("Content-Type", "Content-Encoding", "User-Agent", "X-CIO-Timestamp")
RETRY_AFTER_SECONDS = 5
# A colon or more in it would let one signature hold for other bodies: it is signed together with
# the body, and nothing else says where it ends.
TIMESTAMP = re.compile(r"[0-9]{1,20}")


class Rejected(Exception):
    """The request is refused and nothing of it is kept; counted as `answer`."""

    def __init__(self, answer: Answer, message: str, status: int = 401) -> None:
        super().__init__(message)
        self.answer = answer
        self.status = status


@dataclass(slots=True)
class Delivery:
    """One request's body, as much of it as is kept, and whether its signature holds."""

    body: bytes
    size: int
    sha256: str
    is_verified: bool
    headers: dict[str, str]

    @property
    def is_cut(self) -> bool:
        return self.size > KEPT_WHOLE


class JSONOnly(BaseContentNegotiation):
    """Always answers JSON and ignores Accept: Customer.io would take a 406 for a failure."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> Any:
        return renderers[0], renderers[0].media_type


class ReceiveView(APIView):
    """POST /webhooks/customerio/"""

    authentication_classes: list[Any] = []
    permission_classes: list[Any] = []
    throttle_classes: list[Any] = []
    parser_classes: list[Any] = []
    renderer_classes = [JSONRenderer]
    content_negotiation_class = JSONOnly
    http_method_names = ["post"]
    schema = None  # not part of the documented API

    def post(self, request: Request) -> Response:
        try:
            delivery = read_delivery(request._request)
        except Rejected as rejection:
            tallying.count(rejection.answer)
            return Response({"error": str(rejection)}, status=rejection.status)
        try:
            answer = store(delivery)
        except NotStored:
            return cannot_store()
        tallying.count(answer)
        ringer.wake()
        return Response({"status": answer})


def cannot_store() -> Response:
    tallying.count(Answer.NOT_STORED)
    return Response(
        {"error": "the event cannot be stored now, please send it again"},
        status=503,
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


@csrf_exempt
def receive(request: HttpRequest) -> HttpResponse:
    """Always give a complete answer: an unexpected error becomes a 503, which is retried soon."""
    try:
        response: HttpResponse = _view(request)
        if isinstance(response, Response):
            response.render()
        response["Content-Length"] = str(len(response.content))  # else it is sent in chunks
        # Django logs every 4xx and 5xx: many forged requests must not fill the log.
        setattr(response, "_has_been_logged", True)  # noqa: B010 - an attribute of Django's own
        return response
    except Exception:
        logger.exception("the receiver failed, answered 503")
        tallying.count(Answer.NOT_STORED)
        return JsonResponse(
            {"error": "unexpected failure, please send it again"},
            status=503,
            headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


_view = ReceiveView.as_view()


def read_delivery(request: HttpRequest) -> Delivery:
    """Read the body once, hashing as it arrives.

    With DEBUG on, an unsigned request is accepted and marked as unverified. Raises Rejected if the
    request is not Customer.io's, or as soon as its body passes 64 MiB.
    """
    timestamp = request.headers.get("X-CIO-Timestamp", "")
    signature = request.headers.get("X-CIO-Signature", "")
    if timestamp and not TIMESTAMP.fullmatch(timestamp):
        raise Rejected(Answer.UNSIGNED, "X-CIO-Timestamp is no number of seconds")
    may_be_unsigned = settings.DEBUG and not (signature and settings.CIO_WEBHOOK_SECRETS)
    if not may_be_unsigned and not (timestamp and signature):
        raise Rejected(Answer.UNSIGNED, "the signature is missing")
    verifier = Verifier(settings.CIO_WEBHOOK_SECRETS, timestamp)
    digest = hashlib.sha256()
    kept = bytearray()
    size = 0
    for chunk in body_chunks(request):
        size += len(chunk)
        if size > REFUSED_ABOVE:
            raise Rejected(Answer.TOO_LARGE, "the body is larger than 64 MiB", 413)
        verifier.update(chunk)
        digest.update(chunk)
        if size <= KEPT_WHOLE:
            kept += chunk
        else:
            del kept[KEPT_START:]
    is_verified = verifier.accepts(signature)
    if is_verified and is_too_old(timestamp, settings.CIO_MAX_AGE_SECONDS):
        raise Rejected(Answer.TOO_OLD, "signed too long ago: CIO_MAX_AGE_SECONDS is set")
    if not is_verified and not may_be_unsigned:
        # A stranger's must not ring the alarm that says our secret is wrong.
        is_ours = is_like_the_senders(timestamp, signature, kept)
        answer = Answer.WRONG_SIGNATURE if is_ours else Answer.UNSIGNED
        raise Rejected(answer, "the signature is wrong: is the secret right?")
    return Delivery(bytes(kept), size, digest.hexdigest(), is_verified, kept_headers(request))


def body_chunks(request: HttpRequest) -> Iterator[bytes]:
    """Yield the raw body. Django reads nothing of a chunked one, so the WSGI input is read."""
    stream = request.META["wsgi.input"]
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        while chunk := stream.read(CHUNK):
            yield chunk
        return
    try:
        left = int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        left = 0
    while left > 0 and (chunk := stream.read(min(CHUNK, left))):
        left -= len(chunk)
        yield chunk


def kept_headers(request: HttpRequest) -> dict[str, str]:
    given = {name: request.headers.get(name, "") for name in KEPT_HEADERS}
    return {
        name: value.encode("ascii", "replace").decode().replace("\0", "")[:500]
        for name, value in given.items()
        if value
    }


def store(delivery: Delivery) -> Answer:
    """Store the delivery and return the answer. Raises NotStored if it cannot be stored now."""
    try:
        if delivery.is_cut:
            raise Unusable(f"the body has {delivery.size} bytes; its first 64 KiB are kept")
        is_new = _record(delivery, understood(delivery.body))
        return Answer.STORED if is_new else Answer.DUPLICATE
    except Unusable as error:
        return _quarantine(delivery, str(error), _code(error))
    except ValuesRefused as error:
        logger.warning("event quarantined: the database refused it (%s)", error)
        return _quarantine(delivery, f"the database refused a value: {error}")


def _record(delivery: Delivery, event: ParsedEvent) -> bool:
    """Store an event to be worked on; False if this is a further delivery of it."""
    row = DeliveryRow(
        event,
        delivery.body,
        delivery.size,
        delivery.headers,
        delivery.is_verified,
        reason_code=WebhookEvent.Reason.NO_EVENT_ID if event.has_no_id else None,
    )
    try:
        return committer.record(row)
    except IdTaken:
        logger.warning("the event id %s came with another person or metric", event.event_id)
        own = replace(event, event_id=digest_key(delivery.sha256))
        return committer.record(replace(row, event=own))


def _code(error: Unusable) -> str | None:
    if error.is_signed_test:
        return WebhookEvent.Reason.SIGNED_TEST
    return WebhookEvent.Reason.LIST if error.is_list else None


def understood(body: bytes) -> ParsedEvent:
    """Parse the body. If our code fails, the event is unusable too: a retry would fail again."""
    try:
        return parse(body)
    except Unusable:
        raise
    except Exception as error:
        logger.exception("a body could not be read")
        raise Unusable(f"reading it failed: {type(error).__name__}") from error


def _quarantine(delivery: Delivery, reason: str, code: str | None = None) -> Answer:
    nameless = ParsedEvent(digest_key(delivery.sha256), "", "", None)
    committer.record(
        DeliveryRow(
            nameless,
            delivery.body,
            delivery.size,
            delivery.headers,
            delivery.is_verified,
            body_sha256=delivery.sha256,
            quarantined_because=reason,
            reason_code=code,
        )
    )
    return Answer.QUARANTINED
