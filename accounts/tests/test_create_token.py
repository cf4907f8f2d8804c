"""The command that makes a token for a script."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from accounts.models import ApiToken
from accounts.tokens.tests.making import ask
from conftest import make_user

pytestmark = pytest.mark.django_db


def create(*arguments, name="nightly export"):
    """What it prints."""
    out, told = StringIO(), StringIO()
    call_command("create_token", *arguments, "--name", name, stdout=out, stderr=told)
    return out.getvalue(), told.getvalue()


def test_token_alone_is_printed_and_works(client, user):
    out, told = create("robin", "--role", "Viewer", "--months", "3")

    token = out.strip()
    assert out == f"{token}\n"
    assert token not in told
    assert ask(client, f"Token {token}").status_code == 200
    row = ApiToken.objects.get()
    assert (row.user, row.name, row.role) == (user, "nightly export", "Viewer")
    assert (row.expiry - row.created).days in (90, 91)


def test_role_is_the_persons_own_and_it_expires_after_a_year_if_not_said(lead):
    create("lee")

    row = ApiToken.objects.get()
    assert row.role == "Lead"
    assert (row.expiry - row.created).days in (364, 365)


def test_what_cannot_be_is_refused_in_words(user, django_user_model):
    make_user(django_user_model, "noah", "")

    for arguments, said in (
        (["nobody"], "There is nobody with the user name “nobody”"),
        (["robin", "--role", "Lead"], "cannot be higher than the person's, Agent"),
        (["noah"], "Only somebody with a role"),
        (["robin", "--months", "5"], "invalid choice"),
    ):
        with pytest.raises(CommandError, match=said):
            create(*arguments)
    with pytest.raises(CommandError, match="what uses it"):
        create("robin", name=" ")
    assert not ApiToken.objects.exists()
