"""The system check that WEBHOOKS_WAKE_TASK names a task that exists."""

import pytest
from django.conf import settings as configured
from django.core.checks import Error, run_checks
from django.utils.module_loading import import_string

from webhooks.checks import check_wake_task


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


def test_check_runs_with_the_others(settings):
    settings.WEBHOOKS_WAKE_TASK = "nowhere"

    assert "webhooks.E001" in [message.id for message in run_checks()]
