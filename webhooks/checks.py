"""System checks of the receiver: mistakes that would otherwise show only with the first event."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def check_wake_task(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Check that WEBHOOKS_WAKE_TASK names a task that exists; the settings hold only its name."""
    try:
        if callable(import_string(settings.WEBHOOKS_WAKE_TASK)):
            return []
        problem = "is not callable"
    except ImportError as error:
        problem = f"cannot be imported ({error})"
    return [
        Error(
            f"WEBHOOKS_WAKE_TASK names {settings.WEBHOOKS_WAKE_TASK!r}, which {problem}.",
            hint="Without it stored events wait for ever. Name the task that drains them.",
            id="webhooks.E001",
        )
    ]
