"""export_rules and import_rules: all rules in one file, all or nothing."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from personas.models import Persona, RuleVersion
from personas.rules import documents, taking, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Pro, low usage"


@pytest.fixture
def file(tmp_path):
    call_command("export_rules", str(tmp_path / "rules.yaml"), stdout=StringIO())
    return tmp_path / "rules.yaml"


@pytest.fixture
def guard():
    versions.guards.append(lambda *books: [versions.Consequence("Briefs stop.")])
    yield
    versions.guards.pop()


def run(command, *arguments):
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_exported_rules_come_back_as_they_were(file):
    before = documents.take()
    Persona.objects.get(name=NAME).delete()

    out = run("import_rules", str(file), "--why", "It was a mistake")

    assert documents.take() == before
    assert f"Persona “{NAME}” added" in out
    newest = taking.head()
    assert (newest.what, newest.why) == ("Imported rules.yaml", "It was a mistake")


def test_export_without_a_file_is_printed():
    assert documents.read(run("export_rules")) == documents.take()


def test_export_of_a_version():
    taking.settle()
    before = documents.take()
    Persona.objects.get(name=NAME).delete()

    assert documents.read(run("export_rules", "--version", "1")) == before


def test_export_of_a_version_that_is_not_there_fails():
    with pytest.raises(CommandError, match="There is no version 99"):
        run("export_rules", "--version", "99")


def test_dry_run_says_what_differs_and_keeps_nothing(file):
    Persona.objects.get(name=NAME).delete()

    out = run("import_rules", str(file), "--dry-run")

    assert f"Persona “{NAME}” added" in out
    assert "nothing was changed" in out
    assert not Persona.objects.filter(name=NAME).exists()


def test_import_of_the_present_rules_makes_no_version(file):
    taking.settle()

    assert "0 differences; nothing was changed." in run("import_rules", str(file))
    assert RuleVersion.objects.count() == 1


def test_mistakes_are_told_and_nothing_is_imported(file):
    file.write_text(file.read_text().replace("severity: high", "severity: grave", 1))

    with pytest.raises(CommandError, match="“severity” must be one of") as error:
        run("import_rules", str(file))

    assert "Nothing was changed." in str(error.value)


@pytest.mark.parametrize("text", ["{", "hello", "savedesk_rules: 2", "a: &a [*a]", "2026-99-99"])
def test_file_that_holds_no_rules_is_refused(tmp_path, text):
    (tmp_path / "x").write_text(text)

    with pytest.raises(CommandError, match="Nothing was changed"):
        run("import_rules", str(tmp_path / "x"))


def test_what_a_guard_says_needs_accept(file, guard):
    Persona.objects.filter(name=NAME).update(value="low")

    with pytest.raises(CommandError, match="--accept"):
        run("import_rules", str(file))

    assert Persona.objects.get(name=NAME).value == "low"

    assert "To be accepted: Briefs stop." in run("import_rules", str(file), "--accept")
    assert Persona.objects.get(name=NAME).value == "high"
