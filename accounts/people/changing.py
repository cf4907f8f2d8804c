"""Adding people and changing them, as a lead may: never a superuser, never the last lead away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import PermissionDenied
from django.db import transaction

from accounts.models import Role, roles
from accounts.people import diary, leaving
from briefs.links import user_name


class Refused(Exception):
    """Why a change is not made, in words for the page."""


def set_name(person: User, name: str) -> None:
    """The last word is the last name; a single word is the first name."""
    person.first_name, _, person.last_name = name.rpartition(" ")
    if not person.first_name:
        person.first_name, person.last_name = person.last_name, ""


@transaction.atomic
def add(name: str, mail: str, role: Role, by: Any) -> User:
    """Somebody who cannot sign in until they follow an invitation.

    The user name is the mail address: people know it, so they can sign in by it, and it is unique.
    Raises Refused.
    """
    _refuse_higher(role, by)
    person = User(username=mail, email=mail)
    set_name(person, name)
    person.set_unusable_password()
    person.save()
    roles.give(person, role)
    diary.note(person, by, f"Added with the role {role}.", is_new=True)
    return person


def change(pk: int, name: str, mail: str, role: Role | None, by: Any) -> tuple[User, int]:
    """Returns the person and how many briefs became unassigned. Raises Refused."""
    with _alone(pk, by) as person:
        before = roles.role_of(person)
        if before != role:
            _refuse_role(person, before, role, by)
        if person.username == person.email:
            person.username = mail  # who signs in by the address signs in by the new one
        was = (user_name(person), person.email)
        set_name(person, name)
        person.email = mail
        person.save()
        if was != (user_name(person), mail):
            diary.note(person, by, f"Name and mail: {user_name(person)}, {mail}.")
        if before == role:
            return person, 0
        roles.give(person, role)
        diary.note(person, by, f"Role: {before or 'none'} → {role or 'none'}.")
        return person, leaving.release_if_barred(person, by)


def deactivate(pk: int, by: Any) -> tuple[User, leaving.Left]:
    """Raises Refused."""
    with _alone(pk, by) as person:
        if person == by:
            raise Refused("You cannot deactivate your own account. Ask another lead.")
        _refuse_last_lead(person)
        return person, leaving.deactivate(person, by)


def reactivate(pk: int, by: Any) -> User:
    with _alone(pk, by) as person:
        leaving.reactivate(person, by)
        return person


@contextmanager
def _alone(pk: int, by: Any) -> Iterator[User]:
    """The person, while nobody else changes the team: two leads could each remove the other."""
    with transaction.atomic():
        Group.objects.select_for_update().get(name=Role.LEAD)
        person = User.objects.select_for_update().get(pk=pk)
        if not roles.may_change(person, by):
            raise PermissionDenied("Only a superuser can change this account, in the admin.")
        yield person


def _refuse_role(person: User, before: Role | None, role: Role | None, by: Any) -> None:
    if person == by:
        raise Refused("You cannot change your own role. Ask another lead.")
    _refuse_higher(role, by)
    if before == Role.LEAD:
        _refuse_last_lead(person)


def _refuse_higher(role: Role | None, by: Any) -> None:
    """A new account of one's own, or a helper's, would be the way to more rights than one has."""
    if role and not by.has_perms(roles.permissions_of(role)):
        raise Refused(f"It has rights that you do not have, so you cannot give the role {role}.")


def _refuse_last_lead(person: User) -> None:
    if person.is_active and not roles.leads().exclude(pk=person.pk).exists():
        raise Refused(
            f"{user_name(person)} is the only lead. Give somebody else the role Lead first."
        )
