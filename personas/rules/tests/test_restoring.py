"""Undo and restore bring back a rule with its conditions and steps, or everything."""

import pytest

from personas.models import FirstStep, Persona, PersonaCondition, RuleVersion
from personas.rules import documents, restoring, taking, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Pro, low usage"


@pytest.fixture
def kept():
    return documents.take()


def delete():
    with versions.change(None, ""):
        Persona.objects.get(name=NAME).remove()


def test_deleted_persona_comes_back_with_conditions_steps_and_place(kept):
    delete()

    document = restoring.only("personas", [NAME], kept, documents.take())
    restoring.put_in_place(document, None, "Restored")

    assert documents.take() == kept
    assert PersonaCondition.objects.filter(persona__name=NAME).exists()
    assert FirstStep.objects.filter(persona__name=NAME).exists()


def test_restore_of_one_rule_leaves_later_changes_of_others(kept):
    delete()
    with versions.change(None, ""):
        Persona.objects.filter(name="Trial").update(value="high")

    document = restoring.only("personas", [NAME], kept, documents.take())
    restoring.put_in_place(document, None, "Restored")

    assert Persona.objects.get(name="Trial").value == "high"
    assert Persona.objects.filter(name=NAME).exists()


def test_restore_of_everything_names_the_version_it_brought_back(kept):
    delete()
    head = taking.head()

    version = restoring.put_in_place(kept, None, "Undone", restores=head.number - 1)

    assert version.restores == head.number - 1
    assert version.digest == RuleVersion.objects.get(number=head.number - 1).digest


def test_rule_that_never_was_cannot_be_restored(kept):
    with pytest.raises(LookupError, match="there was no persona “X”"):
        restoring.only("personas", ["X"], kept, kept)


def test_preview_says_what_would_change_and_keeps_nothing(kept):
    delete()

    seen = restoring.preview(kept)

    assert str(seen.differences[0]) == f"Persona “{NAME}” added"
    assert not Persona.objects.filter(name=NAME).exists()
    assert seen.head == taking.head().number


def test_preview_says_which_rules_somebody_may_not_change(kept, user):
    delete()

    assert restoring.preview(kept).lacking(user) == ["persona", "first step"]
