"""doctor --repair: the sweep's schedule is put right without the admin."""

from contextlib import suppress

import pytest
from django.core.management import CommandError, call_command
from django_q.models import Schedule

from operations import progress, scheduling

pytestmark = pytest.mark.django_db


@pytest.fixture
def ours():
    return Schedule.objects.filter(func=progress.SWEEP)


def test_a_missing_schedule_is_made(ours):
    ours.delete()

    scheduling.repair()

    row = ours.get()
    assert (row.name, row.cluster, row.minutes, row.repeats) == ("sweep", "default", 1, -1)


@pytest.mark.parametrize(
    "wrong",
    [
        {"cluster": "research"},
        {"minutes": 5},
        {"repeats": 0},
        {"schedule_type": Schedule.ONCE},
        {"hook": "os.system"},
    ],
)
def test_a_wrong_schedule_is_corrected_and_the_moment_of_the_next_run_kept(ours, wrong):
    ours.update(**wrong)
    due = ours.get().next_run

    said = scheduling.repair()

    row = ours.get()
    assert (row.cluster, row.minutes, row.repeats, row.next_run) == ("default", 1, -1, due)
    assert said == [f"The sweep's schedule was corrected: {next(iter(wrong))}."]


def test_of_two_sweeps_the_older_stays_and_schedules_of_others_are_left_alone(ours):
    kept = ours.get()
    Schedule.objects.create(func=progress.SWEEP, name="again")
    Schedule.objects.create(func="theirs.task", name="theirs")

    scheduling.repair()

    assert ours.get() == kept
    assert Schedule.objects.filter(func="theirs.task").exists()


def test_what_is_right_is_left_alone_and_said_so(capsys):
    assert scheduling.repair() == []

    with suppress(CommandError):  # other checks fail in a test
        call_command("doctor", repair=True)
    assert "Nothing had to be repaired." in capsys.readouterr().out
