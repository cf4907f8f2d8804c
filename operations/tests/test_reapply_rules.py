"""The command that lets open briefs follow the present rules, and takes it back."""

import os
import re
import signal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from briefs.models import Brief, ReprocessingJob
from briefs.reprocessing import working
from briefs.reprocessing.tests.making import make_fitting, make_open, reload

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reapply_rules", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.fixture
def briefs() -> list[Brief]:
    """Open briefs of customers whom another persona takes by now."""
    made = [make_open("free") for _ in range(3)]
    make_fitting("free", name="Another")
    return made


def personas() -> set[str]:
    return set(Brief.objects.values_list("persona__name", flat=True))


def test_dry_run_lists_the_briefs_and_the_cost_and_changes_nothing(briefs):
    said = run("--dry-run")

    assert "3  another persona" in said
    assert f"brief {briefs[0].pk}, another persona: “{briefs[0].persona}” → “Another”" in said
    assert "It would ask 1 new question to Mave: 10 to 75 credits." in said
    assert personas() == {briefs[0].persona.name}


def test_without_a_terminal_it_changes_nothing_unless_it_is_told_to(briefs):
    assert "Nothing was changed." in run()
    assert "Another" not in personas()

    run("--yes")

    assert personas() == {"Another"}


def test_run_is_taken_back_by_the_command_that_it_names(briefs):
    said = run("--yes")
    [job] = re.findall(r"reapply_rules --undo (\d+)", said)

    run("--undo", job)

    assert personas() == {briefs[0].persona.name}
    with pytest.raises(CommandError, match="once"):
        run("--undo", job)


def test_ctrl_c_ends_it_after_a_batch_and_the_command_that_goes_on_is_named(briefs, monkeypatch):
    monkeypatch.setattr(working, "BATCH", 2)
    monkeypatch.setattr(working, "_told", lambda *_: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(CommandError, match="SIGINT came") as error:
        run("--yes")

    assert [reload(brief).persona.name for brief in briefs].count("Another") == 2
    job = ReprocessingJob.objects.get()
    assert job.state == "paused"
    monkeypatch.undo()
    run(*str(error.value).splitlines()[-1].split()[2:])
    assert personas() == {"Another"}
    assert all(brief.activities.count() == 1 for brief in briefs)


def test_unknown_job_is_refused():
    with pytest.raises(CommandError, match="no job 7"):
        run("--undo", "7")
