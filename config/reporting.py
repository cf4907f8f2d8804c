"""Sends errors to Sentry, if SENTRY_DSN is set: what was logged as an error, and ids.

An event is made anew from what may leave this machine. What Sentry's library collects besides
(the request with its body, headers, query and cookies, the user, local variables, the log lines
before it) is not taken along.
"""

import logging
from typing import Any

from webhooks.logs import ids
from webhooks.logs.lines import OURS
from webhooks.logs.scrubbing import scrubbed

KEPT = ("event_id", "timestamp", "platform", "level", "logger", "release", "environment",
        "server_name", "sdk")  # fmt: skip
OF_A_FRAME = ("filename", "function", "module", "lineno", "in_app")


def handler(dsn: str, *, release: str, service: str, host: str) -> logging.Handler:
    """The handler of the log that sends; the library is imported by nobody who has no DSN."""
    import sentry_sdk
    from sentry_sdk.integrations.logging import EventHandler

    sentry_sdk.init(
        dsn=dsn,
        release=f"savedesk@{release}",
        environment=service,
        server_name=host,
        before_send=what_may_leave,
        default_integrations=False,  # they would patch Django, requests and more
        auto_enabling_integrations=False,
        include_local_variables=False,
        include_source_context=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        shutdown_timeout=1,
    )
    return EventHandler()


def what_may_leave(event: Any, hint: Any = None) -> Any:
    """A new event with the kind of the error, where it happened, and ids."""
    kept = {name: event[name] for name in KEPT if name in event}
    if str(event.get("logger", "")).partition(".")[0] in OURS:  # others put values into their words
        template = (event.get("logentry") or {}).get("message", "")
        kept["logentry"] = {"message": scrubbed(str(template))}
    kept["tags"] = {name: str(value)[:200] for name, value in ids.present().items()}
    if values := (event.get("exception") or {}).get("values"):
        kept["exception"] = {"values": [_exception(one) for one in values]}
    return kept


def _exception(one: Any) -> dict[str, Any]:
    """The kind of the error and its places. Its words may quote a row, so they stay here."""
    frames = (one.get("stacktrace") or {}).get("frames") or []
    return {
        "type": one.get("type"),
        "module": one.get("module"),
        "stacktrace": {
            "frames": [{name: f[name] for name in OF_A_FRAME if name in f} for f in frames]
        },
    }
