"""The ETag of a brief: whether what a client has of it is still what the API shows."""

import hashlib
import json
from typing import Any

from rest_framework.utils.encoders import JSONEncoder

# These count on by themselves, so they are left out: a client adds the time since it asked.
_RUNNING = ("age_seconds",)


def etag(shown: dict[str, Any]) -> str:
    """A weak ETag: the revision, and a digest of all that is shown.

    The revision alone would not do: an answer under way, the persona's text or the customer's
    profile change what is shown, and leave the brief's row as it is.
    """
    text = json.dumps(_still(shown), cls=JSONEncoder, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f'W/"{shown["revision"]}-{digest}"'


def _still(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _still(value) if isinstance(value, dict) else value
        for name, value in shown.items()
        if name not in _RUNNING
    }
