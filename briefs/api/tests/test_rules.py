"""All rules over the API: exported, and imported as a whole or not at all."""

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.api.tests.test_schema import validate
from briefs.tests.factories import make_threshold
from conftest import make_user
from personas.models import Persona, RuleVersion
from personas.rules import documents, taking, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Pro, low usage"
IMPORT = "/api/v1/rules/import/"


@pytest.fixture
def editor(client, django_user_model):
    return Program(client, make_user(django_user_model, "eve", "Editor"), Role.EDITOR)


@pytest.fixture
def guard():
    versions.guards.append(lambda *books: [versions.Consequence("Briefs for Pro stop.")])
    yield
    versions.guards.pop()


def send(program, **sent):
    return program.client.post(
        IMPORT, sent, content_type="application/json", headers=program.header
    )


def without_one():
    """The rules without one persona and its first steps."""
    document = documents.take()
    steps = document["first_steps"]
    document["first_steps"] = [step for step in steps if step.get("persona") != NAME]
    document["personas"] = [row for row in document["personas"] if row["name"] != NAME]
    return document


def test_rules_are_exported_as_they_are_and_come_back(editor, schema):
    exported = editor.get("rules/").json()
    Persona.objects.get(name=NAME).delete()

    answer = send(editor, document=exported, dry_run=False, why="It was a mistake")

    validate(schema, "/api/v1/rules/", 200, exported)
    validate(schema, IMPORT, 200, answer.json(), "post")
    assert documents.take() == exported
    assert answer.json()["differences"][0] == f"Persona “{NAME}” added"
    newest = taking.head()
    assert answer.json()["version"] == newest.number
    assert (newest.who, newest.why) == ("eve", "It was a mistake")


def test_import_is_a_dry_run_unless_it_says_otherwise(editor):
    answer = send(editor, document=without_one()).json()

    assert f"Persona “{NAME}” removed" in answer["differences"]
    assert (answer["version"], answer["based_on"]) == (None, 1)
    assert Persona.objects.filter(name=NAME).exists()


def test_file_of_export_rules_is_exported_and_imported_too(editor):
    exported = editor.get("rules/yaml/")
    assert exported["Content-Type"].startswith("application/yaml")
    Persona.objects.get(name=NAME).delete()

    answer = send(editor, document=exported.content.decode(), dry_run=False)

    assert answer.status_code == 200
    assert Persona.objects.filter(name=NAME).exists()


def test_what_must_be_accepted_is_told_and_done_once_it_is(editor, guard, schema):
    refused = send(editor, document=without_one(), dry_run=False)

    assert refused.status_code == 409
    validate(schema, IMPORT, 409, refused.json(), "post")
    assert refused.json()["code"] == "not_accepted"
    assert refused.json()["sentences"] == ["Briefs for Pro stop."]
    assert RuleVersion.objects.count() == 1

    done = send(
        editor, document=without_one(), dry_run=False, accepted=refused.json()["fingerprint"]
    )

    assert done.status_code == 200
    assert taking.head().accepted == ["Briefs for Pro stop."]


def test_mistakes_are_told_with_their_places_and_nothing_is_imported(editor):
    document = documents.take()
    document["personas"][0]["conditions"] = [{"field": "plan", "operator": "is like"}]
    document["personas"][1]["value"] = "huge"

    answer = send(editor, document=document, dry_run=False)

    assert answer.status_code == 400
    names = [row["name"] for row in document["personas"]]
    told = " ".join(answer.json()["errors"]["document"])
    assert f"persona “{names[0]}”, condition 1, “operator”" in told
    assert f"persona “{names[1]}”, “value”" in told
    assert RuleVersion.objects.count() == 1


@pytest.mark.parametrize("document", [{"rules": []}, "no: [rules", 7, None])
def test_what_is_no_document_of_rules_is_refused(editor, document):
    answer = send(editor, document=document)

    assert answer.status_code == 400
    assert answer.json()["errors"]["document"]


def test_import_that_is_based_on_an_older_version_is_refused(editor):
    send(editor, document=without_one(), dry_run=False)

    answer = send(editor, document=without_one(), based_on=1)

    assert (answer.status_code, answer.json()["code"]) == (409, "stale")


def test_editor_changes_no_thresholds_by_an_import(editor):
    document = documents.take()
    make_threshold()

    answer = send(editor, document=document, dry_run=False)

    assert answer.status_code == 403
    assert "threshold" in answer.json()["detail"]


def test_agent_neither_exports_nor_imports(client, django_user_model):
    agent = Program(client, make_user(django_user_model, "amy", "Agent"))

    assert agent.get("rules/").status_code == 403
    assert send(agent, document=documents.take()).status_code == 403
