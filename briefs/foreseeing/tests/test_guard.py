"""The guard stands where rules change: an edit that stops briefs is kept once it is accepted."""

import pytest

from briefs.tests.factories import make_customer, make_signal
from personas.models import Persona, RuleVersion, SignalRule
from personas.rules import applying, documents, versions
from personas.rules.rulebook import Rulebook

pytestmark = pytest.mark.django_db

ALL_STOP = "All briefs stop: 6 customers in 30 days."


@pytest.fixture(autouse=True)
def signals(starter):
    for _ in range(6):
        rule = SignalRule.objects.get(name="Unsubscribed")
        make_signal(customer=make_customer(), event=None, rule=rule)


def silence():
    Persona.objects.create(name="New", position=1, description="d", playbook="p", opens_brief=False)


def test_edit_that_stops_all_briefs_is_kept_only_when_it_is_accepted():
    with pytest.raises(versions.NotAccepted) as refused, versions.change(None, "Added"):
        silence()

    assert refused.value.sentences == [ALL_STOP]
    assert not Persona.objects.filter(name="New").exists()

    with versions.change(None, "Added", accepted=refused.value.fingerprint):
        silence()

    assert Rulebook.load().personas[0].name == "New"


def test_edit_that_changes_nobodys_brief_is_asked_nothing():
    with versions.change(None, "Wrote") as change:
        Persona.objects.filter(name="Enterprise, low usage").update(playbook="Call them.")

    assert change.version


def test_order_alone_is_guarded_too():
    with versions.change(None, "Added"):
        Persona.objects.create(
            name="New", position=1_000, description="d", playbook="p", opens_brief=False
        )

    with pytest.raises(versions.NotAccepted), versions.change(None, "Moved"):
        Persona.objects.filter(name="New").update(position=1)


def test_rule_that_is_switched_off_is_guarded():
    with pytest.raises(versions.NotAccepted) as refused, versions.change(None, "Switched off"):
        SignalRule.objects.filter(name="Unsubscribed").update(is_active=False)

    assert refused.value.sentences == [ALL_STOP]


def test_persona_that_is_deleted_is_guarded():
    with pytest.raises(versions.NotAccepted), versions.change(None, "Deleted"):
        Persona.objects.filter(name__startswith="Enterprise").delete()


def test_import_and_restore_are_guarded():
    document = documents.take()
    for row in document["personas"]:
        row["opens_brief"] = False

    with pytest.raises(versions.NotAccepted) as refused, versions.change(None, "Imported"):
        applying.apply(document)

    assert refused.value.sentences == [ALL_STOP]


def test_ten_small_edits_are_compared_with_last_weeks_rules():
    RuleVersion.objects.update(made_at="2026-01-01T00:00Z")
    for _ in range(6):
        make_signal(
            customer=make_customer(attributes={"plan": "pro"}),
            event=None,
            rule=SignalRule.objects.get(name="Unsubscribed"),
        )
    for number in range(8):
        make_signal(
            customer=make_customer(attributes={"plan": "trial", "usage_tier": f"u{number}"}),
            event=None,
            rule=SignalRule.objects.get(name="Unsubscribed"),
        )
    wording = {"name": "Enterprise, low usage"}
    with pytest.raises(versions.NotAccepted) as refused, versions.change(None, "One"):
        Persona.objects.filter(**wording).update(opens_brief=False)
    with versions.change(None, "One", accepted=refused.value.fingerprint):
        Persona.objects.filter(**wording).update(opens_brief=False)

    with pytest.raises(versions.NotAccepted) as refused, versions.change(None, "Two"):
        Persona.objects.filter(name="Pro, low usage").update(opens_brief=False)

    assert (
        "Half of the briefs or more stop: 8 in 30 days, 20 by the rules of a week ago."
        in refused.value.sentences
    )
