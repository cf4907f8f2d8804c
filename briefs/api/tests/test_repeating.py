"""A request that is sent again gets the first one's answer, and nothing is done twice."""

from concurrent.futures import ThreadPoolExecutor
from copy import copy
from unittest.mock import Mock

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import OperationalError, connection
from django.test import Client

from accounts.models import Role
from briefs.api import doing
from briefs.api.tests.acting import Program
from briefs.models import Comment, ContactLog, KeptAnswer
from briefs.tests.factories import make_brief
from conftest import make_user
from operations import sweeping
from webhooks.tests.clock import clock

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-12-01T12:00")]
KEY = "5d3f9a52-one"
PHONED = {"channel": "phone", "is_reached": False}


@pytest.fixture
def agent(django_user_model):
    return make_user(django_user_model, "kim", "Agent")


@pytest.fixture
def program(client, agent):
    return Program(client, agent)


def test_same_request_again_is_done_once_and_answered_alike(program):
    brief = make_brief()
    seen = program.see(brief)
    first = program.act(brief, "contacts", seen, KEY, **PHONED)

    again = program.act(brief, "contacts", seen, KEY, **PHONED)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Idempotent-Replayed"] == "true"
    assert ContactLog.objects.count() == 1


def test_answer_that_is_a_brief_keeps_its_etag(program):
    brief = make_brief()
    seen = program.see(brief)
    first = program.act(brief, "assign", seen, KEY, to="me")

    again = program.act(brief, "assign", seen, KEY, to="me")

    assert again.json() == first.json()
    assert again["ETag"] == first["ETag"]
    assert again["Content-Location"] == first["Content-Location"]


def test_same_key_for_something_else_is_refused(program):
    brief = make_brief()
    program.act(brief, "comments", key=KEY, text="One")

    others = [program.act(brief, "comments", key=KEY, text="Two"),
              program.act(make_brief(), "comments", key=KEY, text="One")]  # fmt: skip

    assert [(one.status_code, one.json()["code"]) for one in others] == [(422, "key_reused")] * 2
    assert Comment.objects.count() == 1


def test_refusal_is_not_kept(program):
    brief = make_brief()
    stale = program.see(brief)
    brief.log("a change")
    assert program.act(brief, "comments", stale, KEY, text="One").status_code == 412

    done = program.act(brief, "comments", key=KEY, text="One")

    assert done.status_code == 201
    assert "Idempotent-Replayed" not in done


def test_fault_of_ours_is_not_kept(program, monkeypatch):
    brief = make_brief()
    program.client.raise_request_exception = False
    with monkeypatch.context() as patched:
        patched.setattr(doing, "comment", Mock(side_effect=RuntimeError))
        failed = program.act(brief, "comments", key=KEY, text="One")

    done = program.act(brief, "comments", key=KEY, text="One")

    assert (failed.status_code, done.status_code) == (500, 201)
    assert "Idempotent-Replayed" not in done


def test_database_that_does_not_answer_in_time_is_told_and_not_kept(program, monkeypatch):
    monkeypatch.setattr(doing, "comment", Mock(side_effect=OperationalError("lock timeout")))

    told = program.act(make_brief(), "comments", key=KEY, text="One")

    assert (told.status_code, told.json()["code"], told["Retry-After"]) == (503, "busy", "1")
    assert not KeptAnswer.objects.exists()


def test_each_token_has_its_own_keys(client, program, agent):
    brief = make_brief()
    program.act(brief, "comments", key=KEY, text="One")

    Program(client, agent).act(brief, "comments", key=KEY, text="One")

    assert Comment.objects.count() == 2


def test_token_without_the_right_gets_no_kept_answer(client, program, agent):
    brief = make_brief()
    program.act(brief, "comments", key=KEY, text="One")

    refused = Program(client, agent, Role.VIEWER).act(brief, "comments", key=KEY, text="One")

    assert refused.status_code == 403


def test_whoever_may_read_less_by_now_does_not_get_the_answer_again(program):
    brief = make_brief()
    program.act(brief, "wake", seen="*", key=KEY)
    Group.objects.get(name="Agent").permissions.remove(
        Permission.objects.get(codename="view_personal_data")
    )

    refused = program.act(brief, "wake", seen="*", key=KEY)

    assert (refused.status_code, refused.json()["code"]) == (422, "key_reused")


def test_key_may_be_used_again_after_a_day(program):
    brief = make_brief()
    program.act(brief, "comments", key=KEY, text="One")
    clock.set("2026-12-02T12:30")

    assert program.act(brief, "comments", key=KEY, text="Two").status_code == 201


def test_sweep_forgets_answers_after_a_day(program):
    program.act(make_brief(), "comments", key=KEY, text="One")
    clock.set("2026-12-02T11:59")
    sweeping.sweep()
    kept = KeptAnswer.objects.count()
    clock.set("2026-12-02T12:30")

    sweeping.sweep()

    assert (kept, KeptAnswer.objects.count()) == (1, 0)


@pytest.mark.parametrize("key", ["\u00e4", "k" * 256])
def test_key_that_cannot_be_kept_is_refused(program, key):
    refused = program.act(make_brief(), "wake", key=key)

    assert refused.status_code == 400
    assert "printable ASCII" in refused.json()["detail"]


def at_one_moment(programs, brief, *keys):
    """All of them comment on what they have seen; returns how each was answered."""
    seen = programs[0].see(brief)

    def send(program, key):
        one = copy(program)  # the same token
        one.client = Client()
        try:
            return one.act(brief, "comments", seen, key, text="One").status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(programs)) as pool:
        return sorted(pool.map(send, programs, keys))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("key", ["", KEY])
def test_requests_of_one_person_at_one_moment_are_done_once(threaded_db, agent, key):
    program = Program(Client(), agent)

    statuses = at_one_moment([program] * 6, make_brief(), *[key] * 6)

    assert Comment.objects.count() == 1
    assert statuses == ([201] * 6 if key else [201, 412, 412, 412, 412, 412])
    assert KeptAnswer.objects.count() == bool(key)


@pytest.mark.django_db(transaction=True)
def test_requests_of_several_people_at_one_moment_wait_for_each_other(
    threaded_db, django_user_model
):
    people = [make_user(django_user_model, name, "Agent") for name in ("ann", "kim", "sam")]
    programs = [Program(Client(), person) for person in people]

    statuses = at_one_moment(programs, make_brief(), "a", "b", "c")

    assert statuses == [201, 412, 412]
    assert Comment.objects.count() == KeptAnswer.objects.count() == 1
