"""Editors and leads can do all of their work in the admin, and see no more than they may."""

import pytest
from django.contrib.auth.models import Permission

from accounts.models.roles import ADDED
from briefs.tests.factories import make_customer, make_event, make_research
from conftest import make_user
from personas.models import Persona, SignalRule

pytestmark = pytest.mark.django_db

CONDITIONS = {
    "first_steps-TOTAL_FORMS": "0", "first_steps-INITIAL_FORMS": "0",
    "conditions-TOTAL_FORMS": "1", "conditions-INITIAL_FORMS": "0",
    "conditions-0-field": "plan", "conditions-0-operator": "equals", "conditions-0-value": "pro",
}  # fmt: skip


@pytest.fixture
def editor(client, django_user_model, starter):
    client.force_login(make_user(django_user_model, "edith", "Editor"))
    return client


def test_every_permission_of_a_role_exists():
    known = {
        f"{p.content_type.app_label}.{p.codename}"
        for p in Permission.objects.select_related("content_type")
    }

    assert {name for names in ADDED.values() for name in names} <= known


def test_an_editor_makes_a_persona_with_its_conditions(editor):
    page = editor.get("/admin/personas/persona/add/").context["adminform"].form
    filled = {name: page[name].value() or "" for name in page.fields}

    response = editor.post(
        "/admin/personas/persona/add/",
        filled
        | {"name": "Made", "position": "77", "description": "x", "value": "high"}
        | {"playbook": "## First\n\nCall."}
        | CONDITIONS,
    )

    assert response.status_code == 302, response.context["errors"]
    assert Persona.objects.get(name="Made").conditions.count() == 1


def test_an_editor_switches_a_signal_rule_off_and_deletes_it(editor):
    rule = SignalRule.objects.order_by("pk").first()
    page = f"/admin/personas/signalrule/{rule.pk}/"

    assert editor.get(f"{page}change/").context["has_change_permission"]
    assert editor.post(f"{page}delete/", {"post": "yes"}).status_code == 302
    assert not SignalRule.objects.filter(pk=rule.pk).exists()


def test_an_editor_reads_an_event_without_its_payload(editor, lead):
    page = f"/admin/webhooks/webhookevent/{make_event().pk}/change/"

    for_editor = editor.get(page).content.decode()
    editor.force_login(lead)
    for_lead = editor.get(page).content.decode()

    assert "field-payload_shown" not in for_editor
    assert "field-headers_shown" not in for_editor
    assert "field-payload_shown" in for_lead


@pytest.mark.parametrize("model", ["comment", "contactlog"])
def test_an_editor_reads_what_people_wrote_about_briefs(editor, model):
    response = editor.get(f"/admin/briefs/{model}/")

    assert response.status_code == 200
    assert not response.context["cl"].model_admin.has_change_permission(response.wsgi_request)


def test_pages_that_name_people_ask_for_personal_data(client, django_user_model):
    staff = django_user_model.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(
        *Permission.objects.filter(
            codename__in=[
                "view_customer",
                "view_brief",
                "view_comment",
                "view_contactlog",
                "view_webhookevent",
            ]
        )
    )
    make_event({"timestamp": 1, "data": {"identifiers": {"email": "doe@example.com"}}})
    client.force_login(staff)

    events = "/admin/webhooks/webhookevent/"
    assert client.get(f"/admin/personas/customer/{make_customer().pk}/change/").status_code == 403
    for model in ("brief", "comment", "contactlog"):
        assert client.get(f"/admin/briefs/{model}/").status_code == 403
    assert "doe@example.com" not in client.get(events).content.decode()
    assert client.get(events, {"q": "doe@example.com"}).context["cl"].result_count == 0


@pytest.mark.parametrize(
    "asked", ["headers__icontains=abc", "body__contains=x", "headers__X-Key__startswith=a"]
)
def test_no_filter_in_the_address_tells_an_editor_what_a_payload_holds(editor, lead, asked):
    make_event(headers={"X-Key": "abc"})
    events = "/admin/webhooks/webhookevent/"

    assert editor.get(f"{events}?{asked}").status_code == 400
    assert editor.get(f"{events}?status__exact=new").status_code == 200
    editor.force_login(lead)
    assert editor.get(f"{events}?headers__icontains=abc").status_code == 200


def test_no_filter_in_the_address_tells_who_an_event_is_about(client, django_user_model):
    staff = django_user_model.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_webhookevent"))
    client.force_login(staff)

    response = client.get("/admin/webhooks/webhookevent/?identifiers__email__startswith=d")

    assert response.status_code == 400


def test_questions_which_quote_attributes_ask_for_personal_data(client, django_user_model):
    staff = django_user_model.objects.create_user("staff", is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="view_research"))
    client.force_login(staff)
    page = f"/admin/briefs/research/{make_research(question='Does Doe leave?').pk}/change/"

    assert client.get(page).status_code == 403
    assert client.get("/admin/briefs/research/", {"q": "Doe"}).status_code == 403
    staff.user_permissions.add(Permission.objects.get(codename="view_personal_data"))
    assert "Does Doe leave?" in client.get(page).content.decode()
