"""The versions of the rules, read by programs."""

import pytest

from conftest import make_user
from personas.models import Persona, RuleVersion
from personas.rules import documents, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
LIST = "/api/v1/rule-versions/"


@pytest.fixture
def editor(client, django_user_model):
    client.force_login(make_user(django_user_model, "eve", "Editor"))
    return client


@pytest.fixture
def removed():
    with versions.change(None, "", why="Nobody needs it"):
        Persona.objects.get(name="Pro, low usage").delete()


def test_versions_are_listed_the_newest_first(editor, removed):
    RuleVersion.objects.filter(number=2).update(accepted=["Briefs for Pro stop."])

    newest, first = editor.get(LIST).json()["results"]

    assert (newest["number"], first["number"]) == (2, 1)
    assert newest["what"].startswith("Removed persona “Pro, low usage”")
    assert (newest["who"], newest["why"]) == ("Savedesk", "Nobody needs it")
    assert (newest["accepted"], first["accepted"]) == (["Briefs for Pro stop."], [])
    assert "document" not in newest


def test_version_has_its_changes_and_all_rules(editor, removed):
    told = editor.get(f"{LIST}2/").json()

    assert "Persona “Pro, low usage” removed" in told["changes"]
    assert told["document"] == documents.take()


def test_pages_follow_each_other(editor, removed):
    page = editor.get(LIST, {"page_size": 1}).json()

    assert [one["number"] for one in editor.get(page["next"]).json()["results"]] == [1]


def test_agent_reads_no_versions(client, django_user_model):
    client.force_login(make_user(django_user_model, "amy", "Agent"))

    assert client.get(LIST).status_code == 403
