"""What somebody may do is read at once, and is what Django itself says."""

import pytest
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Permission

from conftest import make_user

pytestmark = pytest.mark.django_db


def by_django(person):
    """Read by Django's own backend, as if nothing was known yet."""
    anew = type(person).objects.get(pk=person.pk)
    return ModelBackend().get_all_permissions(anew)


@pytest.fixture
def person(django_user_model):
    """An agent who may also do one thing that is in no role."""
    person = make_user(django_user_model, "ann", "Agent")
    person.user_permissions.add(Permission.objects.get(codename="run_savedesk"))
    return django_user_model.objects.get(pk=person.pk)


def test_permissions_are_those_of_the_roles_and_the_persons_own(person, django_assert_num_queries):
    with django_assert_num_queries(1):
        assert person.has_perm("webhooks.run_savedesk")
        assert person.has_perm("briefs.work_brief")
        assert not person.has_perm("briefs.delete_brief")

    assert person.get_all_permissions() == by_django(person)


def test_several_roles_add_up(person, django_user_model):
    make_user(django_user_model, "other", "Lead")  # whose permissions are nobody else's
    assert not person.has_perm("accounts.manage_people")
    person.groups.add(*django_user_model.objects.get(username="other").groups.all())
    anew = django_user_model.objects.get(pk=person.pk)

    assert anew.has_perm("accounts.manage_people")
    assert anew.get_all_permissions() == by_django(anew)


def test_superuser_has_all(person):
    person.is_superuser = True

    assert person.has_perm("briefs.delete_brief")
    assert person.get_all_permissions() == ModelBackend().get_all_permissions(person)


def test_somebody_who_is_not_active_has_none(person):
    person.is_active = False

    assert person.get_all_permissions() == set()
    assert not person.has_perm("briefs.work_brief")
