"""In the last 14 days of a token each answer says that it expires."""

from datetime import timedelta
from email.utils import parsedate_to_datetime

import pytest

from accounts.tokens.tests.making import ask, make_token
from accounts.tokens.throttling import PerToken
from webhooks.tests.clock import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("days", "is_warned"), [(15, False), (13.9, True), (0.01, True)])
def test_answer_says_when_the_token_expires_in_its_last_14_days(client, user, days, is_warned):
    row, token = make_token(user)
    clock.set(row.expiry - timedelta(days=days))

    headers = ask(client, f"Bearer {token}").headers

    assert ("Savedesk-Token-Expires" in headers, "Link" in headers) == (is_warned, is_warned)
    if is_warned:
        assert parsedate_to_datetime(headers["Savedesk-Token-Expires"]) == row.expiry.replace(
            microsecond=0
        )
        assert headers["Link"].startswith("<http://testserver/account/tokens/>; ")


def test_refusals_say_it_too(client, user, monkeypatch):
    row, token = make_token(user)
    clock.set(row.expiry - timedelta(days=1))
    monkeypatch.setattr(PerToken, "rate", "0/min", raising=False)

    response = ask(client, f"Token {token}")

    assert response.status_code == 429
    assert "Savedesk-Token-Expires" in response.headers


def test_session_gets_no_such_header(signed_in, user):
    row, _ = make_token(user)
    clock.set(row.expiry - timedelta(days=1))
    signed_in.force_login(user)

    response = signed_in.get("/api/v1/personas/")

    assert response.status_code == 200
    assert "Savedesk-Token-Expires" not in response.headers
