"""A program says who it is with a token; what is refused, and in which words."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from accounts.models import ApiToken, Role
from accounts.models.tokens import TokenQuerySet
from accounts.tokens.tests.making import ask, make_token
from webhooks.tests.clock import clock

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("scheme", ["Token", "token", "TOKEN", "Bearer", "bearer", "BEARER"])
def test_token_and_bearer_are_both_taken_in_any_case(client, user, scheme):
    _, token = make_token(user)

    assert ask(client, f"{scheme} {token}").status_code == 200


def test_database_holds_only_the_digest(user):
    row, token = make_token(user)

    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM accounts_apitoken")
        stored = str(cursor.fetchall())
    assert token not in stored
    assert row.digest in stored
    assert token[:16] not in stored  # no more of it than what finds it


def test_packages_own_table_of_tokens_is_not_made(db):
    assert "knox_authtoken" not in connection.introspection.table_names()


def test_wrong_token_with_the_beginning_of_a_right_one_is_refused(client, user):
    _, token = make_token(user)

    response = ask(client, f"Token {token[:-1]}{'0' if token[-1] != '0' else '1'}")

    assert response.status_code == 401
    assert response.json()["detail"].startswith("This token is not valid")
    assert response.headers["WWW-Authenticate"] == "Token, Bearer"


@pytest.mark.parametrize(
    "header",
    ["Token", "Bearer ", "Token a b", "Token \x00", "Token ab\x00cd", "Token é", "Token \xff\xfe",
     "Token €", "Bearer " + "a" * 100_000, "Token -", "Token ' OR 1=1 --", "Token %s", "\xff",
     "Token\x00a", "Tokena", "Basic cm9iaW46YQ==", "", " "],
)  # fmt: skip
def test_weird_header_is_answered_401(client, user, header):
    make_token(user)

    assert ask(client, header).status_code == 401


def test_expired_token_says_so_and_where_to_make_a_new_one_and_stays(client, user):
    row, token = make_token(user)
    clock.set(row.expiry + timedelta(seconds=1))

    for _ in range(2):
        response = ask(client, f"Token {token}")

    assert response.status_code == 401
    said = response.json()["detail"]
    assert said.startswith("This token expired on ")
    assert said.endswith("Make a new one at http://testserver/account/tokens/")
    assert ApiToken.objects.filter(pk=row.pk).exists()


def test_token_is_taken_until_it_expires(client, user):
    row, token = make_token(user)

    clock.set(row.expiry - timedelta(minutes=5))

    assert ask(client, f"Token {token}").status_code == 200


def test_token_ends_with_the_account(client, user):
    _, token = make_token(user)
    user.is_active = False
    user.save()

    response = ask(client, f"Token {token}")

    assert response.status_code == 401
    assert response.json()["detail"] == "The account of this token is closed."


def test_tokens_of_one_person_are_ended_together(client, user, lead):
    ended, other = make_token(user)[1], make_token(lead)[1]
    make_token(user)

    assert ApiToken.objects.of(user).end() == 2

    assert ask(client, f"Token {ended}").status_code == 401
    assert ask(client, f"Token {other}").status_code == 200


def test_refused_token_is_not_made_good_by_a_session(signed_in):
    assert ask(signed_in, "Token nonsense").status_code == 401


# The time of last use


@pytest.mark.begins_at("2027-01-12T10:00")
def test_last_use_is_written_once_a_minute_by_the_clock_of_the_database(client, user):
    row, token = make_token(user)
    seen = []

    for time in ("10:00:00", "10:00:30", "10:00:50", "10:01:20", "10:01:40"):
        clock.set(f"2027-01-12T{time}")
        ask(client, f"Token {token}")
        row.refresh_from_db()
        seen.append(row.last_used_at)

    assert seen[0] == seen[1] == seen[2] < seen[3] == seen[4]
    assert seen[3].isoformat() >= "2027-01-12T10:01:20"


def test_two_requests_of_one_moment_write_it_once(user):
    row, _ = make_token(user)
    tokens = ApiToken.objects.filter(pk=row.pk)

    assert [tokens.note_use(), tokens.note_use()] == [1, 0]


def test_refused_token_is_not_noted_as_used(client, user):
    row, token = make_token(user)
    clock.set(row.expiry + timedelta(days=1))

    ask(client, f"Token {token}")

    row.refresh_from_db()
    assert row.last_used_at is None


def test_request_is_answered_although_its_time_cannot_be_written(client, user, monkeypatch):
    _, token = make_token(user)

    def refuse(self):
        raise DatabaseError("locked")

    monkeypatch.setattr(TokenQuerySet, "note_use", refuse)

    assert ask(client, f"Token {token}").status_code == 200


def test_authentication_takes_one_query(user, django_assert_num_queries, rf):
    from rest_framework.request import Request

    from accounts.tokens.authentication import TokenOrBearer

    row, token = make_token(user, role=Role.VIEWER)
    ApiToken.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
    request = Request(rf.get("/", headers={"Authorization": f"Token {token}"}))

    with django_assert_num_queries(1):
        found, _ = TokenOrBearer().authenticate(request)
        assert found.is_authenticated
