"""One act on many briefs over the API, what it leaves alone, and its undo."""

from datetime import timedelta

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.models import Brief, BulkAct, KeptAnswer
from briefs.tests.factories import make_brief
from conftest import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-12-01T12:00")]


@pytest.fixture
def program(client, user):
    return Program(client, user)


def post(program, path="", key="", **sent):
    headers = program.header | ({"Idempotency-Key": key} if key else {})
    return program.client.post(
        f"/api/v1/bulk-acts/{path}", sent, content_type="application/json", headers=headers
    )


def seen(*briefs):
    return [{"id": brief.pk, "revision": brief.revision} for brief in briefs]


def test_many_are_assigned_at_once_and_one_that_changed_is_left_and_named(program, user):
    some, other = [make_brief(), make_brief()], make_brief()
    chosen = seen(*some, other)
    Brief.objects.filter(pk=other.pk).update(revision=other.revision + 1)

    answer = post(program, act="assign", briefs=chosen, details={"to": "me"})

    assert answer.status_code == 201, answer.json()
    assert answer.json()["done"] == [brief.pk for brief in some]
    assert answer.json()["left_alone"] == [
        {"why": "changed", "words": "changed since you chose them", "briefs": [other.pk]}
    ]
    assert set(Brief.objects.filter(assignee=user)) == set(some)


def test_undo_within_the_minute_makes_them_what_they_were(program):
    brief = make_brief()
    done = post(program, act="snooze", briefs=seen(brief), details={"until": "monday"}).json()
    assert done["undo_until"]

    undone = post(program, f"{done['id']}/undo/").json()

    brief.refresh_from_db()
    assert (undone["undone"], undone["undo_until"]) == ([brief.pk], None)
    assert (brief.state, brief.snoozed_until) == (Brief.State.NEW, None)


def test_undo_after_the_minute_is_refused(program):
    brief = make_brief()
    done = post(program, act="snooze", briefs=seen(brief), details={"until": "monday"}).json()
    past = BulkAct.objects.get().done_at - timedelta(minutes=2)
    BulkAct.objects.update(done_at=past)

    answer = post(program, f"{done['id']}/undo/")

    assert (answer.status_code, answer.json()["code"]) == (409, "too_late")
    assert Brief.objects.get().is_snoozed_for_signal is False
    assert Brief.objects.get().snoozed_until


def test_same_key_again_does_nothing_twice(program):
    brief = make_brief()
    phoned = {"channel": "phone", "is_reached": False}

    first = post(program, key="one", act="contact", briefs=seen(brief), details=phoned)
    again = post(program, key="one", act="contact", briefs=seen(brief), details=phoned)

    assert first.json() == again.json()
    assert brief.contacts.count() == KeptAnswer.objects.count() == 1


@pytest.mark.parametrize(
    ("details", "field"),
    [({}, "details.outcome"), ({"outcome": "retained"}, "details.reason"),
     ({"outcome": "no_response", "offer": "gone"}, "details.offer"),
     ({"outcome": "no_response", "offer": "discount"}, "details.offer_percent"),
     ({"outcome": "no_response", "colour": 1}, "details.colour")],
)  # fmt: skip
def test_details_that_are_wrong_are_named_and_nothing_is_done(program, details, field):
    brief = make_brief()

    answer = post(program, act="close", briefs=seen(brief), details=details)

    assert answer.status_code == 400
    assert field in answer.json()["errors"]
    assert Brief.objects.get().is_open
    assert not BulkAct.objects.exists()


def test_many_are_closed_with_one_offer(program):
    some = [make_brief(), make_brief()]
    details = {"outcome": "no_response", "offer": "discount", "offer_percent": 10}

    post(program, act="close", briefs=seen(*some), details=details)

    assert [brief.offer_in_words for brief in Brief.objects.all()] == ["A discount, 10 %"] * 2


def test_brief_that_is_not_there_is_named(program):
    answer = post(program, act="assign", briefs=[{"id": 4711, "revision": 1}], details={"to": "me"})

    assert answer.json()["errors"] == {"briefs": ["There is no brief 4711."]}


@pytest.mark.parametrize(
    ("briefs", "field"),
    [([{"id": number, "revision": 1} for number in range(1, 502)], "briefs"), ([], "briefs"),
     ([{"id": 1, "revision": 1}, {"id": 0, "revision": 1}], "briefs.1.id")],
    ids=["too many", "none", "a wrong one"],
)  # fmt: skip
def test_list_that_is_wrong_is_refused_by_its_place(program, briefs, field):
    answer = post(program, act="assign", briefs=briefs, details={"to": "me"})

    assert (answer.status_code, list(answer.json()["errors"])) == (400, [field])


def test_acts_of_others_are_nobody_elses(program, client, django_user_model):
    other = Program(client, make_user(django_user_model, "ann", "Agent"))
    brief = make_brief()
    done = post(program, act="assign", briefs=seen(brief), details={"to": "me"}).json()

    assert program.get(f"bulk-acts/{done['id']}/").json() == done
    assert other.get(f"bulk-acts/{done['id']}/").status_code == 404
    assert post(other, f"{done['id']}/undo/").status_code == 404


def test_who_may_only_read_may_not_act(client, django_user_model):
    viewer = Program(client, make_user(django_user_model, "vic", "Viewer"), Role.VIEWER)

    answer = post(viewer, act="assign", briefs=seen(make_brief()), details={"to": "me"})

    assert answer.status_code == 403
