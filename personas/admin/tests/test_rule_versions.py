"""Every save of a rule is one version; versions are shown, undone, restored, taken along."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from briefs.desk.tests.pages import text
from briefs.tests.factories import make_brief
from conftest import make_user
from personas.admin.tests.test_admin import PERSONAS, RULES, act, form_of, page_of, persona
from personas.models import AttributeName, FirstStep, Persona, RuleVersion, SignalRule
from personas.rules import documents, taking, versions

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

NAME = "Pro, low usage"
VERSIONS = reverse("admin:personas_ruleversion_changelist")
IMPORT = reverse("admin:personas_ruleversion_import")


@pytest.fixture
def guard():
    versions.guards.append(lambda *books: [versions.Consequence("Briefs for Pro stop.")])
    yield
    versions.guards.pop()


def what():
    return [version.what for version in RuleVersion.objects.all()][:-1]  # without the first


def version(number):
    return reverse("admin:personas_ruleversion_change", args=[number])


def restore(number):
    return reverse("admin:personas_ruleversion_restore", args=[number])


def confirm(client, url, **data):
    """Send the confirmation as the page has it."""
    seen = client.get(url).context["seen"]
    return client.post(url, {"based_on": seen.head, "_confirm": "Yes", **data})


# Saves


def test_saved_persona_with_a_condition_is_one_version(admin_client):
    page = page_of(persona(NAME))
    form = form_of(admin_client, page) | {"value": "low", "_why": "They pay less"}
    number = form["conditions-TOTAL_FORMS"] - 1
    form |= {f"conditions-{number}-field": "usage", f"conditions-{number}-operator": "lt",
             f"conditions-{number}-value": "10"}  # fmt: skip

    admin_client.post(page, form)

    assert what() == [f"Changed persona “{NAME}”"]
    newest = taking.head()
    assert (newest.why, newest.who) == ("They pay less", "admin")


def test_saving_without_a_change_makes_no_version(admin_client):
    page = page_of(persona(NAME))
    form = form_of(admin_client, page)
    form["playbook"] = form["playbook"].replace("\n", "\r\n")

    assert admin_client.post(page, form).status_code == 302

    assert what() == []


def test_rule_step_and_attribute_name_make_versions_too(admin_client):
    rows = (SignalRule.objects.first(), FirstStep.objects.first(), AttributeName.objects.first())
    for row, field in zip(rows, ("note", "text", "label"), strict=True):
        page = page_of(row)
        admin_client.post(page, form_of(admin_client, page) | {field: "Other words."})

    assert len(what()) == 3


def test_edit_in_the_list_is_one_version(admin_client):
    formset = admin_client.get(PERSONAS).context["cl"].formset
    data = {f.html_name: f.value() for form in formset.forms for f in form if f.value() is not None}
    data |= {f.html_name: f.value() for f in formset.management_form}
    data = {name: value for name, value in data.items() if value is not False}
    for number in (2, 3):
        data[f"form-{number}-value"] = "low"

    admin_client.post(PERSONAS, data | {"_save": "Save"})

    assert len(what()) == 1
    assert what()[0].count("persona “") == 2


def test_bulk_delete_is_one_version(admin_client):
    act(admin_client, PERSONAS, "delete_selected", [persona("Trial"), persona(NAME)], post="yes")

    [words] = what()
    assert f"removed persona “{NAME}”" in words.lower().replace("pro,", "Pro,")


def test_persona_with_briefs_is_retired_and_can_be_had_back(admin_client):
    kept = make_brief(persona=persona(NAME)).persona

    admin_client.post(page_of(kept, "delete"), {"post": "yes"})

    kept.refresh_from_db()
    assert kept.retired_at
    assert kept not in admin_client.get(PERSONAS).context["cl"].result_list
    [words] = what()
    assert words.startswith(f"Removed persona “{NAME}”")

    confirm(admin_client, restore(1))

    kept.refresh_from_db()
    assert kept.retired_at is None


# What guards say


def test_save_that_must_be_accepted_shows_the_form_as_it_was_filled_in(admin_client, guard):
    page = page_of(persona(NAME))
    form = form_of(admin_client, page) | {"description": "My words.", "_why": "Because"}

    response = admin_client.post(page, form)

    html = response.content.decode()
    assert "Briefs for Pro stop." in html
    assert "My words." in html
    assert 'value="Because"' in html
    assert "was changed successfully" not in html
    assert persona(NAME).description != "My words."

    accepted = response.context["refusal"].fingerprint
    response = admin_client.post(page, form | {"_accepted": accepted})

    assert response.status_code == 302
    assert persona(NAME).description == "My words."
    assert what() == [f"Changed persona “{NAME}”"]


def test_list_that_must_be_accepted_is_shown_as_it_was_filled_in(admin_client, guard):
    formset = admin_client.get(RULES).context["cl"].formset
    data = {f.html_name: f.value() for form in formset.forms for f in form}
    data |= {f.html_name: f.value() for f in formset.management_form} | {"_save": "Save"}
    data = {name: value for name, value in data.items() if value not in (None, False)}
    del data["form-0-is_active"]

    response = admin_client.post(RULES, data)

    assert "Briefs for Pro stop." in text(response)
    assert SignalRule.objects.filter(is_active=False).count() == 3
    accepted = response.context["refusal"].fingerprint

    admin_client.post(RULES, data | {"_accepted": accepted})

    assert SignalRule.objects.filter(is_active=False).count() == 4


@pytest.mark.parametrize("is_bulk", [True, False], ids=["bulk", "single"])
def test_delete_that_must_be_accepted_is_asked_once_more(admin_client, guard, is_bulk):
    row = persona(NAME)
    url = PERSONAS if is_bulk else page_of(row, "delete")
    sent = {"post": "yes"}
    if is_bulk:
        sent |= {"action": "delete_selected", "_selected_action": [row.pk]}

    response = admin_client.post(url, sent)

    assert persona(NAME)
    assert "Briefs for Pro stop." in text(response)
    again = dict(response.context["sent"]) | {"_accepted": response.context["refusal"].fingerprint}

    admin_client.post(url, again)

    assert not Persona.objects.filter(name=NAME).exists()


def test_trial_makes_no_version(admin_client):
    page = page_of(persona(NAME))

    admin_client.post(page, form_of(admin_client, page) | {"value": "low", "_try": "Try"})

    assert what() == []


# The pages of versions


@pytest.fixture
def removed():
    with versions.change(None, "", why="Nobody needs it"):
        persona(NAME).delete()


def test_versions_are_listed(admin_client, removed):
    page = text(admin_client.get(VERSIONS))

    assert f"Removed persona “{NAME}”" in page
    assert "Nobody needs it" in page


def test_version_says_what_it_changed_and_what_was_changed_since(admin_client, removed):
    newest, first = (text(admin_client.get(version(number))) for number in (2, 1))

    assert f"Persona “{NAME}” removed" in newest
    assert "Undo this version" in newest
    assert f"Persona “{NAME}” removed" in first
    assert "Restore this one" in first


def test_version_says_what_was_accepted(admin_client, removed):
    RuleVersion.objects.filter(number=2).update(accepted=["Briefs for Pro stop."])

    page = text(admin_client.get(version(2)))

    assert "Whoever ran the command accepted when it was made:" in page
    assert "Briefs for Pro stop." in page


def test_newest_version_is_undone(admin_client, removed):
    page = text(admin_client.get(restore(1)))
    assert f"Persona “{NAME}” added" in page

    response = confirm(admin_client, restore(1), _why="We do need it")

    assert response.status_code == 302
    newest = taking.head()
    assert (newest.what, newest.why, newest.restores) == ("Undid version 2", "We do need it", 1)
    assert newest.digest == RuleVersion.objects.get(number=1).digest


def test_one_deleted_rule_is_restored_with_its_conditions(admin_client, removed):
    url = f"{restore(1)}?part=personas&name={NAME}"

    confirm(admin_client, url)

    assert persona(NAME).conditions.exists()
    assert taking.head().what == f"Restored “{NAME}” as in version 1"


def test_nothing_is_restored_before_it_is_confirmed(admin_client, removed):
    admin_client.post(restore(1), {})

    assert not Persona.objects.filter(name=NAME).exists()


def test_nothing_is_restored_if_rules_were_changed_meanwhile(admin_client, removed):
    seen = admin_client.get(restore(1)).context["seen"]
    SignalRule.objects.update(note="other")

    response = admin_client.post(restore(1), {"based_on": seen.head, "_confirm": "Yes"})

    assert "The rules were changed meanwhile" in text(response)
    assert not Persona.objects.filter(name=NAME).exists()


def test_restore_that_must_be_accepted_needs_the_tick(admin_client, removed, guard):
    response = confirm(admin_client, restore(1))

    assert "Briefs for Pro stop." in text(response)
    assert not Persona.objects.filter(name=NAME).exists()

    confirm(admin_client, restore(1), _accepted=response.context["refusal"].fingerprint)

    assert persona(NAME)


def test_editor_restores_no_thresholds(client, django_user_model):
    from briefs.tests.factories import make_threshold

    client.force_login(make_user(django_user_model, "eve", "Editor"))
    make_threshold()
    taking.settle()

    response = confirm(client, restore(1))

    assert "Your role does not let you change: threshold" in text(response)
    assert taking.head().number == 2


@pytest.mark.parametrize("role", ["Viewer", "Agent"])
def test_who_edits_no_rules_sees_no_versions(client, django_user_model, role):
    client.force_login(make_user(django_user_model, "vic", role))

    for url in (VERSIONS, version(1), restore(1), IMPORT):
        assert client.get(url).status_code in (302, 403)


@pytest.mark.parametrize(
    "query", ["?part=personas&name=X", "?part=colours&name=X", "?part=personas"]
)
def test_restore_of_what_never_was_is_not_found(admin_client, query):
    assert admin_client.get(restore(1) + query).status_code == 404


# Files


def upload(client, content):
    return client.post(IMPORT, {"file": SimpleUploadedFile("rules.yaml", content)})


def test_downloaded_version_can_be_imported(admin_client, removed):
    file = admin_client.get(reverse("admin:personas_ruleversion_download", args=[1])).content

    response = upload(admin_client, file)

    assert f"Persona “{NAME}” added" in text(response)
    context = response.context
    sent = {"text": context["proposal"].text, "based_on": context["seen"].head, "_confirm": "Yes"}
    assert admin_client.post(IMPORT, sent).status_code == 302
    assert persona(NAME).conditions.exists()
    assert taking.head().what == "Imported a file"


@pytest.mark.parametrize("content", [b"hello", b"\xff\xfe", b"", b"savedesk_rules: 1\n"])
def test_file_without_rules_is_refused_beside_the_field(admin_client, content):
    response = upload(admin_client, content)

    assert response.context["form"].errors["file"]


def test_mistakes_of_a_file_are_told_with_their_place(admin_client):
    document = documents.take()
    document["personas"][0]["conditions"][0]["operator"] = "roughly"

    page = text(upload(admin_client, documents.written(document).encode()))

    assert "persona “Internal and test accounts”, condition 1, “operator”" in page


def test_history_of_a_rule_leads_to_the_versions(admin_client):
    html = admin_client.get(page_of(persona(NAME), "history")).content.decode()

    assert f"{VERSIONS}?q=Pro%2C%20low%20usage" in html
