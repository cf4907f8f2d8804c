"""A document is applied as a whole or not at all, and rows keep their keys."""

import copy

import pytest

from briefs.tests.factories import make_brief, make_threshold
from personas.models import AttributeName, FirstStep, Persona, RuleVersion, SignalRule
from personas.rules import applying, documents, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


def apply(document):
    with versions.change(None, "Applied") as change:
        applying.apply(copy.deepcopy(document))
    return change.version


def refused(document):
    with pytest.raises(applying.Refused) as error:
        apply(document)
    return error.value.errors


def row(document, part, name):
    return next(row for row in documents.rows(document, part) if row["name"] == name)


def persona(name):
    return Persona.objects.get(name=name, retired_at=None)


def test_present_rules_applied_change_nothing():
    before = {one.pk for one in Persona.objects.all()}
    histories = Persona.history.count()

    assert apply(documents.take()) is None

    assert {one.pk for one in Persona.objects.all()} == before
    assert Persona.history.count() == histories


def test_rows_that_stay_need_no_query_each(django_assert_max_num_queries):
    document = documents.take()
    rows = sum(len(documents.rows(document, part)) for part in document if part != "savedesk_rules")
    assert rows > 60
    row(document, "personas", "Pro, low usage")["value"] = "low"

    with django_assert_max_num_queries(rows):
        apply(document)

    assert persona("Pro, low usage").value == "low"


def test_document_brings_back_all_that_was_deleted():
    make_threshold()
    document = documents.take()
    SignalRule.objects.all().delete()
    FirstStep.objects.exclude(persona=None).delete()
    AttributeName.objects.all().delete()
    Persona.objects.filter(is_default=False, is_unknown=False).delete()

    apply(document)

    assert documents.take() == document


def test_document_replaces_all_rules_that_are_there():
    document = documents.take()
    document["personas"] = [
        {"name": "All", "is_default": True, "description": "x", "playbook": "y"},
        {"name": "Nobody", "is_unknown": True, "description": "x", "playbook": "y"},
    ]
    document["first_steps"] = [step for step in document["first_steps"] if "persona" not in step]
    default = Persona.objects.get(is_default=True).pk

    apply(document)

    assert Persona.objects.count() == 2
    assert Persona.objects.get(name="All").pk == default


def test_row_keeps_its_key_and_gets_a_history():
    document = documents.take()
    row(document, "personas", "Pro, low usage")["value"] = "low"
    kept = persona("Pro, low usage")

    apply(document)

    assert persona("Pro, low usage").pk == kept.pk
    assert kept.history.first().value == "low"


def test_order_of_a_document_is_the_order_of_the_rules():
    document = documents.take()
    document["signal_rules"].reverse()

    apply(document)

    assert documents.take()["signal_rules"] == document["signal_rules"]


def test_persona_with_briefs_is_retired_and_taken_back_by_its_name():
    full = documents.take()
    brief = make_brief(persona=persona("Pro, low usage"))
    without = copy.deepcopy(full)
    without["personas"].remove(row(without, "personas", "Pro, low usage"))
    steps = without["first_steps"]
    without["first_steps"] = [one for one in steps if one.get("persona") != "Pro, low usage"]

    apply(without)

    brief.persona.refresh_from_db()
    assert brief.persona.retired_at
    assert documents.take() == without

    apply(full)

    assert documents.take() == full
    assert persona("Pro, low usage") == brief.persona


def test_every_mistake_is_told_with_its_place_and_nothing_is_kept():
    document = documents.take()
    row(document, "personas", "Pro, low usage")["conditions"][0]["operator"] = "roughly"
    row(document, "signal_rules", "Turned off a channel")["severity"] = "grave"
    row(document, "signal_rules", "Turned off a channel")["note"] = "new"
    document["personas"].append({"name": "New", "colour": "red"})
    document["first_steps"][0]["persona"] = "Nobody we know"

    errors = refused(document)

    assert len(errors) == 4
    assert "persona “New”: “colour” is not known here." in errors
    assert any("“Pro, low usage”, condition 1, “operator”" in one for one in errors)
    assert any("“severity” must be one of: low, medium, high" in one for one in errors)
    assert any("there is no persona “Nobody we know”" in one for one in errors)
    assert not RuleVersion.objects.filter(what="Applied").exists()


def test_list_in_place_of_a_word_is_a_mistake_too():
    document = documents.take()
    row(document, "signal_rules", "Turned off a channel")["severity"] = ["low"]

    assert any("“severity” must be one of" in one for one in refused(document))


@pytest.mark.parametrize("flag", ["is_default", "is_unknown"])
def test_personas_that_serve_all_others_must_be_there_once(flag):
    document = documents.take()
    document["personas"] = [one for one in document["personas"] if flag not in one]

    assert f"personas: exactly one must have “{flag}: true”." in refused(document)


def test_name_that_is_there_twice_is_refused():
    document = documents.take()
    document["personas"].append(row(document, "personas", "Pro, low usage"))

    assert any("“Pro, low usage” is there 2 times" in one for one in refused(document))


def test_last_step_of_a_signal_in_use_cannot_be_left_out():
    document = documents.take()
    document["first_steps"] = [s for s in document["first_steps"] if s["kind"] != "unsubscribed"]

    assert any("last first step of “Unsubscribed”" in one for one in refused(document))


def test_person_who_is_not_here_leaves_new_briefs_to_nobody(user):
    document = documents.take()
    row(document, "personas", "Pro, low usage").update(assigns="person", assign_person="gone")

    with versions.change(None, "Applied"):
        notes = applying.apply(document)

    assert notes == [
        "persona “Pro, low usage”: there is no user “gone” here, so its new briefs go to nobody."
    ]
    assert persona("Pro, low usage").assigns == "nobody"


@pytest.mark.parametrize("document", [None, [], {}, {"savedesk_rules": 2}, {"savedesk_rules": 1}])
def test_what_is_no_document_is_refused(document):
    assert len(refused(document)) == 1


def test_first_step_in_other_words_keeps_its_key():
    document = documents.take()
    step = next(one for one in document["first_steps"] if one.get("persona") == "Pro, low usage")
    kept = FirstStep.objects.get(text=step["text"], persona__name="Pro, low usage")
    step["text"] = "Call them."

    apply(document)

    kept.refresh_from_db()
    assert kept.text == "Call them."


def test_persona_under_another_name_keeps_its_key_and_briefs():
    document = documents.take()
    brief = make_brief(persona=persona("Pro, low usage"))
    row(document, "personas", "Pro, low usage")["name"] = "Pro, quiet"
    for step in document["first_steps"]:
        if step.get("persona") == "Pro, low usage":
            step["persona"] = "Pro, quiet"

    apply(document)

    brief.persona.refresh_from_db()
    assert brief.persona.name == "Pro, quiet"
