"""Nobody is locked out by the upgrade: everybody gets a role, and every token stays valid.

Superusers become Lead, staff who may change personas Editor, other active people Agent. What was
granted to somebody before stays granted. Tokens go over by hashing and expire after 90 days; the
readable ones are deleted, so the release before no longer knows them. Open briefs of people who are
gone are unassigned again.
"""

import hashlib

from django.db import migrations
from django.db.models import Q
from django.utils import timezone

from accounts.models.tokens import TAKEN_OVER_FOR

ROLES = ("Viewer", "Agent", "Editor", "Lead")
KEY_LENGTH = 15  # characters by which knox finds a token
# What everybody with a token could read through the API; no role below Lead may read all of it.
READ_BY_API = (
    ("webhooks", "webhookevent", "view_webhookevent", "Can view event"),
    ("webhooks", "webhookevent", "view_payload", "Can read raw payloads and headers"),
)


def take_over(apps, schema_editor):
    keep_own_groups(apps)
    give_roles(apps)
    keep_payloads(apps)
    take_over_tokens(apps)
    release_briefs(apps)


def keep_own_groups(apps):
    """A group that a team made and named like a role goes on under another name."""
    groups = apps.get_model("auth", "Group").objects
    for group in groups.filter(name__in=ROLES):
        group.name = f"{group.name} (before roles)"
        while groups.filter(name=group.name).exists():  # such as after going back and on again
            group.name += " again"
        group.save()


def give_roles(apps):
    user_model = apps.get_model("auth", "User")
    groups = {name: apps.get_model("auth", "Group").objects.create(name=name) for name in ROLES}
    edits = Q(content_type__app_label="personas", codename="change_persona")
    permissions = apps.get_model("auth", "Permission").objects.filter(edits)
    may_edit = Q(user_permissions__in=permissions) | Q(groups__permissions__in=permissions)
    editors = set(user_model.objects.filter(may_edit, is_staff=True).values_list("pk", flat=True))
    for user in user_model.objects.filter(is_active=True):
        role = "Lead" if user.is_superuser else "Editor" if user.pk in editors else "Agent"
        user.groups.add(groups[role])


def keep_payloads(apps):
    """Whoever reads events by a token, or may view them in the admin, goes on reading payloads."""
    user_model = apps.get_model("auth", "User")
    content_type = apps.get_model("contenttypes", "ContentType")
    permission_model = apps.get_model("auth", "Permission")
    granted = []
    for label, model, codename, name in READ_BY_API:
        kind, _ = content_type.objects.get_or_create(app_label=label, model=model)
        granted.append(
            permission_model.objects.get_or_create(
                content_type=kind, codename=codename, defaults={"name": name}
            )[0]
        )
    view, payload = granted
    for group in apps.get_model("auth", "Group").objects.filter(permissions=view):
        group.permissions.add(payload)
    for user in user_model.objects.filter(user_permissions=view):
        user.user_permissions.add(payload)
    tokens = apps.get_model("authtoken", "Token").objects.filter(user__is_active=True)
    for user in user_model.objects.filter(pk__in=tokens.values("user"), is_superuser=False):
        user.user_permissions.add(view, payload)


def take_over_tokens(apps):
    """Not those of deactivated people: they were refused, and end with the account from now on."""
    readable = apps.get_model("authtoken", "Token").objects.all()
    expiry = timezone.now() + TAKEN_OVER_FOR
    apps.get_model("accounts", "ApiToken").objects.bulk_create(
        apps.get_model("accounts", "ApiToken")(
            digest=hashlib.sha512(token.key.encode()).hexdigest(),
            token_key=token.key[:KEY_LENGTH],
            user_id=token.user_id,
            expiry=expiry,
            name=f"Token of {token.created:%-d %B %Y}",
        )
        for token in readable.filter(user__is_active=True)
    )
    readable.delete()


def release_briefs(apps):
    """Briefs in hand of somebody who is gone, deactivated or deleted, are unassigned again."""
    open_ = apps.get_model("briefs", "Brief").objects.exclude(state="closed")
    in_no_hands = Q(assignee__is_active=False) | Q(state="in_progress", assignee=None)
    keys = []
    for brief in open_.filter(in_no_hands).select_related("assignee").order_by("pk"):
        who = brief.assignee
        name = who and (f"{who.first_name} {who.last_name}".strip() or who.username)
        apps.get_model("briefs", "Activity").objects.create(
            brief=brief, text=f"made it unassigned: {name or 'whoever had it'} left the team"
        )
        keys.append(brief.pk)
    apps.get_model("briefs", "Brief").objects.filter(pk__in=keys).update(
        assignee=None, state="new", snoozed_until=None
    )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("briefs", "0015_people"),
        ("authtoken", "0004_alter_tokenproxy_options"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("webhooks", "0006_people"),
    ]

    operations = [migrations.RunPython(take_over, migrations.RunPython.noop)]
