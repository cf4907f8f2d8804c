"""System checks of the receiver: what would otherwise show only when the first event arrives."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string


@register()
def check_wake_task(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """The task that a stored event wakes is only named in the settings: the name must resolve."""
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
