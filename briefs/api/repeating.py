"""Idempotency-Key: a request that is sent again gets the first one's answer; nothing is done twice.

As the IETF's draft of the header has it. The row is written in the transaction of the act, so a
refusal keeps no answer, and the key may be used again. Two requests with one key at the same moment
meet at the row's unique key: the second waits for the first.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from http import HTTPStatus

from django.db import OperationalError, transaction
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from briefs.api.problems import Problem
from briefs.models import Brief, KeptAnswer
from briefs.permissions import PERSONAL_DATA

logger = logging.getLogger(__name__)

HEADER = "Idempotency-Key"
REPEATED = "Idempotent-Replayed"
LONGEST = 255
_KEPT_HEADERS = ("ETag", "Content-Location")


def once(request: Request, brief: Brief | None, act: Callable[[], Response]) -> Response:
    """What `act` answers, or what it answered to this request before."""
    key = request.headers.get(HEADER)
    try:
        with transaction.atomic():
            return act() if key is None else _once(request, brief, key, act)
    except OperationalError as error:  # somebody else has the rows for too long, or it is away
        logger.warning("an act of the API was not done (%s)", type(error).__name__)
        words = f"The database did not answer in time. Send it again, with its {HEADER}."
        busy = HTTPStatus.SERVICE_UNAVAILABLE
        raise Problem(busy, "busy", words, headers={"Retry-After": "1"}) from None


def _once(request: Request, brief: Brief | None, key: str, act: Callable[[], Response]) -> Response:
    if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise ParseError(f"{HEADER} takes 1 to {LONGEST} printable ASCII characters.")
    mine = {"user": request.user, "token": _token(request), "key": key}
    KeptAnswer.objects.filter(**mine).over().delete()
    # With what the answer may show: whoever has lost that right by now gets no kept answer.
    shown = request.user.has_perm(PERSONAL_DATA)
    body = json.dumps(request.data, sort_keys=True)
    asked = _digest(f"{request.method} {request.path} {shown} {body}")
    defaults = {"request": asked, "brief": brief}
    kept, is_first = KeptAnswer.objects.get_or_create(**mine, defaults=defaults)
    if not is_first:
        return _again(kept, asked)
    response = act()
    kept.status = response.status_code
    kept.headers = {name: response[name] for name in _KEPT_HEADERS if name in response}
    kept.body = json.dumps(response.data, cls=JSONEncoder)
    kept.save()
    return response


def _again(kept: KeptAnswer, asked: str) -> Response:
    if kept.request != asked:
        words = f"This {HEADER} was used for another request. Use a new one for this."
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "key_reused", words)
    return Response(json.loads(kept.body), kept.status, headers={**kept.headers, REPEATED: "true"})


def _token(request: Request) -> str:
    """Each token has its own keys: it may not be shown what another one is."""
    return _digest(str(request.auth.pk)) if request.auth else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
