"""Somebody leaves: nothing of the account works any more, and the name stays on what was done."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken, Role, roles
from accounts.people import leaving
from briefs.models import Brief
from briefs.tests.factories import make_brief
from conftest import make_user
from personas.models import Persona

pytestmark = pytest.mark.django_db


def client_of(user):
    client = Client()
    client.force_login(user)
    return client


def test_leaving_ends_tokens_and_sessions_and_returns_briefs(user, lead):
    brief = make_brief(assignee=user, state="in_progress")
    ApiToken.objects.create(user=user, name="report")
    ApiToken.objects.create(user=lead, name="report")
    client_of(user), client_of(lead)

    left = leaving.deactivate(user, lead)

    assert (left.briefs, left.tokens) == (1, 1)
    assert [token.user for token in ApiToken.objects.all()] == [lead]
    assert [s.get_decoded()["_auth_user_id"] for s in Session.objects.all()] == [str(lead.pk)]
    assert Brief.objects.get(pk=brief.pk).assignee is None
    assert not User.objects.get(pk=user.pk).is_active


def test_session_of_before_does_not_come_back_with_the_account(user, lead):
    client = client_of(user)
    leaving.deactivate(user, lead)

    leaving.reactivate(user, lead)

    assert client.get(reverse("accounts:account")).status_code == 302


@pytest.mark.parametrize("by_page", [True, False])
def test_tokens_of_an_account_ended_by_hand_do_not_come_back(admin_client, user, by_page):
    ApiToken.objects.create(user=user, name="report")
    User.objects.filter(pk=user.pk).update(is_active=False)
    team = reverse("accounts:reactivate", args=[user.pk])
    admin = reverse("admin:auth_user_change", args=[user.pk])
    form = {"username": "robin", "is_active": "on", "date_joined_0": "2026-01-01",
            "date_joined_1": "00:00:00"}  # fmt: skip

    admin_client.post(team if by_page else admin, form)

    assert User.objects.get(pk=user.pk).is_active
    assert not ApiToken.objects.exists()


def test_second_press_on_reactivate_ends_nothing(user, lead):
    leaving.deactivate(user, lead)
    leaving.reactivate(user, lead)
    ApiToken.objects.create(user=user, name="report")

    leaving.reactivate(user, lead)

    assert ApiToken.objects.exists()


def test_role_stays_and_comes_back(user, lead):
    leaving.deactivate(user, lead)

    leaving.reactivate(user, lead)

    user = User.objects.get(pk=user.pk)
    assert (roles.role_of(user), user.has_perm("briefs.work_brief")) == (Role.AGENT, True)


def test_leaving_twice_changes_nothing_more(user, lead):
    leaving.deactivate(user, lead)

    left = leaving.deactivate(user, lead)

    assert (left.briefs, left.tokens) == (0, 0)


def test_who_deactivated_whom_is_noted_with_what_it_ended(user, lead):
    make_brief(assignee=user, state="in_progress")

    leaving.deactivate(user, lead)

    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (lead, str(user.pk))
    assert entry.change_message == (
        "Deactivated. 1 brief is unassigned again, 0 API tokens are ended."
    )


def test_deactivation_from_the_shell_needs_no_actor(user):
    brief = make_brief(assignee=user, state="in_progress")

    leaving.deactivate(user, None)

    assert brief.activities.last().actor is None
    assert not LogEntry.objects.exists()


def test_role_that_does_not_work_on_briefs_gives_them_back(user, lead):
    brief = make_brief(assignee=user, state="in_progress")
    roles.give(user, Role.VIEWER)

    assert leaving.release_if_barred(user, lead) == 1

    assert brief.activities.last().text == "made it unassigned: robin no longer works on briefs"


def test_role_that_works_on_briefs_keeps_them(user, lead):
    make_brief(assignee=user, state="in_progress")
    roles.give(user, Role.EDITOR)

    assert leaving.release_if_barred(user, lead) == 0


def test_new_account_with_tokens_role_and_identity_has_done_nothing(user):
    ApiToken.objects.create(user=user, name="report")
    user.identities.create(issuer="https://id.example", subject="1")

    assert not leaving.has_acted(user)


@pytest.mark.parametrize("act", ["brief", "activity", "history", "log"])
def test_any_row_that_names_somebody_is_an_act(act, user, lead, django_user_model):
    match act:
        case "brief":
            make_brief(assignee=user)
        case "activity":
            make_brief().log("read it", user)
        case "history":
            persona = Persona(name="A", position=1)
            persona._history_user = user
            persona.save()
        case "log":
            leaving.deactivate(make_user(django_user_model, "ann", "Agent"), user)

    assert leaving.has_acted(user)
