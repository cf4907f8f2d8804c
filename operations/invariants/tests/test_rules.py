"""Versions of the rules that break a promise are told."""

import pytest

from briefs.tests.factories import make_brief, make_persona
from operations.invariants import rules
from operations.invariants.tests.breaking import execute, told
from personas.models import RuleVersion
from personas.rules import taking

pytestmark = pytest.mark.django_db


@pytest.fixture
def version():
    """The newest, which tells the present rules."""
    make_persona()
    taking.settle()
    return RuleVersion.objects.latest("number")


def test_rules_that_no_trigger_saw_change_are_told(version):
    assert told(rules.version_tells_the_rules) == []
    make_persona()  # raises the edits: the next batch of events makes a version
    assert told(rules.version_tells_the_rules) == []

    execute("UPDATE personas_rulesstate SET version_edits = edits")

    words = f"version {version.number}: it is said to tell the present rules, and does not"
    assert told(rules.version_tells_the_rules) == [words]


def test_document_of_a_version_that_was_changed_is_told(version):
    execute("UPDATE personas_ruleversion SET document = '{}'")

    words = f"version {version.number}: its document is not the one that was written"
    assert told(rules.version_tells_the_rules) == [words]


def test_gap_between_versions_is_told(version):
    execute(f"UPDATE personas_ruleversion SET number = {version.number + 1}")

    words = f"versions : there are {version.number} versions up to number {version.number + 1}"
    assert words in told(rules.version_tells_the_rules)


def test_brief_of_a_version_that_is_not_there_is_told(version):
    make_brief()

    execute("UPDATE briefs_brief SET rules_version = 1000")

    words = f"brief : version 1000 decided about it, and the newest is {version.number}"
    assert told(rules.deciding_version_is_there) == [words]
