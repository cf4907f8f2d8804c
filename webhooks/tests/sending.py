"""Sends deliveries the way Customer.io does: signed over the raw body."""

import json
from typing import Any

from django.test import Client

from webhooks.signatures import sign

SECRET = "signing-key-of-the-tests"
TIMESTAMP = "1614265384"
URL = "/webhooks/customerio/"


def post(body: Any, *, secret: str = SECRET, timestamp: str = TIMESTAMP, **headers: str) -> Any:
    """POST a signed body (bytes, or anything JSON can say); header names with underscores."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {
        "X-CIO-Timestamp": timestamp,
        "X-CIO-Signature": sign(secret, timestamp, raw),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    return Client().post(URL, raw, content_type="application/json", headers=given)
