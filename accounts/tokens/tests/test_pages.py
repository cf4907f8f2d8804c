"""The pages of tokens: made and shown once, listed, revoked."""

import logging
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import ApiToken, Role, roles
from accounts.tokens.tests.making import ask, make_token
from briefs.desk.tests.pages import messages, text
from conftest import make_user
from webhooks.tests.clock import clock

pytestmark = pytest.mark.django_db
OWN, TEAM, REVOKE = "/account/tokens/", "/team/tokens/", "/account/tokens/revoke/"
GOOD = {"name": "weekly report", "role": "Viewer", "months": "6"}


def made_on_page(client, **kw):
    """The answer to the form, and the token that it shows."""
    response = client.post(OWN, {**GOOD, **kw})
    assert response.status_code == 200
    return response, response.context["token"]


def test_token_that_is_made_works_and_is_as_it_was_asked_for(signed_in, user):
    _, token = made_on_page(signed_in)

    row = ApiToken.objects.get()
    assert (row.user, row.name, row.role) == (user, "weekly report", "Viewer")
    left = row.expiry - timezone.now()
    assert timedelta(days=181) < left <= timedelta(days=182)
    assert ask(signed_in, f"Token {token}").status_code == 200


def test_token_is_shown_once_and_kept_nowhere_else(signed_in, caplog):
    caplog.set_level(logging.DEBUG)

    response, token = made_on_page(signed_in)

    assert token in response.content.decode()
    assert response.headers["Cache-Control"] == "no-store"
    kept = [str(session.get_decoded()) for session in Session.objects.all()]
    cookies = [str(cookie) for cookie in signed_in.cookies.values()]
    assert not [words for words in [*kept, *cookies, caplog.text] if token in words]
    assert not LogEntry.objects.exists()
    for path in (OWN, OWN, "/"):
        assert token not in signed_in.get(path).content.decode()


def test_page_with_the_token_offers_no_form_that_makes_another(signed_in):
    response, _ = made_on_page(signed_in)

    assert "Make a token" not in text(response)
    signed_in.get(OWN)
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"name": " "}, "Say what uses it."), ({"role": "Lead"}, "Select a valid choice"),
     ({"role": ""}, "This field is required"), ({"months": "240"}, "Select a valid choice"),
     ({"months": "x"}, "Select a valid choice"), ({"name": "a" * 81}, "at most 80 characters"),
     ({"name": "a\x00b"}, "Null characters are not allowed")],
)  # fmt: skip
def test_form_that_is_wrong_makes_no_token_and_says_why(signed_in, wrong, said):
    response = signed_in.post(OWN, {**GOOD, **wrong})

    assert said in text(response)
    assert not ApiToken.objects.exists()


def test_form_offers_the_roles_up_to_ones_own(signed_in, client, lead):
    def offered():
        return [value for value, _ in client.get(OWN).context["form"].fields["role"].choices]

    assert offered() == ["Viewer", "Agent"]
    client.force_login(lead)
    assert offered() == Role.values


def test_somebody_without_a_role_makes_no_token_and_reads_whom_to_ask(client, django_user_model):
    lee = make_user(django_user_model, "lee", "Lead")
    client.force_login(make_user(django_user_model, "noah", ""))

    page = text(client.post(OWN, GOOD))

    assert f"You have no role yet, so you cannot make a token. Ask for one: {lee}." in page
    assert not ApiToken.objects.exists()


def test_list_says_role_last_use_and_what_expired(signed_in, user, lead):
    row, token = make_token(user, months=3)
    make_token(lead, name="of somebody else")
    clock.set(row.expiry - timedelta(days=3))
    signed_in.force_login(user)
    ask(signed_in, f"Token {token}")

    soon = text(signed_in.get(OWN))
    clock.set(row.expiry + timedelta(hours=1))
    signed_in.force_login(user)
    expired = text(signed_in.get(OWN))

    assert "weekly report Agent " in soon
    assert "just now" in soon
    assert "Soon: replace it" in soon
    assert "Expired" in expired
    assert "of somebody else" not in soon


def test_token_is_revoked_with_one_click(signed_in, user):
    row, token = make_token(user)

    response = signed_in.post(REVOKE, {"token": row.pk}, follow=True)

    assert messages(response) == ["“weekly report” is revoked: from now on it is refused."]
    assert ask(signed_in, f"Token {token}").status_code == 401


def test_get_revokes_nothing(signed_in, user):
    row, _ = make_token(user)

    assert signed_in.get(REVOKE, {"token": row.pk}).status_code == 302
    assert ApiToken.objects.exists()


@pytest.mark.parametrize("extra", [{}, {"team": "1"}])
def test_nobody_revokes_the_token_of_somebody_else(signed_in, lead, extra):
    row, _ = make_token(lead)

    for key in (row.pk, "", "\x00", "a" * 5000):
        assert signed_in.post(REVOKE, {"token": key, **extra}).status_code == 404

    assert ApiToken.objects.exists()


# Everybody's


def test_who_manages_people_sees_and_revokes_everybodys_tokens_and_reads_none(client, user, lead):
    row, token = make_token(user)
    client.force_login(lead)

    response = client.get(TEAM)
    assert "weekly report robin Agent" in text(response)
    assert token[:15] not in response.content.decode()

    response = client.post(REVOKE, {"token": row.pk, "team": "1"})
    assert response.url == TEAM
    assert ask(client, f"Token {token}").status_code == 401


def test_page_of_everybodys_tokens_needs_its_permission(client, signed_in):
    assert TEAM not in signed_in.get(OWN).content.decode()
    assert signed_in.get(TEAM).status_code == 403


def test_page_of_a_lead_leads_to_everybodys_tokens(client, lead, user):
    make_token(user)
    user.is_active = False
    user.save()
    client.force_login(lead)

    assert TEAM in client.get(OWN).content.decode()
    assert "Account closed" in text(client.get(TEAM))


@pytest.mark.parametrize("path", [OWN, TEAM, REVOKE])
def test_pages_need_somebody_who_is_signed_in(client, path):
    for response in (client.get(path), client.post(path, GOOD)):
        assert (response.status_code, response.url.partition("?")[0]) == (302, "/login/")


def test_page_is_in_the_menu_of_every_page(signed_in):
    assert f'href="{OWN}">API tokens</a>' in signed_in.get("/").content.decode()


def test_pages_take_no_query_per_token(client, lead, user, django_assert_num_queries):
    client.force_login(lead)
    make_token(user)
    with django_assert_num_queries(TEAM_QUERIES):
        client.get(TEAM)
    for person in (user, lead):
        roles.give(person, Role.LEAD)
        make_token(person, Role.LEAD)

    with django_assert_num_queries(TEAM_QUERIES):
        client.get(TEAM)


TEAM_QUERIES = 5  # session, person, permissions, the time, the tokens
