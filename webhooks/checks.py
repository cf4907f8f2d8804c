"""System checks of the receiver: mistakes that would otherwise show only with the first event."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.module_loading import import_string

CURE = (
    "Copy the signing key from the Reporting Webhooks page of Customer.io into CIO_WEBHOOK_SECRET "
    "and start Savedesk again."
)


@register()
def check_keys(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Name what in CIO_WEBHOOK_SECRET verifies nothing, by its place and never by its text."""
    words = why_refused()
    return [Warning(words, hint=CURE, id="webhooks.W001")] if words else []


def why_refused() -> str:
    """What in CIO_WEBHOOK_SECRET verifies nothing, and what that does; empty if all is used."""
    if not settings.CIO_WEBHOOK_SECRETS_REFUSED:
        return ""
    effect = "It verifies nothing."
    if not settings.CIO_WEBHOOK_SECRETS and not settings.DEBUG:
        effect = "No key is left, so every webhook is refused with 401."
    return f"CIO_WEBHOOK_SECRET: {', '.join(settings.CIO_WEBHOOK_SECRETS_REFUSED)}. {effect}"


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
