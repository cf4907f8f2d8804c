"""What the doctor says of the connections to the database, and of a pooler."""

import pytest
from django.db import connection

from operations.doctor import Verdict, connections
from webhooks.tests.pooler import behind_pgbouncer, needs_pgbouncer


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


@pytest.fixture
def role(transactional_db):
    """Sets what the role of the tests has; what was set is gone afterwards."""

    def give(**limits):
        with connection.cursor() as cursor:
            for name, value in limits.items():
                cursor.execute(f"ALTER ROLE CURRENT_USER SET {name} = '{value}'")

    yield give
    with connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER RESET ALL")


@pytest.fixture
def seen():
    """What it sees through a new pooler, whose connections have what the role has now."""

    def seen():
        with behind_pgbouncer():
            return connections.time_outs()

    return seen


@needs_pgbouncer
@pytest.mark.on_postgresql
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, "paused in a transaction blocks others for ever"),
        (
            {"idle_in_transaction_session_timeout": "60s", "statement_timeout": "2500ms"},
            "ends statements after 2.5 s, which interrupts work on a backlog",
        ),
        ({"idle_in_transaction_session_timeout": "60s"}, "pages wait for a lock without an end"),
    ],
)
def test_time_out_that_the_role_lacks_is_named(role, seen, limits, words):
    role(**limits)

    finding = seen()

    assert finding.level == Verdict.WARN
    assert words in finding.seen
    assert "“PgBouncer” in docs/operations.md" in finding.cure
