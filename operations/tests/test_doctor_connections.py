"""What the doctor says of the connections to the database, and of a pooler."""

import secrets

import pytest
from django.db import connection

from operations.doctor import Verdict, connections
from webhooks.tests.pooler import address, behind_pgbouncer, needs_pgbouncer


@pytest.mark.django_db
def test_used_of_allowed_connections_are_counted():
    finding = connections.connections()

    assert finding.level == Verdict.OK
    if connection.vendor == "postgresql":
        assert " of 97 allowed are used, " in finding.seen  # 100, three of them for superusers


@pytest.mark.on_postgresql
@pytest.mark.django_db
def test_when_few_are_left_it_says_what_to_do(monkeypatch):
    monkeypatch.setattr(connections, "NEAR", 0)

    finding = connections.connections()

    assert finding.level == Verdict.WARN
    assert "webhooks get 503" in finding.seen
    assert "max_connections, put PgBouncer in between, or run fewer hosts" in finding.cure


@pytest.mark.django_db
def test_without_a_pooler_time_outs_are_set_by_us():
    assert connections.time_outs().level == Verdict.OK


# Behind a pooler ---------------------------------------------------------------------------------


WORKER = {"idle_in_transaction_session_timeout": "60s"}
WEB = {"statement_timeout": "2500ms", "lock_timeout": "1s"}


@pytest.fixture
def role(transactional_db):
    """Makes a role with these limits, which ends with the test."""
    made = []

    def make(**limits):
        made.append(f"role_{secrets.token_hex(4)}")
        _run(f"CREATE ROLE {made[-1]} LOGIN")
        for name, value in limits.items():
            _run(f"ALTER ROLE {made[-1]} SET {name} = '{value}'")
        return made[-1]

    yield make
    for name in made:
        _run(f"DROP ROLE {name}")


def _run(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


@needs_pgbouncer
@pytest.mark.on_postgresql
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "paused in a transaction blocks others for ever"),
        (WORKER | WEB, "ends statements after 2.5 s, which interrupts work on a backlog"),
        (WORKER, "pages wait for a lock without an end"),
    ],
)
def test_time_out_that_the_role_lacks_is_named(role, limits, words):
    with behind_pgbouncer(user=role(**limits)):
        finding = connections.time_outs()

    assert finding.level == Verdict.WARN
    assert words in finding.seen
    assert "“PgBouncer” in docs/operations.md" in finding.cure


@needs_pgbouncer
@pytest.mark.on_postgresql
@pytest.mark.parametrize(
    ("limits", "level", "words"),
    [
        (WEB, Verdict.OK, "the roles have their time-outs"),
        ({"statement_timeout": "2500ms"}, Verdict.WARN, "longer than a request may"),
        (WEB | {"statement_timeout": "1min"}, Verdict.WARN, "longer than a request may"),
    ],
)
def test_role_of_web_servers_is_looked_at(role, settings, limits, level, words):
    settings.WEB_DATABASE_URL = address(connection, user=role(**limits))

    with behind_pgbouncer(user=role(**WORKER)):
        finding = connections.time_outs()

    assert (finding.level, words in finding.seen) == (level, True)


@needs_pgbouncer
@pytest.mark.on_postgresql
def test_web_servers_that_reach_no_database_are_a_failure(role, settings):
    settings.WEB_DATABASE_URL = "postgres://web:hidden@127.0.0.1:9/savedesk"

    with behind_pgbouncer(user=role(**WORKER)):
        finding = connections.time_outs()

    assert finding.level == Verdict.FAIL
    assert "hidden" not in finding.seen + finding.cure
