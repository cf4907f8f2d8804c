"""Turns BROKER_URL into django-q2's settings. The broker only wakes workers: it keeps no data."""

import re
from importlib.util import find_spec
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

PACKAGES = {"redis": "redis", "rediss": "redis", "sqs": "boto3"}  # by scheme


def broker_settings(url: str, *, timeout_seconds: float) -> dict[str, Any]:
    """Return the Q_CLUSTER entries for `orm://`, `redis://`, `rediss://` or `sqs://`.

    timeout_seconds: the longest wait for an answer of Redis, so that a caller cannot hang.
    SQS reads `sqs://[key:secret@]region`; without a key the usual AWS environment serves.
    Raises ImproperlyConfigured for any other scheme, or if a package is missing.
    """
    parts = urlsplit(url)
    package = PACKAGES.get(parts.scheme)
    if package and find_spec(package) is None:
        extra = "sqs" if package == "boto3" else package
        raise ImproperlyConfigured(
            f"BROKER_URL starts with {parts.scheme}://, and the package {package} is not "
            f"installed: .venv/bin/pip install --require-hashes -r requirements-{extra}.txt"
        )
    if parts.scheme == "orm":
        return {"orm": "default"}
    if parts.scheme in ("redis", "rediss"):
        limits = f"socket_timeout={timeout_seconds}&socket_connect_timeout={timeout_seconds}"
        return {"redis": f"{url}{'&' if parts.query else '?'}{limits}"}
    if parts.scheme == "sqs":
        options: dict[str, Any] = {
            "aws_region": parts.hostname,
            "receive_message_wait_time_seconds": 1,  # long polling; without it a loop of calls
        }
        if parts.username:
            options["aws_access_key_id"] = unquote(parts.username)
            options["aws_secret_access_key"] = unquote(parts.password or "")
        return {"sqs": options}
    raise ImproperlyConfigured(
        f"BROKER_URL starts with {parts.scheme or 'nothing'}://; use orm://, redis:// or sqs://."
    )


def queue_prefix(given: str, url: str) -> str:
    """What the names of our queues begin with; empty in our own database, which is ours alone.

    Raises ImproperlyConfigured for what SQS does not take in a name.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", given):
        raise ImproperlyConfigured(
            f"QUEUE_PREFIX is {given!r}; use 1 to 40 letters, digits, hyphens or underscores."
        )
    return "" if urlsplit(url).scheme == "orm" else given
