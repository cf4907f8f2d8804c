"""How all processes log: one line each to stderr, as text for people or as JSON for machines.

Nothing of Django is imported here: the web server's first process logs in the same way.
"""

import json
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from webhooks.logs import ids
from webhooks.logs.scrubbing import scrubbed

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
OURS = ("config", "operations", "accounts", "briefs", "personas", "webhooks", "providers")
TEXT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__(TEXT)

    def format(self, record: logging.LogRecord) -> str:
        return scrubbed(super().format(record))


class Json(logging.Formatter):
    """Only these fields: Django adds whole requests to its records, with address and query."""

    def __init__(self, service: str, host: str) -> None:
        super().__init__()
        self.process = {"service": service, "host": host}

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": scrubbed(record.getMessage()),
            **self.process,
            "process": record.process,
            **ids.present(),
        }
        if record.exc_info:
            fields["traceback"] = scrubbed(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False, default=str)


def configuration(
    level: str, form: str, *, service: str, host: str, sentry: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """For logging.config.dictConfig. `sentry`: the arguments of config.reporting.handler.

    Packages of others log nothing below INFO: what they say of requests holds keys and people.
    """
    formatter: dict[str, Any] = {"()": "webhooks.logs.lines.Text"}
    if form == "json":
        formatter = {"()": "webhooks.logs.lines.Json", "service": service, "host": host}
    handlers: dict[str, Any] = {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}}
    if sentry:
        handlers["sentry"] = {"()": "config.reporting.handler", "level": "ERROR", **sentry}
    at_least_info = "INFO" if level == "debug" else level.upper()
    at_least_warning = "ERROR" if level == "error" else "WARNING"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": formatter},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": at_least_info},
        "loggers": {
            **{name: {"level": level.upper()} for name in OURS},
            "django": {"handlers": [], "level": at_least_info},  # in place of Django's own handlers
            "django-q": {
                "handlers": list(handlers), "level": at_least_warning, "propagate": False,
            },
            "axes": {"level": at_least_warning},
            "urllib3": {"level": at_least_warning},
        },
    }  # fmt: skip
