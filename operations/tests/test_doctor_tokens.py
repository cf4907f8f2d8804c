"""The doctor names the API tokens that somebody must replace, and never a token."""

from datetime import timedelta

import pytest

from accounts.models import ApiToken
from accounts.tokens.tests.making import make_token
from operations.doctor import Verdict, tokens
from webhooks.tests.clock import clock

pytestmark = pytest.mark.django_db


def test_tokens_that_are_good_for_long_are_well(user):
    make_token(user)

    found = tokens.api_tokens()

    assert (found.level, found.seen) == (
        Verdict.OK,
        "1 valid token; none expires within 14 days",
    )


def test_token_that_expires_soon_is_named_with_its_person(user):
    row, token = make_token(user, name="nightly\x1b[2J\nexport")
    clock.set(row.expiry - timedelta(days=13))

    found = tokens.api_tokens()

    assert found.level == Verdict.WARN
    assert found.seen.startswith("1 token to be replaced: “nightly")
    assert "” of robin expires on " in found.seen
    assert found.seen.isprintable()
    assert not [part for part in (token, row.digest, row.token_key) if part in found.seen]


def test_token_from_before_there_were_roles_is_named_at_once(user):
    make_token(user)
    ApiToken.objects.update(role="")

    assert tokens.api_tokens().seen.endswith(", from before there were roles")


def test_tokens_that_are_refused_anyway_are_left_out(user, lead):
    user.is_active = False
    user.save()
    make_token(lead)
    make_token(lead, months=3)
    ApiToken.objects.create(user=user, expiry=timedelta(days=1), name="of a closed account")
    clock.set(ApiToken.objects.of(lead).order_by("expiry").first().expiry + timedelta(days=1))

    assert tokens.api_tokens().seen.startswith("1 valid token;")


def test_ten_are_named_and_the_others_counted(user):
    for number in range(12):
        make_token(user, name=f"script {number}")
    ApiToken.objects.update(role="")

    assert tokens.api_tokens().seen.endswith("; and 2 more")
