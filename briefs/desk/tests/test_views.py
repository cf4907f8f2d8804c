"""Saved views: one's own and the team's."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse

from briefs.desk.tests.pages import messages, text
from briefs.models import SavedView
from briefs.tests.factories import make_brief
from conftest import make_user

pytestmark = pytest.mark.django_db
SAVE = reverse("briefs:save_view")


def change(client, view, **data):
    return client.post(reverse("briefs:change_view", args=[view.pk]), data, follow=True)


def make_view(owner, **kw):
    fields = {"name": "Bounced", "query": "kind=bounced&state=mine", **kw}
    return SavedView.objects.create(owner=owner, **fields)


def test_view_keeps_the_present_address(signed_in, user):
    asked = {"name": "Mine that bounced", "query": "state=mine&kind=bounced&page=4"}

    response = signed_in.post(SAVE, asked, follow=True)

    view = SavedView.objects.get()
    assert (view.owner, view.is_team, view.query) == (user, False, "kind=bounced&state=mine")
    assert messages(response) == ["The view “Mine that bounced” is saved."]
    assert response.redirect_chain == [("/?kind=bounced&state=mine", 302)]


def test_view_is_offered_to_its_owner_and_a_team_view_to_all(client, signed_in, user, lead):
    make_view(user, name="My own")
    make_view(user, name="Of us all", is_team=True)

    words = text(signed_in.get("/"))
    client.force_login(lead)
    for_lead = text(client.get("/"))

    assert "Views My own Of us all team" in words
    assert "Of us all" in for_lead
    assert "My own" not in for_lead


def test_present_view_is_marked_and_can_be_changed(signed_in, user):
    view = make_view(user)

    page = signed_in.get(f"/?{view.query}").content.decode()

    assert 'aria-current="page">Bounced' in page
    assert "Change this view" in page
    assert "Save as a view" not in page


def test_view_of_too_many_letters_is_not_saved_without_a_part(signed_in):
    query = urlencode({"q": "я" * 200, "state": "mine", "company": "я" * 150})

    response = signed_in.post(SAVE, {"name": "Long", "query": query}, follow=True)

    assert "more than 2,000 characters" in messages(response)[0]
    assert response.redirect_chain == [(f"/?{query}", 302)]
    assert not SavedView.objects.exists()


def test_unknown_filter_is_left_out_of_a_view_and_told(signed_in):
    response = signed_in.post(SAVE, {"name": "Odd", "query": "state=mine&colour=red"}, follow=True)

    assert SavedView.objects.get().query == "state=mine"
    assert "Left out of the view: “colour” is no filter." in messages(response)


def test_view_whose_filter_is_gone_is_shown_with_a_word_about_it(signed_in, user):
    view = make_view(user, query="persona=999")
    make_brief()

    response = signed_in.get(f"/?{view.query}")

    assert response.status_code == 200
    assert "Persona: No persona has this id." in text(response)


def test_owner_renames_shares_and_removes(signed_in, user):
    view = make_view(user)

    change(signed_in, view, name="They bounced", is_team="on")
    view.refresh_from_db()
    assert (view.name, view.is_team) == ("They bounced", True)

    change(signed_in, view, remove="1")
    assert not SavedView.objects.exists()


@pytest.mark.parametrize(("role", "status"), [("Agent", 403), ("Editor", 403), ("Lead", 200)])
def test_team_view_of_another_is_changed_by_a_lead_alone(
    client, user, django_user_model, role, status
):
    view = make_view(user, is_team=True)
    client.force_login(make_user(django_user_model, "other", role))

    assert change(client, view, name="Renamed", is_team="on").status_code == status
    assert SavedView.objects.filter(name="Renamed").exists() == (status == 200)


def test_own_view_of_another_does_not_exist_for_anybody_else(client, user, lead):
    view = make_view(user)
    client.force_login(lead)

    assert change(client, view, name="Renamed").status_code == 404


def test_viewer_sees_team_views_and_saves_none(client, user, django_user_model):
    make_view(user, is_team=True)
    client.force_login(make_user(django_user_model, "vi", "Viewer"))

    assert "Save as a view" not in text(client.get("/?kind=bounced"))
    assert "Bounced team" in text(client.get("/"))
    assert client.post(SAVE, {"name": "x", "query": ""}).status_code == 403


@pytest.mark.parametrize("is_team", [False, True])
def test_name_is_given_once(signed_in, user, is_team):
    make_view(user, name="bounced", is_team=is_team)
    asked = {"name": "Bounced", "query": "", **({"is_team": "on"} if is_team else {})}

    response = signed_in.post(SAVE, asked, follow=True)

    assert "a view called “Bounced” already" in messages(response)[0]
    assert SavedView.objects.count() == 1


@pytest.mark.parametrize("is_team", [False, True])
def test_name_in_another_case_of_any_alphabet_is_the_same(signed_in, user, lead, is_team):
    view = make_view(user, name="ärzte", is_team=is_team)
    make_view(lead, name="Ärzte")  # somebody else's own takes no name away
    asked = {"name": "ÄRZTE", "query": "", **({"is_team": "on"} if is_team else {})}

    response = signed_in.post(SAVE, asked, follow=True)

    assert "a view called “ÄRZTE” already" in messages(response)[0]
    assert SavedView.objects.count() == 2
    change(signed_in, view, name="Ärzte", **({"is_team": "on"} if is_team else {}))
    view.refresh_from_db()
    assert view.name == "Ärzte"  # of itself it may have another case


@pytest.mark.parametrize("name", ["", "x" * 61])
def test_view_without_a_fitting_name_is_not_saved(signed_in, name):
    response = signed_in.post(SAVE, {"name": name, "query": "state=mine"}, follow=True)

    assert "The view was not saved." in messages(response)[0]
    assert not SavedView.objects.exists()


def test_get_changes_nothing(signed_in, user):
    view = make_view(user)

    assert signed_in.get(SAVE).url == "/"
    assert signed_in.get(reverse("briefs:change_view", args=[view.pk])).url == f"/?{view.query}"
