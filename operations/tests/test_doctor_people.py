"""The doctor lists who may everything, who may more than their role, and who may nothing."""

import pytest
from django.contrib.auth.models import Permission, User

from briefs.tests.factories import make_brief
from conftest import make_user
from operations.doctor import Verdict
from operations.doctor.people import people

pytestmark = pytest.mark.django_db


def test_team_with_a_lead_and_roles_is_well(user, lead):
    found = people()

    assert (found.level, found.seen) == (Verdict.OK, "2 active")


def test_superusers_are_named(lead):
    User.objects.create_superuser("root")

    assert people().seen == "2 active; superusers: root"


def test_nobody_who_can_give_a_role_is_a_failure_with_its_cure(user):
    gone = make_user(User, "gone", "Lead")
    User.objects.filter(pk=gone.pk).update(is_active=False)

    found = people()

    assert (found.level, "createsuperuser" in found.cure) == (Verdict.FAIL, True)
    assert "1 active, none of them a lead" in found.seen


def test_open_briefs_of_somebody_deactivated_in_the_shell_are_found(lead, user):
    make_brief(assignee=user, state="in_progress")
    User.objects.filter(pk=user.pk).update(is_active=False)

    assert people().seen == "1 active; deactivated, with open briefs: robin"


def test_people_without_a_role_and_with_further_rights_are_named(lead, django_user_model):
    make_user(django_user_model, "ann", "")
    bob = make_user(django_user_model, "bob", "Agent")
    bob.user_permissions.add(Permission.objects.get(codename="view_payload"))
    cleo = make_user(django_user_model, "cleo", "Agent")
    User.objects.filter(pk=cleo.pk).update(is_staff=True)
    gone = make_user(django_user_model, "gone", "")
    User.objects.filter(pk=gone.pk).update(is_active=False)

    found = people()

    assert found.level == Verdict.WARN
    assert found.seen == (
        "4 active; without a role: ann; with rights besides their role: bob, cleo"
    )
    assert "page Team" in found.cure
