"""The highest role of somebody who has several groups."""

import pytest

from accounts.models import Role
from accounts.models.roles import highest, role_of
from conftest import make_user


@pytest.mark.parametrize("role", Role)
def test_highest_role_is_found_among_the_names_of_groups_read_one_by_one(role):
    assert highest(iter(["Support", *reversed(role.up_to)])) == role
    assert highest(iter(["Support"])) is None


@pytest.mark.django_db
@pytest.mark.parametrize("role", Role)
def test_everybody_has_the_role_that_was_given(django_user_model, role):
    assert role_of(make_user(django_user_model, "sam", role)) == role
