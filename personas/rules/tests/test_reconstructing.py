"""The past is put together from the histories of single rules, before the first version."""

import pytest
from django.db import connection

from personas.models import Persona, PersonaCondition, RulesState, RuleVersion
from personas.rules import documents, taking

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.begins_at("2027-01-01T12:00"),
    pytest.mark.usefixtures("starter"),
]


@pytest.fixture
def without_versions(starter):
    """As an installation of the release before has it."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM personas_ruleversion")
    RulesState.objects.update(version=None, version_edits=None)


@pytest.fixture
def persona(without_versions):
    return Persona.objects.get(name="Pro, low usage")


def at(moment, row):
    """Let what was saved last have happened then."""
    row.history.filter(pk=row.history.first().pk).update(history_date=moment)


def test_each_save_of_the_past_is_a_version_that_says_so(persona, user):
    persona.value = "low"
    persona._history_user = user
    persona.save()
    at("2027-01-02T10:00Z", persona)
    condition = PersonaCondition(persona=persona, field="usage", operator="lt", value="10")
    condition.save()
    at("2027-01-03T10:00Z", condition)

    taking.settle()

    newest, before, first = RuleVersion.objects.all()
    assert all(version.is_reconstructed for version in (newest, before, first))
    assert newest.document == documents.take()
    assert (before.who, before.what) == ("robin", "Changed persona “Pro, low usage”")
    assert str(before.made_at.date()) == "2027-01-02"
    assert first.what == "The first that is known"


def test_what_left_no_history_is_a_version_of_its_own(persona):
    Persona.objects.filter(pk=persona.pk).update(value="low")

    taking.settle()

    newest, first = RuleVersion.objects.all()
    assert not newest.is_reconstructed
    assert first.is_reconstructed
    assert newest.document == documents.take()


def test_deleted_rules_are_in_the_versions_before(persona):
    persona.delete()
    Persona.history.filter(name="Pro, low usage", history_type="-").update(
        history_date="2027-01-02T10:00Z"
    )

    taking.settle()

    first = RuleVersion.objects.last()
    assert any(row["name"] == "Pro, low usage" for row in first.document["personas"])
    assert RuleVersion.objects.first().document == documents.take()
