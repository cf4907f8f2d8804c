"""One version of all rules: made by each change, by whatever way, and never without one."""

import json

import pytest
from django.db import connection

from personas import starter
from personas.models import Persona, PersonaCondition, RulesState, RuleVersion, SignalRule
from personas.rules import documents, taking, versions
from personas.rules.rulebook import Rulebook

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


@pytest.fixture
def guard():
    """Says of every edit that it is a great one."""

    def great(before, after, week_ago):
        return [versions.Consequence("Briefs stop.", briefs_left=0)]

    versions.guards.append(great)
    yield
    versions.guards.remove(great)


def persona(name="Pro, low usage"):
    return Persona.objects.get(name=name)


def rename(name, **how):
    with versions.change(None, "Renamed", **how) as change:
        rule = SignalRule.objects.first()
        rule.note = name
        rule.save()
    return change.version


def test_change_makes_one_version_with_who_what_and_why(user):
    with versions.change(user, "Raised the value", why="They pay more") as change:
        Persona.objects.filter(pk=persona().pk).update(value="high")
        PersonaCondition.objects.create(persona=persona(), field="mrr", operator="gt", value="1")

    version = RuleVersion.objects.first()
    assert (version.what, version.why) == ("Raised the value", "They pay more")
    assert version.who == "robin"
    assert version == change.version
    assert version.number == 2
    assert RuleVersion.objects.count() == 2
    told = next(p for p in version.document["personas"] if p["name"] == "Pro, low usage")
    assert told["conditions"][-1] == {"field": "mrr", "operator": "gt", "value": "1"}


def test_change_that_changes_nothing_makes_no_version():
    with versions.change(None, "Saved") as change:
        row = persona()
        row.playbook = row.playbook.replace("\n", "\r\n")
        row.save()

    assert change.version is None
    assert RuleVersion.objects.count() == 1
    assert RulesState.read().is_told


def test_error_within_a_change_takes_it_back():
    def delete_and_fail():
        with versions.change(None, "Broken"):
            persona().delete()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        delete_and_fail()

    assert persona().opens_brief
    assert not RuleVersion.objects.filter(what="Broken").exists()


def test_change_within_another_makes_no_version_of_its_own():
    with versions.change(None, "Both"), versions.change(None, "Inner"):
        persona().delete()

    words = [version.what for version in RuleVersion.objects.all()]
    assert words == ["Both", "Loaded the starter rules"]


def test_what_a_guard_says_must_be_accepted(guard):
    with pytest.raises(versions.NotAccepted) as refused:
        rename("Other")

    assert refused.value.sentences == ["Briefs stop."]
    assert RuleVersion.objects.count() == 1
    assert SignalRule.objects.first().note != "Other"
    version = rename("Other", accepted=refused.value.fingerprint)
    assert (version.number, version.accepted, version.briefs_left) == (2, ["Briefs stop."], 0)


def test_guard_is_given_the_rules_before_and_after_and_of_a_week_ago(guard):
    given = []
    versions.guards.append(lambda *books: given.extend(books) or [])
    try:
        RuleVersion.objects.update(made_at="2026-01-01T00:00Z")

        with pytest.raises(versions.NotAccepted), versions.change(None, "Removed"):
            persona().delete()
    finally:
        versions.guards.pop()

    before, after, week_ago = ({p.name for p in book.personas} for book in given)
    assert before - after == {"Pro, low usage"}
    assert week_ago == before


@pytest.mark.parametrize(
    "write",
    [
        lambda: Persona.objects.filter(name="Pro, low usage").update(value="low"),
        lambda: PersonaCondition.objects.all().delete(),
        lambda: connection.cursor().execute("UPDATE personas_signalrule SET note = 'by hand'"),
    ],
    ids=["bulk update", "bulk delete", "raw SQL"],
)
def test_what_writes_past_a_change_is_a_version_as_soon_as_rules_are_read(write):
    first = Rulebook.load().version

    write()

    assert Rulebook.load().version == first + 1
    newest = taking.head()
    assert newest.what.startswith("Changed outside these pages: ")
    assert newest.digest == documents.digest(documents.take())
    assert Rulebook.load().version == newest.number


def test_change_tells_what_was_written_past_it_apart_from_itself():
    Persona.objects.filter(name="Pro, low usage").update(value="low")

    rename("Other")

    words = [version.what for version in RuleVersion.objects.all()]
    assert words == [
        "Renamed",
        "Changed outside these pages: Changed persona “Pro, low usage”",
        "Loaded the starter rules",
    ]


def test_version_is_never_changed_or_deleted():
    version = rename("Other")

    with pytest.raises(TypeError):
        version.save()
    with pytest.raises(TypeError):
        version.delete()


def test_rules_that_may_be_taken_back_have_no_version():
    with taking.unsettled():
        persona().delete()

        assert Rulebook.load().version is None


def test_rules_that_change_while_they_are_read_are_read_again(monkeypatch):
    read = Rulebook._rows
    times = []

    def slowly():
        rows = read()
        if not times:
            Persona.objects.filter(name="Pro, low usage").update(value="low")
        times.append(rows)
        return rows

    monkeypatch.setattr(Rulebook, "_rows", staticmethod(slowly))

    book = Rulebook.load()

    assert len(times) == 2
    assert book.version == taking.head().number == 2
    assert next(p for p in book.personas if p.name == "Pro, low usage").value == "low"


def test_document_is_the_same_rules_as_the_tables():
    document = json.loads(json.dumps(documents.take()))

    loaded, built = Rulebook.load(), Rulebook.of(document)

    def told(book):
        rows = [*book.rules, *book.personas, book.default, book.unknown]
        return [(row.name, [one.words for one in row.condition_list]) for row in rows], book.roles

    assert told(built) == told(loaded)


def test_document_survives_a_file():
    document = documents.take()

    assert documents.read(documents.written(document)) == document


@pytest.mark.django_db(transaction=True)
def test_rules_that_nobody_edited_are_read_once(django_assert_num_queries):
    starter.load_if_empty()
    first = Rulebook.load()

    with django_assert_num_queries(1):
        assert Rulebook.load().rules is first.rules

    Persona.objects.filter(name="Pro, low usage").update(value="low")

    assert Rulebook.load() is not first
