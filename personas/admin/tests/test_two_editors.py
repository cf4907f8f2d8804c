"""Two people edit one row: the second is told, and nothing of the first is lost silently."""

import pytest
from django.urls import reverse

from briefs.desk.tests.pages import text
from briefs.models import NotificationTarget, ResearchPolicy
from personas.admin.tests.test_admin import PERSONAS, form_of, page_of
from personas.admin.tests.test_admin import persona as named
from personas.models import AttributeName, Persona, SignalRule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]
NAME = "Pro, low usage"


@pytest.fixture
def other(client, lead):
    """Another editor."""
    from django.test import Client

    other = Client()
    other.force_login(lead)
    return other


def opened(client, url):
    """The form as a browser sends it back, with the version of the page."""
    return form_of(client, url) | {"_version": client.get(url).context["version"]}


def again(response, form):
    """The form that came back, as a browser would send it: its conditions are the shown ones."""
    context = response.context
    inlines = context["inline_admin_formsets"]
    sent = {name: value for name, value in form.items() if not name.startswith("conditions-")}
    for inline in inlines:
        for part in (inline.formset.management_form, *inline.formset.forms):
            sent |= {f.html_name: f.value() for f in part if f.value() not in (None, False)}
    return sent | {"_version": context["version"]}


def conditions(persona):
    return [condition.words for condition in persona.conditions.all()]


def test_second_save_drops_no_paragraph_of_the_first(admin_client, other, lead):
    page = page_of(named(NAME))
    mine, theirs = opened(admin_client, page), opened(other, page)
    other.post(page, theirs | {"playbook": theirs["playbook"] + "\n\nTheir paragraph."})

    response = admin_client.post(page, mine | {"description": "My words."})

    stored = named(NAME)
    assert "Their paragraph." in stored.playbook
    assert stored.description != "My words."
    assert f"Nothing was saved: {NAME} was changed meanwhile by lee" in text(response)
    [conflict] = response.context["conflicts"]
    told = {one.label: (one.theirs, one.yours) for one in conflict.differences}
    assert told["Description"] == (stored.description, "My words.")
    assert "Their paragraph." in told["Playbook"][0]
    assert "Their paragraph." not in told["Playbook"][1]
    assert "My words." in response.content.decode()


def test_second_save_after_the_warning_is_made_knowingly(admin_client, other):
    page = page_of(named(NAME))
    mine, theirs = opened(admin_client, page), opened(other, page)
    other.post(page, theirs | {"description": "Their words."})
    mine |= {"description": "My words."}
    response = admin_client.post(page, mine)

    response = admin_client.post(page, again(response, mine))

    assert response.status_code == 302
    assert named(NAME).description == "My words."


def test_condition_that_another_added_is_told_and_stays(admin_client, other):
    page = page_of(named(NAME))
    mine, theirs = opened(admin_client, page), opened(other, page)
    number = theirs["conditions-INITIAL_FORMS"]
    added = {"field": "seats", "operator": "gt", "value": "5"}
    added = {f"conditions-{number}-{name}": value for name, value in added.items()}
    assert other.post(page, theirs | added).status_code == 302
    mine |= {"conditions-0-value": "team"}

    response = admin_client.post(page, mine)

    [conflict] = response.context["conflicts"]
    [told] = [one for one in conflict.differences if one.label == "Conditions"]
    assert "seats is more than 5" in told.theirs
    assert "seats is more than 5" not in told.yours
    assert "team" in told.yours
    assert admin_client.post(page, again(response, mine)).status_code == 302
    assert "seats is more than 5" in conditions(named(NAME))
    assert any("team" in words for words in conditions(named(NAME)))


def test_condition_that_another_deleted_can_be_kept(admin_client, other):
    page = page_of(named(NAME))
    mine, theirs = opened(admin_client, page), opened(other, page)
    before = conditions(named(NAME))
    other.post(page, theirs | {"conditions-0-DELETE": "on"})
    assert conditions(named(NAME)) == before[1:]

    response = admin_client.post(page, mine | {"description": "My words."})
    assert conditions(named(NAME)) == before[1:]
    response = admin_client.post(page, again(response, mine) | {"description": "My words."})

    assert response.status_code == 302
    assert sorted(conditions(named(NAME))) == sorted(before)


def test_trying_an_old_form_tells_it_too_and_trying_a_new_one_saves_nothing(admin_client, other):
    page = page_of(named(NAME))
    mine, theirs = opened(admin_client, page), opened(other, page)
    tried = admin_client.post(page, mine | {"description": "My words.", "_try": "Try"})
    assert "conflicts" not in tried.context
    assert tried.context["version"] == mine["_version"]
    other.post(page, theirs | {"description": "Their words."})

    tried = admin_client.post(page, mine | {"description": "My words.", "_try": "Try"})

    assert tried.context["conflicts"]
    assert named(NAME).description == "Their words."


@pytest.mark.parametrize("what", ["rule", "attribute", "policy", "target"])
def test_all_pages_of_what_is_edited_tell_it(admin_client, other, what):
    rows = {
        "rule": lambda: (SignalRule.objects.get(name="Unsubscribed"), "note", "personas"),
        "attribute": lambda: (AttributeName.objects.get(role="plan"), "help", "personas"),
        "policy": lambda: (ResearchPolicy.current(), "day_budget", "briefs"),
        "target": lambda: (_target(), "name", "briefs"),
    }
    row, field, app = rows[what]()
    page = reverse(f"admin:{app}_{row._meta.model_name}_change", args=[row.pk])
    mine, theirs = opened(admin_client, page), opened(other, page)
    assert other.post(page, theirs | {field: "800"}).status_code == 302

    response = admin_client.post(page, mine | {field: "900"})

    assert "was changed meanwhile by lee" in text(response)
    row.refresh_from_db()
    assert str(getattr(row, field)) == "800"


def _target():
    target = NotificationTarget(name="#desk")
    target.address = "jsons://hook.example/secret-token"
    target.save()
    return target


def test_address_of_a_target_is_never_shown(admin_client, other):
    target = _target()
    page = reverse("admin:briefs_notificationtarget_change", args=[target.pk])
    mine, theirs = opened(admin_client, page), opened(other, page)
    other.post(page, theirs | {"address": "jsons://hook.example/another-token"})

    response = admin_client.post(page, mine | {"name": "#team"})

    assert response.context["conflicts"]
    assert "token" not in text(response)


def test_pause_of_research_is_no_change_of_the_policys_form(admin_client):
    page = reverse("admin:briefs_researchpolicy_change", args=[ResearchPolicy.current().pk])
    mine = opened(admin_client, page)
    ResearchPolicy.current().pause("the bill")

    admin_client.post(page, mine | {"day_budget": "900"})

    policy = ResearchPolicy.current()
    assert (policy.day_budget, policy.paused_reason) == (900, "the bill")


def rows_of(client):
    response = client.get(PERSONAS)
    formset = response.context["cl"].formset
    data = {"_save": "Save"}
    for form in (formset.management_form, *formset.forms):
        data |= {f.html_name: f.value() for f in form if f.value() not in (None, False)}
    versions = response.context["versions"]
    return data | {f"_version-{key}": version for key, version in versions.items()}


def test_list_tells_of_rows_that_were_changed_meanwhile(admin_client, other):
    mine = rows_of(admin_client)
    row = Persona.objects.get(name=NAME)
    page = page_of(row)
    other.post(page, opened(other, page) | {"value": "standard"})

    response = admin_client.post(PERSONAS, mine)

    assert "was changed meanwhile by lee" in text(response)
    assert Persona.objects.get(name=NAME).value == "standard"
    [told] = response.context["conflicts"][0].differences
    assert (told.label, told.theirs, told.yours) == ("Value", "Standard", "High")
    assert admin_client.post(PERSONAS, rows_of(admin_client)).status_code == 302


def test_list_is_saved_if_another_row_was_changed_meanwhile(admin_client, other):
    mine = rows_of(admin_client)
    other_row = page_of(named("Free, heavy use"))
    other.post(other_row, opened(other, other_row) | {"description": "Their words."})
    number = next(n for n in range(20) if mine.get(f"form-{n}-id") == named(NAME).pk)

    response = admin_client.post(PERSONAS, mine | {f"form-{number}-value": "low"})

    assert response.status_code == 302
    assert named(NAME).value == "low"


def test_list_that_comes_back_shows_each_row_beside_its_own_fields(admin_client, other):
    mine = rows_of(admin_client)
    moved = rows_of(other)["form-0-id"]
    other.post(PERSONAS, rows_of(other) | {"form-0-position": "115"})

    response = admin_client.post(PERSONAS, mine | {"form-0-position": "5"})

    changelist = response.context["cl"]
    shown = zip(changelist.result_list, changelist.formset.forms, strict=True)
    assert [(row.pk, form.instance.pk) for row, form in shown if row != form.instance] == []
    assert [conflict.row.pk for conflict in response.context["conflicts"]] == [moved]


def test_list_is_saved_if_a_row_was_deleted_meanwhile(admin_client):
    mine = rows_of(admin_client)
    named("Free, heavy use").delete()
    number = next(n for n in range(20) if mine.get(f"form-{n}-id") == named(NAME).pk)

    response = admin_client.post(PERSONAS, mine | {f"form-{number}-value": "low"})

    assert response.status_code == 302
    assert named(NAME).value == "low"
    assert not Persona.objects.filter(name="Free, heavy use").exists()
