"""The four roles. Each is a group of Django with a fixed name, and contains the roles before it.

Code never asks for a role: it asks for a permission, such as `briefs.work_brief`. Groups that a
team makes itself are left alone.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Any

from django.apps import apps
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models import Q


class Role(models.TextChoices):
    """From the least rights to the most."""

    VIEWER = "Viewer", "Viewer"  # reads briefs and insights
    AGENT = "Agent", "Agent"  # works briefs
    EDITOR = "Editor", "Editor"  # edits rules, personas, playbooks and the question to Mave
    LEAD = "Lead", "Lead"  # also research policy, notifications and people

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    @property
    def up_to(self) -> "list[Role]":
        """This role and those that it contains."""
        return list(Role)[: self.rank + 1]

    @property
    def enters_admin(self) -> bool:
        return self in (Role.EDITOR, Role.LEAD)

    @property
    def meaning(self) -> str:
        """What the role may do, in one sentence."""
        return MEANINGS[self]


MEANINGS: dict[Role, str] = {
    Role.VIEWER: "Reads briefs, insights and webhook health, and changes nothing.",
    Role.AGENT: "Works on briefs: takes and closes them, buys fresh answers, and sees who the "
    "customers are.",
    Role.EDITOR: "All that an Agent may; also edits signal rules, personas, playbooks and the "
    "question to Mave.",
    Role.LEAD: "All that an Editor may; also budgets and the pause of research, notifications, "
    "and this team.",
}


# What each role adds to the one before it.
ADDED: dict[Role, tuple[str, ...]] = {
    Role.VIEWER: (
        "briefs.view_brief",
        "briefs.view_insights",
        "personas.view_persona",
        "webhooks.view_health",
    ),
    Role.AGENT: (
        "briefs.work_brief",
        "briefs.buy_research",
        "personas.view_customer",
        "personas.view_personal_data",
    ),
    Role.EDITOR: (
        *(
            f"personas.{act}_{model}"
            for model in (
                "persona",
                "personacondition",
                "signalrule",
                "signalcondition",
                "firststep",
            )
            for act in ("view", "add", "change", "delete")
        ),
        "personas.view_ruleversion",
        *(f"personas.{act}_attributename" for act in ("view", "add", "change", "delete")),
        *(f"briefs.{act}_questiontemplate" for act in ("view", "add", "change")),
        "briefs.view_activity",
        "briefs.view_cause",
        "briefs.view_comment",
        "briefs.view_contactlog",
        "briefs.view_research",
        "briefs.view_signal",
        "briefs.view_templatechoice",
        "webhooks.view_webhookevent",
    ),
    Role.LEAD: (
        "briefs.change_savedview",  # those that others made for the team
        *(f"briefs.{act}_linktemplate" for act in ("view", "add", "change", "delete")),
        *(f"briefs.{act}_researchpolicy" for act in ("view", "change")),
        *(f"briefs.{act}_prioritythreshold" for act in ("view", "add", "change", "delete")),
        *(f"briefs.{act}_notificationtarget" for act in ("view", "add", "change", "delete")),
        *(f"briefs.{act}_workingtime" for act in ("view", "change")),
        *(f"briefs.{act}_holiday" for act in ("view", "add", "change", "delete")),
        *(f"briefs.{act}_closingreason" for act in ("view", "add", "change", "delete")),
        *(f"briefs.{act}_offer" for act in ("view", "add", "change", "delete")),
        "briefs.view_notification",
        "briefs.view_alarm",
        "briefs.view_mavecall",
        "briefs.view_segmentmembership",
        "briefs.change_research",
        "personas.change_customer",  # to look them up again
        "personas.erase_customer",
        "briefs.view_erasure",
        "webhooks.change_webhookevent",  # to reprocess them
        "webhooks.view_payload",
        "accounts.manage_people",
    ),
}
OUR_APPS = ("webhooks", "personas", "briefs", "accounts")


def permissions_of(role: Role) -> list[str]:
    """As `app.codename`, with those of the roles that it contains."""
    return list(chain.from_iterable(ADDED[one] for one in role.up_to))


def fill(using: str = DEFAULT_DB_ALIAS) -> None:
    """Make the groups of the roles, with exactly their permissions. May be repeated."""
    for label in OUR_APPS:  # whose turn after this migrate may come later
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    known = {
        f"{permission.content_type.app_label}.{permission.codename}": permission
        for permission in Permission.objects.using(using)
        .filter(content_type__app_label__in=OUR_APPS)
        .select_related("content_type")
    }
    for role in Role:
        group, _ = Group.objects.using(using).get_or_create(name=role.value)
        group.permissions.set(known[name] for name in permissions_of(role) if name in known)


def role_of(user: Any) -> Role | None:
    """The highest role of this user; Lead for a superuser."""
    if user.is_superuser:
        return Role.LEAD
    return highest(group.name for group in user.groups.all())


def highest(names: Iterable[str]) -> Role | None:
    """The highest role among the names of groups."""
    given = set(names)  # once: an iterator is empty after that
    held = [role for role in Role if role.value in given]
    return held[-1] if held else None


def rights_of(person: Any) -> set[str]:
    """All permissions, also of somebody who is deactivated and could be reactivated."""
    given = Permission.objects.filter(Q(user=person) | Q(group__user=person))
    return {
        f"{app}.{name}" for app, name in given.values_list("content_type__app_label", "codename")
    }


def further(person: Any) -> list[str]:
    """Permissions that somebody has besides the role."""
    role = role_of(person)
    return sorted(rights_of(person) - set(permissions_of(role) if role else ()))


def may_change(person: Any, by: Any) -> bool:
    """Nobody changes somebody with more rights: their mail and password would be the way up."""
    return not person.is_superuser and bool(
        by.is_superuser or rights_of(person) <= by.get_all_permissions()
    )


@transaction.atomic
def give(user: Any, role: Role | None) -> None:
    """Give the user this role in place of the one before; None takes it away.

    The user's other groups, and what was granted to the user alone, stay as they are.
    """
    before = role_of(user)
    user.groups.remove(*Group.objects.filter(name__in=Role.values))
    if role:
        user.groups.add(Group.objects.get_or_create(name=role.value)[0])
    enters = bool(role and role.enters_admin)
    if not user.is_superuser and (enters or (before and before.enters_admin)):
        user.is_staff = enters
        user.save(update_fields=["is_staff"])


def leads() -> "models.QuerySet[Any]":
    """Active people who can give a role, by name."""
    from django.contrib.auth import get_user_model

    may = Q(groups__name=Role.LEAD.value) | Q(is_superuser=True)
    people: models.QuerySet[Any] = get_user_model()._default_manager.filter(may, is_active=True)
    return people.distinct().order_by("username")
