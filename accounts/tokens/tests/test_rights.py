"""The rights of a token: those that both its person and its role have."""

import pytest
from django.contrib.auth.models import Permission
from rest_framework.request import Request
from rest_framework.test import APIRequestFactory

from accounts.models import ApiToken, Role, roles
from accounts.models.tokens import NoToken
from accounts.tokens.authentication import TokenOrBearer
from accounts.tokens.tests.making import make_token
from briefs.models import Activity
from briefs.tests.factories import make_brief
from conftest import make_user

pytestmark = pytest.mark.django_db
EVERY = set(roles.permissions_of(Role.LEAD))


def person_of(token: str):
    """Whom Django REST framework's views see."""
    request = APIRequestFactory().get("/", HTTP_AUTHORIZATION=f"Token {token}")
    return TokenOrBearer().authenticate(Request(request))[0]


def rights(person) -> set[str]:
    """By asking for each permission."""
    return {permission for permission in EVERY | {"auth.add_user"} if person.has_perm(permission)}


@pytest.mark.parametrize("role", Role)
def test_leads_token_can_do_what_its_role_can(lead, role):
    _, token = make_token(lead, role)

    person = person_of(token)

    assert rights(person) == set(roles.permissions_of(role)) == person.get_all_permissions()


@pytest.mark.parametrize("role", Role)
def test_superusers_token_can_do_no_more_than_its_role(admin_user, role):
    _, token = make_token(admin_user, role)

    person = person_of(token)

    assert rights(person) == set(roles.permissions_of(role)) == person.get_all_permissions()
    assert not person.is_superuser
    assert person.has_perms(roles.permissions_of(role))
    assert person.has_perms(["briefs.change_researchpolicy"]) == (role == Role.LEAD)
    assert not person.has_module_perms("auth")
    assert person.has_module_perms("accounts") == (role == Role.LEAD)


def test_person_who_fell_in_rank_takes_the_token_along(lead):
    _, token = make_token(lead, Role.LEAD)
    roles.give(lead, Role.AGENT)

    assert rights(person_of(token)) == set(roles.permissions_of(Role.AGENT))


def test_what_was_granted_to_a_person_alone_is_not_the_tokens(user):
    permission = Permission.objects.get(codename="manage_people")
    user.user_permissions.add(permission)
    _, token = make_token(user, Role.AGENT)

    person = person_of(token)

    assert not person.has_perm("accounts.manage_people")
    assert not person.get_user_permissions()
    assert person.get_group_permissions() == set(roles.permissions_of(Role.AGENT))


def test_token_from_before_there_were_roles_can_do_all_that_its_person_can(admin_user):
    row, token = make_token(admin_user, Role.VIEWER)
    ApiToken.objects.filter(pk=row.pk).update(role="")

    assert person_of(token).has_perm("auth.add_user")


def test_person_of_a_token_may_stand_wherever_a_user_may(user):
    _, token = make_token(user, Role.VIEWER)
    person = person_of(token)

    brief = make_brief(assignee=person)
    brief.log("took it", person)

    assert person == user
    assert type(brief).objects.get(assignee=person) == brief
    assert Activity.objects.get().actor == user


def test_saving_the_person_of_a_token_leaves_a_superuser_one(admin_user):
    person = person_of(make_token(admin_user, Role.VIEWER)[1])

    person.first_name = "Ada"
    person.save()

    admin_user.refresh_from_db()
    assert (admin_user.is_superuser, admin_user.first_name) == (True, "Ada")


# Making one


def test_role_of_a_token_is_no_higher_than_the_persons(user):
    with pytest.raises(NoToken, match="cannot be higher than the person's, Agent"):
        make_token(user, Role.EDITOR)

    assert not ApiToken.objects.exists()


def test_nobody_without_a_role_or_with_a_closed_account_has_a_new_token(django_user_model, user):
    user.is_active = False
    for person in (make_user(django_user_model, "noah", ""), user):
        with pytest.raises(NoToken, match="Only somebody with a role"):
            make_token(person, Role.VIEWER)
