"""The command that judges open briefs anew: it previews, and tells each brief's timeline."""

from io import StringIO

import pytest
from django.core.management import call_command

from briefs.models import Brief, Priority
from briefs.tests.factories import make_brief, make_research, make_signal, make_threshold

pytestmark = pytest.mark.django_db


def run(*arguments):
    out = StringIO()
    call_command("reprioritize_briefs", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def brief():
    """Severe, and worth something, but not yet judged by that."""
    made = make_brief(
        priority=Priority.MEDIUM, research=make_research(priority=Priority.LOW),
        value_amount=900, value_month=900, value_currency="USD", value_period="month",
    )  # fmt: skip
    make_signal(brief=made, severity=3)
    return made


def test_preview_tells_the_counts_and_changes_nothing(brief):
    make_threshold(top_from=500)

    said = run("--dry-run")

    assert "Medium            1        0" in said
    assert "Urgent            0        1" in said
    assert f"brief {brief.pk}: Medium → Urgent" in said
    assert "1 would change, nothing changed." in said
    assert Brief.objects.get().priority == Priority.MEDIUM


def test_brief_is_judged_anew_with_an_entry_and_its_research_is_hurried(brief):
    make_threshold(top_from=500)

    said = run("--yes")

    assert "1 raised, 0 lowered." in said
    after = Brief.objects.get()
    assert (after.priority, after.revision) == (Priority.URGENT, brief.revision + 1)
    assert after.priority_reasons[-1]["code"] == "top_tenth"
    assert after.research.priority == Priority.URGENT
    [entry] = after.activities.all()
    assert "Urgent, was Medium" in entry.text
    assert "in the top tenth, from USD 500 a month" in entry.text


def test_second_run_changes_nothing(brief):
    make_threshold(top_from=500)
    run("--yes")

    assert "0 raised, 0 lowered." in run("--yes")
    assert Brief.objects.get().activities.count() == 1


def test_brief_whose_signals_are_gone_and_closed_ones_stay_as_they_are():
    make_threshold(top_from=500)
    make_brief(priority=Priority.LOW)
    Brief.objects.filter(pk=make_brief(priority=Priority.LOW).pk).close("retained")

    assert "0 raised, 0 lowered." in run("--yes")


def test_without_thresholds_it_says_what_decides(brief):
    said = run("--yes")

    assert "0 of the 100 values that it takes are known" in said or "1 of the 100 values" in said
    assert Brief.objects.get().priority == Priority.HIGH
