"""Tokens of the release that kept them readable go on working, and are readable no more."""

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.authtoken.models import Token, TokenProxy

from accounts.models import ApiToken
from accounts.tokens.tests.making import ask
from briefs.desk.tests.pages import text
from operations.tests import unsquashed
from webhooks.tests.clock import clock

pytestmark = pytest.mark.django_db
OURS = ("accounts", "knox")  # apps that the release before did not have


@pytest.fixture
def taken_over(user):
    """A token of before, after the upgrade: the row and the token itself."""
    token = Token.objects.create(user=user).key
    import_module("accounts.migrations.0002_take_over").take_over_tokens(apps)
    return ApiToken.objects.get(), token


@pytest.mark.parametrize("scheme", ["Token", "Bearer"])
def test_token_of_before_works_after_the_upgrade(client, user, taken_over, scheme):
    row, token = taken_over

    assert ask(client, f"{scheme} {token}").status_code == 200
    assert (row.user, row.role) == (user, "")


def test_readable_token_is_gone_from_the_database(taken_over):
    row, token = taken_over

    assert not Token.objects.exists()
    assert token not in (row.digest, row.token_key, row.name)


def test_token_of_before_expires_after_90_days_with_a_warning(client, taken_over):
    row, token = taken_over
    left = row.expiry - timezone.now()
    assert timedelta(days=89, hours=23) < left <= timedelta(days=90)

    clock.set(row.expiry - timedelta(days=13))
    assert "Savedesk-Token-Expires" in ask(client, f"Token {token}").headers

    clock.set(row.expiry + timedelta(minutes=1))
    assert "expired on" in ask(client, f"Token {token}").json()["detail"]


def test_page_says_that_a_token_of_before_must_be_replaced(signed_in, taken_over):
    page = text(signed_in.get("/account/tokens/"))

    assert "From before there were roles: it may do all that you may" in page
    assert "must be replaced by a new one before it expires" in page


@pytest.mark.on_postgresql  # what teams run
@pytest.mark.first
@pytest.mark.long  # all migrations from none, as operations/tests/test_upgrade.py runs them always
def test_installation_is_migrated_and_its_programs_notice_nothing(empty_database, client):
    executor = unsquashed.executor()
    leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] not in OURS]
    before = executor.migrate(leaves).apps
    ada = before.get_model("auth", "User").objects.create(username="ada")
    closed = before.get_model("auth", "User").objects.create(username="noah", is_active=False)
    tokens = before.get_model("authtoken", "Token").objects
    tokens.create(key="a" * 40, user=ada)
    tokens.create(key="b" * 40, user=closed)

    call_command("migrate", verbosity=0)

    assert ask(client, f"Token {'a' * 40}").status_code == 200
    assert ask(client, f"Bearer {'b' * 40}").status_code == 401
    assert ApiToken.objects.of(ada.pk).valid().count() == 1
    assert not Token.objects.exists()


# What printed tokens before


def test_no_admin_knows_a_token(admin_client, taken_over):
    registered = {model._meta.label for model in site._registry}

    assert not {label for label in registered if "token" in label.lower()}
    assert TokenProxy._meta.label not in registered
    assert admin_client.get("/admin/authtoken/tokenproxy/add/").status_code == 404
    assert not LogEntry.objects.exists()


def test_command_of_before_names_the_new_one():
    with pytest.raises(CommandError, match="create_token USER"):
        call_command("drf_create_token", "robin")

    assert not Token.objects.exists()
