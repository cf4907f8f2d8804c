"""Dead letters over the API."""

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.dead_letters.tests.test_letters import make_dead, make_failed, make_quarantined

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(client, user):
    return Program(client, user, Role.LEAD)


def post(program, key="", **sent):
    headers = program.header | ({"Idempotency-Key": key} if key else {})
    return program.client.post(
        "/api/v1/dead-letters/replay/", sent, content_type="application/json", headers=headers
    )


def test_list_is_read_page_by_page(program):
    make_dead()
    make_quarantined()
    make_failed()

    first = program.get("dead-letters/?page_size=2").json()
    second = program.client.get(first["next"], headers=program.header).json()

    rows = [*first["results"], *second["results"]]
    assert [row["kind"] for row in rows] == ["research", "quarantined", "event"]
    assert [row["can_be_read"] for row in rows] == [None, False, None]
    assert second["next"] is None
    group = rows[0]["group"]
    (found,) = program.get(f"dead-letters/?group={group}").json()["results"]
    assert found == rows[0]
    assert "/admin/briefs/research/" in found["url"]


def test_parameter_that_is_not_understood_is_refused(program):
    assert program.get("dead-letters/?kind=letter").json()["errors"]["kind"]
    assert program.get("dead-letters/?cursor=x").json()["errors"]["cursor"]
    assert program.get("dead-letters/?ordering=id").json()["errors"]["ordering"]


def test_replay_is_a_dry_run_unless_it_says_otherwise(program):
    event = make_dead()

    dry = post(program, ids=[f"event-{event.pk}"])
    event.refresh_from_db()

    assert dry.json() == {
        "dry_run": True, "replayed": [{"kind": "event", "number": 1}], "left": [], "beyond": 0,
        "most_credits": 0,  # there are no rules, so there are no questions
    }  # fmt: skip
    assert event.status == "dead"

    done = post(program, kinds=["event"], dry_run=False, key="once")
    event.refresh_from_db()
    assert done.json()["replayed"] == [{"kind": "event", "number": 1}]
    assert event.status == "pending"
    assert post(program, kinds=["event"], dry_run=False, key="once").json() == done.json()


@pytest.mark.parametrize(
    ("sent", "field"),
    [({}, "kinds"), ({"kinds": ["letter"]}, "kinds.0"), ({"ids": ["12"]}, "ids.0")],
)
def test_what_names_no_dead_letters_is_refused(program, sent, field):
    answer = post(program, **sent)

    assert answer.status_code == 400
    assert field in answer.json()["errors"]


def test_program_that_may_not_reprocess_is_refused(client, user):
    assert Program(client, user, Role.AGENT).get("dead-letters/").status_code == 403
