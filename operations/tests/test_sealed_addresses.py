"""After a change of SECRET_KEY: what the doctor says of notification targets, and the command."""

import io

import pytest
from django.core.management import CommandError, call_command

from briefs.notifying.tests.listener import make_target
from operations.doctor import Verdict, targets

pytestmark = pytest.mark.django_db


@pytest.fixture
def changed(settings):
    """A target of each kind: sealed by the present key, a former one, and one that is gone."""
    present = settings.SECRET_KEY
    for name in ("gone", "former", present):
        settings.SECRET_KEY = name
        make_target(name=f"sealed by {name}" if name != present else "present")
    settings.SECRET_KEY_FALLBACKS = ["former"]
    return settings


def run(**options):
    said = io.StringIO()
    try:
        call_command("seal_addresses", stdout=said, **options)
    except CommandError as error:
        return f"{said.getvalue()}{error}"
    return said.getvalue()


def test_doctor_names_the_targets_that_cannot_be_read(changed):
    found = targets.notification_targets()

    assert (found.level, "1 of 3 cannot be read" in found.seen) == (Verdict.FAIL, True)
    assert "“sealed by gone”" in found.seen
    assert "sealed by former" not in found.seen


def test_doctor_counts_what_a_former_key_sealed(changed):
    changed.SECRET_KEY_FALLBACKS = ["former", "gone"]

    found = targets.notification_targets()

    assert (found.level, "2 of 3 are sealed by a former" in found.seen) == (Verdict.WARN, True)


def test_command_seals_anew_what_it_can_read_and_names_the_rest(changed):
    assert run(dry_run=True).startswith("1 would be sealed anew.\n1 cannot be read by any key")

    assert "1 sealed anew.\n1 cannot be read by any key: “sealed by gone”" in run()
    assert run().startswith("0 sealed anew.")


def test_former_key_is_not_needed_after_the_command(changed):
    changed.SECRET_KEY_FALLBACKS = ["former", "gone"]

    assert run() == "2 sealed anew.\n"

    changed.SECRET_KEY_FALLBACKS = []
    assert targets.notification_targets().level == Verdict.OK
