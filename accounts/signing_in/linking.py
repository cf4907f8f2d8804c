"""Which user somebody is whom the provider has signed in, and which role their groups give.

A person is known by issuer and subject. The first time, an active user with the same verified mail
address is taken to be this person, unless much would be lost if that is wrong: whoever manages
people, superusers, and whoever has a second factor here are never found by a mail address alone.
Such a person, and everybody unknown, gets a new user.
"""

import logging
import re
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from accounts.models import Identity, Role, roles
from accounts.signing_in import factors
from briefs.triage import releasing

logger = logging.getLogger(__name__)


class Deactivated(Exception):
    """A lead has ended this person's account."""


@transaction.atomic
def person(issuer: str, claims: dict[str, Any]) -> Any:
    """The user of these claims, with the role of their groups. Raises Deactivated."""
    known = Identity.objects.select_related("user").filter(issuer=issuer, subject=claims["sub"])
    identity = known.first()
    user = identity.user if identity else (by_mail(issuer, claims) or create(claims))
    if not user.is_active:
        raise Deactivated
    if not identity:
        Identity.objects.create(user=user, issuer=issuer, subject=claims["sub"])
        logger.info("user %s is linked to single sign-on", user.pk)
    give_role(user, claims)
    return user


def verified_mail(claims: dict[str, Any]) -> str:
    """The mail address, if the provider says that it has checked it; else empty."""
    is_verified = claims.get("email_verified") in (True, "true")
    return str(claims.get("email") or "") if is_verified else ""


def by_mail(issuer: str, claims: dict[str, Any]) -> Any | None:
    """The only active user with this address, if that is safe to say."""
    mail = verified_mail(claims)
    if not mail:
        return None
    found = list(get_user_model()._default_manager.filter(email__iexact=mail))
    active = [user for user in found if user.is_active]
    if found and not active:  # else they would come back as somebody new
        raise Deactivated
    return active[0] if len(active) == 1 and may_be_linked(active[0], issuer) else None


def may_be_linked(user: Any, issuer: str) -> bool:
    return not (
        user.is_superuser
        or user.has_perm("accounts.manage_people")
        or factors.app_of(user)
        or user.identities.filter(issuer=issuer).exists()
    )


def create(claims: dict[str, Any]) -> Any:
    """A new user without a password. A mail address that somebody has stays theirs alone."""
    people = get_user_model()._default_manager
    mail = verified_mail(claims)
    if people.filter(email__iexact=mail).exists():
        mail = ""
    user = people.model(
        username=free_name(claims),
        email=mail,
        first_name=str(claims.get("given_name") or "")[:150],
        last_name=str(claims.get("family_name") or "")[:150],
    )
    user.set_unusable_password()
    user.save()
    return user


def free_name(claims: dict[str, Any]) -> str:
    """A user name that nobody has, never with @: it must not look like somebody's mail address."""
    wanted = str(claims.get("preferred_username") or claims.get("email") or "")
    base = re.sub(r"[^\w.+-]", "", wanted.partition("@")[0])[:100] or "person"
    people = get_user_model()._default_manager
    name, number = base, 1
    while people.filter(username__iexact=name).exists():
        number += 1
        name = f"{base}-{number}"
    return name


def give_role(user: Any, claims: dict[str, Any]) -> None:
    """The highest role of the groups, or none. A superuser's rights are not the provider's.

    As when a lead changes the role, somebody who may no longer work on briefs keeps none.
    """
    if user.is_superuser or not settings.OIDC_ROLES:
        return
    named = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    groups = [named] if isinstance(named, str) else named
    role: Role | None = roles.highest(
        settings.OIDC_ROLES[group]
        for group in groups
        if isinstance(group, str) and group in settings.OIDC_ROLES
    )
    if role != roles.role_of(user):
        roles.give(user, role)
        afresh = get_user_model()._default_manager.get(pk=user.pk)  # without cached permissions
        if not afresh.has_perm("briefs.work_brief"):
            releasing.release_all(afresh, releasing.MAY_NOT)
        logger.info("user %s is now %s by the groups of single sign-on", user.pk, role or "nobody")
