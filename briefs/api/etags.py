"""The ETag of a brief: whether what a client has of it is still what the API shows, and If-Match.

It begins with the brief's key and what `freshness.Seen` keeps of it, so that an act that is based
on it can tell what arrived since. Its end is a digest of all that is shown: an answer under way,
the persona's text or the customer's profile change that, and leave the brief's row as it is.

It is a strong one, because If-Match compares no other. Only `age_seconds`, which counts on by
itself, may differ under one ETag. A proxy that compresses makes it a weak one: that is taken too.
"""

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from django.utils.http import parse_etags
from rest_framework.utils.encoders import JSONEncoder

from briefs.models import Brief
from briefs.triage.freshness import Seen

# These count on by themselves, so they are left out: a client adds the time since it asked.
_RUNNING = ("age_seconds",)
ANY = "*"


def etag(brief: Brief, seen: Seen, shown: dict[str, Any]) -> str:
    """`seen`: read before what is shown, so that nothing in between is missed."""
    text = json.dumps(_still(shown), cls=JSONEncoder, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f'"{brief.pk}-{seen}-{digest}"'


def _still(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _still(value) if isinstance(value, dict) else value
        for name, value in shown.items()
        if name not in _RUNNING
    }


def based_on(header: str, brief: Brief) -> str:
    """What an act is based on, in the form of `Seen`; empty if no ETag in If-Match is the brief's.

    Of several the one that holds, or else the last.
    """
    if header.strip() == ANY:
        return str(Seen.of(brief))
    found = list(_seen(header, brief))
    return next((text for text in found if holds(text, brief)), found[-1] if found else "")


def holds(text: str, brief: Brief) -> bool:
    """Whether this is the revision of now: whatever changes the brief itself raises it."""
    seen = Seen.read(text)
    return seen is not None and seen.revision == brief.revision


def _seen(header: str, brief: Brief) -> Iterator[str]:
    for tag in parse_etags(header):
        key, _, rest = tag.removeprefix("W/").strip('"').partition("-")
        text, _, _ = rest.rpartition("-")
        if key == str(brief.pk) and Seen.read(text):
            yield text
