"""Users and groups in the admin: superusers alone, no delete where somebody acted."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from accounts.models import ApiToken, Role
from briefs.desk.tests.pages import messages, text
from briefs.models import Brief
from briefs.tests.factories import make_brief
from conftest import make_user

pytestmark = pytest.mark.django_db
USERS = "/admin/auth/user/"
GROUPS = "/admin/auth/group/"


@pytest.fixture
def superuser(client, django_user_model):
    made = django_user_model.objects.create_superuser("root", "root@example.com", "a-password")
    client.force_login(made)
    return made


def form(user, **kw):
    """What the page of this user would send, with keywords in place of single fields."""
    sent = {
        "username": user.username,
        "email": user.email,
        "is_active": "on",
        "groups": list(user.groups.values_list("pk", flat=True)),
        "date_joined_0": "2026-11-01",
        "date_joined_1": "12:00:00",
        **kw,
    }
    return {name: value for name, value in sent.items() if value is not None}


def delete_selected(client, address, *rows):
    keys = [row.pk for row in rows]
    data = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    return client.post(address, data, follow=True)


def test_who_acted_cannot_be_deleted_and_the_cure_is_said(client, superuser, user):
    make_brief().log("read it", user)

    for method in (client.get, client.post):
        response = method(f"{USERS}{user.pk}/delete/", {"post": "yes"}, follow=True)
        assert "robin acted in Savedesk" in messages(response)[0]
        assert "Untick “Active”" in messages(response)[0]
    assert User.objects.filter(pk=user.pk).exists()


def test_who_acted_is_not_deleted_in_bulk_either(client, superuser, user, django_user_model):
    make_brief().log("read it", user)
    other = make_user(django_user_model, "ann", "Agent")

    response = delete_selected(client, USERS, user, other)

    assert "robin acted in Savedesk" in text(response)
    assert User.objects.filter(pk__in=[user.pk, other.pk]).count() == 2


def test_account_made_by_mistake_can_be_deleted(client, superuser, user):
    client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"})

    assert not User.objects.filter(pk=user.pk).exists()


def test_unticking_active_does_all_that_leaving_does(client, superuser, user):
    ApiToken.objects.create(user=user, name="report")
    brief = make_brief(assignee=user, state="in_progress")

    response = client.post(f"{USERS}{user.pk}/change/", form(user, is_active=None), follow=True)

    assert "robin: 1 brief is unassigned again, 1 API token is ended." in messages(response)
    assert not User.objects.get(pk=user.pk).is_active
    assert not ApiToken.objects.exists()
    assert brief.activities.last().actor == superuser


def test_groups_that_do_not_work_on_briefs_give_them_back(client, superuser, user):
    brief = make_brief(assignee=user, state="in_progress")
    viewers = Group.objects.get(name=Role.VIEWER).pk

    client.post(f"{USERS}{user.pk}/change/", form(user, groups=[viewers]))

    assert Brief.objects.get(pk=brief.pk).assignee is None


def test_groups_of_the_roles_are_neither_edited_nor_deleted(client, superuser):
    role = Group.objects.get(name=Role.AGENT)

    edited = client.post(f"{GROUPS}{role.pk}/change/", {"name": "Mine", "permissions": []})
    deleted = client.post(f"{GROUPS}{role.pk}/delete/", {"post": "yes"})
    delete_selected(client, GROUPS, role)

    assert (edited.status_code, deleted.status_code) == (403, 403)
    assert Group.objects.get(pk=role.pk).permissions.exists()


def test_own_groups_are_edited_and_deleted(client, superuser):
    own = Group.objects.create(name="Support")

    client.post(f"{GROUPS}{own.pk}/change/", {"name": "Help", "permissions": []})
    assert Group.objects.get(pk=own.pk).name == "Help"
    client.post(f"{GROUPS}{own.pk}/delete/", {"post": "yes"})

    assert not Group.objects.filter(pk=own.pk).exists()


@pytest.mark.parametrize("address", ["change/", "password/", "delete/"])
def test_permission_to_change_users_makes_nobody_a_superuser(client, lead, user, address):
    lead.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client.force_login(lead)

    response = client.post(f"{USERS}{lead.pk}/{address}", form(lead, is_superuser="on", post="yes"))

    assert response.status_code == 403
    assert not User.objects.get(pk=lead.pk).is_superuser
    assert client.get(f"{USERS}{lead.pk}/change/").status_code == 200  # it can still be read
    assert client.post(f"{GROUPS}add/", {"name": "Mine"}).status_code == 403
