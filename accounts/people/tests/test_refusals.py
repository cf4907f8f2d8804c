"""Whoever may not is told what is missing and whom to ask."""

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.urls import reverse

from accounts.models import Role
from accounts.people import refusals
from briefs.desk.tests.pages import text
from conftest import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite]
TEAM = reverse("accounts:team")


@pytest.fixture
def nobody(django_user_model):
    return make_user(django_user_model, "ann", "")


def refused(rf, user, *args, path="/", **headers):
    request = rf.get(path, headers=headers)
    request.user = user
    request.resolver_match = None
    return refusals.forbidden(request, PermissionDenied(*args))


def test_without_a_role_the_page_says_whom_to_ask(client, nobody, lead):
    make_user(User, "gone", "Lead")
    User.objects.filter(username="gone").update(is_active=False)
    client.force_login(nobody)

    response = client.get(TEAM)

    assert response.status_code == 403
    words = text(response)
    assert "Your account has no role yet" in words
    assert "Please ask your lead: lee, lee@example.com" in words
    assert "gone" not in words
    assert "To the inbox" not in words


def test_signing_in_without_a_role_ends_on_that_page(client, nobody):
    typed = {"username": "ann", "password": "a-long-password", "next": TEAM}

    response = client.post(reverse("login"), typed, follow=True)

    assert response.redirect_chain == [(TEAM, 302)]
    assert response.status_code == 403
    assert "Your account has no role yet" in text(response)


def test_role_that_is_missing_is_named(rf, user, lead):
    words = text(refused(rf, user, "briefs.change_researchpolicy"))

    assert "This needs the role Lead. Yours is Agent." in words
    assert "If you need it, ask your lead: lee" in words


@pytest.mark.parametrize("args", [(), ("briefs.no_such_permission",), ("briefs.work_brief",)])
def test_general_sentence_where_no_role_would_help(rf, user, args):
    assert "Your role, Agent, does not include this." in text(refused(rf, user, *args))


def test_sentence_of_the_refusal_is_shown_escaped(rf, user):
    response = refused(rf, user, "Only <b>superusers</b> may.")

    assert "Only &lt;b&gt;superusers&lt;/b&gt; may." in response.content.decode()


def test_admin_tells_who_is_no_staff_which_role_it_needs(client, user):
    client.force_login(user)

    response = client.get("/admin/personas/persona/", follow=True)

    assert response.status_code == 403
    assert "This needs the role Editor. Yours is Agent." in text(response)


@pytest.mark.parametrize("page", ["briefs/researchpolicy/1/change/", "briefs/notificationtarget/"])
def test_admin_page_names_the_role_of_its_permission(client, django_user_model, page):
    client.force_login(make_user(django_user_model, "ed", "Editor"))

    response = client.get(f"/admin/{page}")

    assert response.status_code == 403
    assert "This needs the role Lead. Yours is Editor." in text(response)


def test_admin_sends_strangers_to_the_one_sign_in_page(client, lead):
    response = client.get("/admin/personas/persona/", follow=True)

    assert response.redirect_chain[-1] == ("/login/?next=/admin/personas/persona/", 302)
    typed = {"username": "lee", "password": "a-long-password"}
    assert client.post("/admin/login/", typed).url == "/login/?next=/admin/"
    assert "_auth_user_id" not in client.session


def test_who_may_enter_goes_on_from_the_admins_sign_in(client, lead):
    client.force_login(lead)

    assert client.get("/admin/login/").url == "/admin/"


def test_stranger_is_sent_to_sign_in_and_back(client, rf):
    from django.contrib.auth.models import AnonymousUser

    assert refused(rf, AnonymousUser(), path="/x/?a=1").url == "/login/?next=/x/%3Fa%3D1"
    assert client.get(TEAM).url == f"/login/?next={TEAM}"


def test_part_of_a_page_makes_the_whole_page_load_anew(rf, user):
    response = refused(rf, user, **{"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Refresh"]) == (403, "true")
    assert response.content == b""


def test_api_answers_in_json(client, nobody):
    response = client.get("/api/v1/briefs/")

    assert response.status_code in (401, 403)
    assert response.headers["Content-Type"] == "application/problem+json"


def test_page_is_left_by_logging_out(client, nobody):
    client.force_login(nobody)

    words = client.get(TEAM).content.decode()

    assert f'action="{reverse("logout")}"' in words
    assert f'href="{reverse("accounts:account")}"' in words


def test_every_permission_of_a_role_has_a_lowest_role():
    assert refusals.lowest("briefs.work_brief") == Role.AGENT
    assert refusals.lowest("webhooks.view_payload") == Role.LEAD
    assert refusals.lowest("auth.add_user") is None
    assert Permission.objects.filter(codename="add_user").exists()
