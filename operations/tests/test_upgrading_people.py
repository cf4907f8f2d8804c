"""People of the release before get roles and keep their rights; their tokens go on for 90 days."""

import hashlib
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import call_command
from django.utils import timezone
from rest_framework.authtoken.models import Token

from accounts.models import ApiToken, roles
from briefs.models import Activity, Brief
from operations.doctor.people import people
from operations.tests import unsquashed

# What teams run; that migrations run on SQLite as well, test_upgrade.py shows. Long: it takes
# fifteen seconds of a core to run all migrations from none, and test_upgrade.py does so always.
pytestmark = [pytest.mark.on_postgresql, pytest.mark.first, pytest.mark.long]

# The release before had no app `accounts`.
BEFORE = {"personas": "0005_starter_rules", "webhooks": "0005_event_meanings",
          "briefs": "0014_event_meanings"}  # fmt: skip
KEY = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def upgraded(empty_database):
    """A team of the release before, after `migrate` of this one."""
    executor = unsquashed.executor()
    later = {"accounts", *BEFORE}
    others = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in later]
    state = executor.migrate([*others, *BEFORE.items()])
    fill(state.apps)
    call_command("migrate", verbosity=0)


def fill(apps):
    user_model, group_model = (apps.get_model("auth", name) for name in ("User", "Group"))
    of_personas = permission(apps, "personas", "persona", "change_persona")
    of_events = permission(apps, "webhooks", "webhookevent", "view_webhookevent")
    flags = {"root": {"is_superuser": True, "is_staff": True}, "own": {"is_staff": True},
             "grouped": {"is_staff": True}, "staff": {"is_staff": True},
             "reader": {"is_staff": True}, "plain": {}, "token": {}, "no_staff": {},
             "gone": {"is_active": False}}  # fmt: skip
    users = {name: user_model.objects.create(username=name, **kw) for name, kw in flags.items()}
    agents = group_model.objects.create(name="Agent")  # the team's own, named like a role
    agents.permissions.add(of_personas)
    group_model.objects.create(name="Editor")
    group_model.objects.create(name="Editor (before roles)")  # its new name is taken
    users["grouped"].groups.add(agents)
    users["own"].user_permissions.add(of_personas)
    users["no_staff"].user_permissions.add(of_personas)
    users["reader"].user_permissions.add(of_events)
    token_model = apps.get_model("authtoken", "Token")
    token_model.objects.create(user=users["token"], key=KEY)
    token_model.objects.create(user=users["gone"], key=KEY[::-1])
    fill_briefs(apps, users)


def fill_briefs(apps, users):
    get = apps.get_model
    persona = get("personas", "Persona").objects.create(name="A", position=1)
    for key, (state, assignee) in enumerate(
        [("in_progress", users["gone"]), ("in_progress", None), ("in_progress", users["plain"])], 1
    ):
        customer = get("personas", "Customer").objects.create(external_id=str(key))
        get("briefs", "Brief").objects.create(
            pk=key, customer=customer, persona=persona, kind="unsubscribed", priority=2,
            happened_at=timezone.now(), state=state, assignee=assignee,
        )  # fmt: skip


def permission(apps, app, model, codename):
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label=app, model=model
    )
    rows = apps.get_model("auth", "Permission").objects
    return rows.get_or_create(content_type=kind, codename=codename, defaults={"name": codename})[0]


def everything():
    """All rows that say who may do what."""
    users = User.objects.order_by("pk")
    return (
        [(user.username, user.is_staff, user.is_active, set(user.groups.all()),
          set(user.user_permissions.all())) for user in users],
        [(group.name, set(group.permissions.all())) for group in Group.objects.order_by("pk")],
        set(Permission.objects.all()),
        list(ApiToken.objects.order_by("digest").values()),
    )  # fmt: skip


@pytest.mark.usefixtures("upgraded")
def test_upgraded_team_has_roles_and_keeps_its_rights_and_tokens():
    given = {user.username: roles.role_of(user) for user in User.objects.all()}
    assert given == {"root": "Lead", "own": "Editor", "grouped": "Editor", "staff": "Agent",
                     "reader": "Agent", "plain": "Agent", "token": "Agent", "no_staff": "Agent",
                     "gone": None}  # fmt: skip

    assert_own_rights_stay()
    assert_tokens_were_taken_over()
    assert_briefs_are_in_somebodys_hands()
    assert "token" in people().seen.partition("besides their role:")[2]
    before = everything()
    call_command("migrate", verbosity=0)
    assert everything() == before


def assert_own_rights_stay():
    names = set(Group.objects.values_list("name", flat=True))
    kept_ = {"Agent (before roles)", "Editor (before roles)", "Editor (before roles) again"}
    assert names == {"Viewer", "Agent", "Editor", "Lead", *kept_}
    kept = Group.objects.get(name="Agent (before roles)")
    assert [one.codename for one in kept.permissions.all()] == ["change_persona"]
    assert list(kept.user_set.values_list("username", flat=True)) == ["grouped"]
    people_ = {user.username: user for user in User.objects.all()}
    assert people_["root"].is_superuser
    assert people_["no_staff"].has_perm("personas.change_persona")
    assert {name for name, user in people_.items() if user.is_staff} == {
        "root", "own", "grouped", "staff", "reader"
    }  # fmt: skip
    reads = {name for name, user in people_.items() if user.has_perm("webhooks.view_payload")}
    assert reads == {"root", "token", "reader"}
    assert all(user.has_perm("briefs.work_brief") == user.is_active for user in people_.values())


def assert_briefs_are_in_somebodys_hands():
    assert list(Brief.objects.order_by("pk").values_list("state", "assignee__username")) == [
        ("new", None), ("new", None), ("in_progress", "plain")
    ]  # fmt: skip
    assert list(Activity.objects.order_by("pk").values_list("text", flat=True)) == [
        "made it unassigned: gone left the team",
        "made it unassigned: whoever had it left the team",
    ]


def assert_tokens_were_taken_over():
    assert not Token.objects.exists()
    token = ApiToken.objects.get(user__username="token")
    assert (token.digest, token.token_key) == (hashlib.sha512(KEY.encode()).hexdigest(), KEY[:15])
    assert (token.role, token.name.startswith("Token of ")) == ("", True)
    left = token.expiry - timezone.now()
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)
    assert ApiToken.objects.count() == 1  # that of somebody deactivated was refused, and ended
    assert KEY not in str(list(ApiToken.objects.values()))
