"""Incidents over the API: read, owned, noted, closed and reopened."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.finding.tests.test_folds import make_folded, worth
from briefs.models import Brief
from briefs.tests.factories import make_cause
from conftest import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def incident():
    cause = make_cause(incident_at=timezone.now())
    make_folded(cause, 6)
    return cause


@pytest.fixture
def program(client, user):
    return Program(client, user)


def get(program, path="", **query):
    return program.client.get(f"/api/v1/incidents/{path}", query, headers=program.header)


def post(program, incident, act, key="", **sent):
    headers = program.header | ({"Idempotency-Key": key} if key else {})
    return program.client.post(
        f"/api/v1/incidents/{incident.pk}/{act}/",
        sent, content_type="application/json", headers=headers,
    )  # fmt: skip


def test_list_tells_how_far_it_reaches_and_what_it_is_worth(program, incident):
    make_cause(message="newsletter:6")  # no incident
    worth(Brief.objects.first(), 900, company="Acme", value_level="company")
    worth(Brief.objects.last(), 900, company="ACME", value_level="company")

    [shown] = get(program).json()["results"]

    assert (shown["name"], shown["state"]) == ("Spring sale", "open")
    assert (shown["briefs"], shown["open_briefs"]) == (6, 6)
    assert shown["value"] == [{"currency": "USD", "month": "900.00"}]


def test_one_is_shown_with_its_log_and_first_step(program, incident, user):
    incident.log("noted: stopped", user)

    shown = get(program, f"{incident.pk}/").json()

    assert shown["first_step"].startswith("Look at the message")
    assert [(entry["actor"], entry["text"]) for entry in shown["log"]] == [
        ("lee", "noted: stopped")
    ]


def test_lists_are_of_open_or_of_closed_ones(program, incident):
    ended = make_cause(message="newsletter:6", incident_at=timezone.now(),
                       ended_at=timezone.now() + timedelta(seconds=1))  # fmt: skip

    def keys(state):
        return [one["id"] for one in get(program, state=state).json()["results"]]

    assert (keys("open"), keys("closed")) == ([incident.pk], [ended.pk])
    assert get(program, state="x").status_code == 400


def test_briefs_of_an_incident_are_a_filter_of_briefs(program, incident):
    answer = program.client.get(
        "/api/v1/briefs/", {"cause": incident.pk}, headers=program.header
    ).json()

    assert len(answer["results"]) == 6
    assert {one["cause"] for one in answer["results"]} == {incident.pk}


def test_it_is_owned_noted_closed_and_reopened(program, incident, user):
    assert post(program, incident, "assign", to="me").json()["assignee"] == "lee"
    assert post(program, incident, "note", text="Looked at it.").status_code == 200

    closed = post(program, incident, "close", text="Stopped it.").json()
    assert (closed["state"], closed["closing_note"]) == ("closed", "Stopped it.")
    assert Brief.objects.open().count() == 6

    assert post(program, incident, "reopen").json()["state"] == "open"
    assert post(program, incident, "assign", to=None).json()["assignee"] is None


@pytest.mark.parametrize(
    ("act", "sent", "field"),
    [
        ("assign", {"to": "nobody-of-this-name"}, "to"),
        ("note", {"text": ""}, "text"),
        ("close", {}, "text"),
        ("close", {"text": "x", "more": 1}, "more"),
    ],
)
def test_what_is_wrong_is_named(program, incident, act, sent, field):
    answer = post(program, incident, act, **sent)

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_closed_one_is_given_to_nobody(program, incident):
    post(program, incident, "close", text="Stopped it.")

    answer = post(program, incident, "assign", to="me")

    assert (answer.status_code, answer.json()["code"]) == (409, "closed")


def test_closed_one_is_closed_again_by_the_same_words_alone(program, incident):
    post(program, incident, "close", text="Stopped it.")
    again = post(program, incident, "close", text="Stopped it.")

    answer = post(program, incident, "close", text="Sent twice.")

    assert again.status_code == 200
    assert (answer.status_code, answer.json()["code"]) == (409, "closed")
    assert incident.entries.count() == 1


def test_same_key_notes_once(program, incident):
    for _ in range(2):
        answer = post(program, incident, "note", key="once", text="Looked at it.")

    assert answer.headers["Idempotent-Replayed"] == "true"
    assert incident.entries.count() == 1


def test_reader_may_read_and_no_more(client, django_user_model, incident):
    reader = Program(client, make_user(django_user_model, "vera", "Viewer"), Role.VIEWER)

    assert get(reader, f"{incident.pk}/").status_code == 200
    assert post(reader, incident, "note", text="x").status_code == 403


def test_queries_do_not_grow_with_the_list(program, incident, django_assert_max_num_queries):
    with django_assert_max_num_queries(30) as few:
        get(program)
    for number in range(6, 12):
        make_folded(make_cause(message=f"newsletter:{number}", incident_at=timezone.now()), 2)

    with django_assert_max_num_queries(len(few)):
        assert len(get(program).json()["results"]) == 7
