"""The system checks: WEBHOOKS_WAKE_TASK names a task that exists, and keys are no placeholders."""

import pytest
from django.conf import settings as configured
from django.core.checks import Error, run_checks
from django.utils.module_loading import import_string

from webhooks.checks import check_keys, check_wake_task
from webhooks.middleware import ReceiverMiddleware


def test_configured_task_can_be_called():
    assert check_wake_task(None) == []
    assert import_string(configured.WEBHOOKS_WAKE_TASK).__module__ == "briefs.tasks"


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("briefs.tasks.drained", "cannot be imported"),
        ("nowhere.tasks.drain", "cannot be imported"),
        ("drain", "cannot be imported"),
        ("", "cannot be imported"),
        ("briefs.tasks.__doc__", "is not callable"),
    ],
)
def test_name_that_leads_nowhere_is_an_error_in_words(settings, name, problem):
    settings.WEBHOOKS_WAKE_TASK = name

    [error] = check_wake_task(None)

    assert isinstance(error, Error)
    assert error.id == "webhooks.E001"
    assert f"WEBHOOKS_WAKE_TASK names {name!r}, which {problem}" in error.msg
    assert "stored events wait for ever" in error.hint


def test_placeholder_is_named_by_its_place_and_never_by_its_text(settings):
    assert check_keys(None) == []
    settings.CIO_WEBHOOK_SECRETS_REFUSED = ["number 2 is a placeholder"]

    [warning] = check_keys(None)

    assert warning.msg == ("CIO_WEBHOOK_SECRET: number 2 is a placeholder. It verifies nothing.")


def test_web_server_says_at_its_start_that_every_webhook_will_be_refused(settings, caplog):
    settings.CIO_WEBHOOK_SECRETS = []
    settings.CIO_WEBHOOK_SECRETS_REFUSED = ["number 1 is a placeholder"]

    ReceiverMiddleware(lambda request: None)

    assert "number 1 is a placeholder. No key is left, so every webhook is refused" in caplog.text


def test_check_runs_with_the_others(settings):
    settings.WEBHOOKS_WAKE_TASK = "nowhere"

    assert "webhooks.E001" in [message.id for message in run_checks()]
