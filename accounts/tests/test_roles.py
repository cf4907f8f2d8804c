"""The four roles: their permissions, who holds which, and what giving one changes."""

import pytest
from django.contrib.auth.models import Group, Permission, User

from accounts.models import Role, roles
from conftest import make_user

pytestmark = pytest.mark.django_db


def rights():
    """Which group has which permissions at present."""
    return {
        group.name: set(group.permissions.values_list("content_type__app_label", "codename"))
        for group in Group.objects.all()
    }


@pytest.mark.parametrize("role", list(Role))
def test_every_permission_of_a_role_exists(role):
    for name in roles.ADDED[role]:
        app, codename = name.split(".")
        found = Permission.objects.filter(content_type__app_label=app, codename=codename)
        assert found.count() == 1, name


def test_filling_the_roles_again_changes_nothing():
    before = rights()

    roles.fill()

    assert rights() == before
    assert set(before) == set(Role.values)


def test_filling_takes_away_what_a_role_should_not_have_and_leaves_own_groups_alone():
    own = Group.objects.create(name="Support")
    extra = Permission.objects.get(codename="delete_session")
    Group.objects.get(name=Role.VIEWER).permissions.add(extra)
    own.permissions.add(extra)

    roles.fill()

    assert ("sessions", "delete_session") not in rights()["Viewer"]
    assert ("sessions", "delete_session") in rights()["Support"]


@pytest.mark.parametrize("role", list(Role))
def test_role_contains_those_below_it(role, django_user_model):
    user = make_user(django_user_model, "ann", role)

    held = {one for one in Role if all(user.has_perm(name) for name in roles.ADDED[one])}

    assert held == set(role.up_to)
    assert (roles.role_of(user), user.is_staff) == (role, role.enters_admin)


def test_no_role_contains_a_permission_on_users_or_groups():
    for role in Role:
        assert not [name for name in roles.permissions_of(role) if name.startswith("auth.")]


def test_highest_of_several_roles_counts(django_user_model):
    user = make_user(django_user_model, "ann", "Viewer")
    user.groups.add(Group.objects.get(name=Role.EDITOR))

    assert roles.role_of(user) == Role.EDITOR
    assert roles.highest(name for name in ("Agent", "Support", "Viewer")) == Role.AGENT


def test_giving_a_role_keeps_own_groups(django_user_model):
    user = make_user(django_user_model, "ann", "Editor")
    user.groups.add(Group.objects.create(name="Support"))

    roles.give(user, Role.VIEWER)

    assert sorted(user.groups.values_list("name", flat=True)) == ["Support", "Viewer"]
    assert not User.objects.get(pk=user.pk).is_staff


def test_superusers_and_active_leads_are_leads(django_user_model):
    make_user(django_user_model, "ann", "Lead")
    make_user(django_user_model, "bob", "Editor")
    gone = make_user(django_user_model, "cleo", "Lead")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    User.objects.create_superuser("root")

    assert [lead.username for lead in roles.leads()] == ["ann", "root"]
