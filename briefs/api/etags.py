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


def etag(brief: Brief, shown: dict[str, Any]) -> str:
    """`brief`: with its signals and activities as they are shown."""
    text = json.dumps(_still(shown), cls=JSONEncoder, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f'"{brief.pk}-{_seen(brief)}-{digest}"'


def _still(shown: dict[str, Any]) -> dict[str, Any]:
    return {
        name: _still(value) if isinstance(value, dict) else value
        for name, value in shown.items()
        if name not in _RUNNING
    }


def _seen(brief: Brief) -> Seen:
    """As `Seen.of`, but from the rows that are shown: newer ones were not seen."""
    acts = [signal for signal in brief.signals.all() if signal.same_act_as_id is None]
    return Seen(
        revision=brief.revision,
        signals=len(acts),
        newest_signal=max((signal.pk for signal in acts), default=0),
        newest_activity=max((entry.pk for entry in brief.activities.all()), default=0),
        priority=brief.priority,
        persona=brief.persona_id,
        assignee=brief.assignee_id or 0,
    )


def holds(header: str, brief: Brief) -> bool:
    """Whether If-Match names the brief as it is now: whatever changes it raises its revision."""
    is_any = header.strip() == ANY
    return is_any or any(seen.revision == brief.revision for seen in _named(header, brief))


def last_seen(header: str, brief: Brief) -> str:
    """What the last ETag of this brief in If-Match says was seen; empty if there is none."""
    named = list(_named(header, brief))
    return str(named[-1]) if named else ""


def _named(header: str, brief: Brief) -> Iterator[Seen]:
    for tag in parse_etags(header):
        key, _, rest = tag.removeprefix("W/").strip('"').partition("-")
        text, _, _ = rest.rpartition("-")
        seen = Seen.read(text)
        if key == str(brief.pk) and seen:
            yield seen
