"""What is in the list of dead letters, and what becomes of those that are replayed."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from briefs.dead_letters import letters, listing, replaying
from briefs.dead_letters.letters import Choice, Kind
from briefs.models import Notification, NotificationTarget, ReprocessingJob
from briefs.tests.factories import make_brief, make_event, make_payload, make_research
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def ago(hours):
    return NOW - timedelta(hours=hours)


def make_dead(words="failed 5 times, last with KeyError", **kw):
    fields = {"status": "dead", "status_reason": words, "tries": 5, "finished_at": ago(5), **kw}
    return make_event(**fields)


def make_quarantined(body=b"{", **kw):
    fields = {"status": "quarantined", "status_reason": "it is not JSON", **kw}
    return make_event(body=body, body_size=len(body), last_received_at=ago(4), **fields)


def make_failed(**kw):
    fields = {"status": "failed", "status_reason": "it asked back", "tries": 1,
              "reason_code": "asked_back", "finished_at": ago(3)}  # fmt: skip
    return make_research(**{**fields, **kw})


def make_given_up():
    target = NotificationTarget.objects.create(name="Desk", scheme="json", sealed_address="x")
    return Notification.objects.create(
        target=target, kind="alarm", dedupe_key="1", subject="Ann", status="failed",
        status_reason="no answer within 10 s", tries=6, finished_at=ago(2),
    )  # fmt: skip


def make_stopped(**kw):
    fields = {"kind": "events", "state": "failed", "reason": "after 7: KeyError", "tries": 5,
              "selectors": {"status": ["dead"]}, "ended_at": ago(1)}  # fmt: skip
    return ReprocessingJob.objects.create(**{**fields, **kw})


@pytest.fixture
def one_of_each():
    return [make_dead(), make_quarantined(), make_failed(), make_given_up(), make_stopped()]


def names(choice=None, size=50, behind=None):
    found, _ = listing.page(choice or Choice(), size, behind)
    return [letter.name for letter in found]


def kinds(found):
    return [name.partition("-")[0] for name in found]


# The list -----------------------------------------------------------------------------------------


@pytest.mark.usefixtures("one_of_each")
def test_every_kind_is_in_one_list_the_latest_first_and_names_nobody():
    found, places = listing.page(Choice(), 50)

    assert [one.kind.value for one in found] == [
        "job", "notification", "research", "quarantined", "event"
    ]  # fmt: skip
    assert places is None
    told = {one.kind: (one.reason, one.code, one.tries, one.last_at) for one in found}
    assert told[Kind.EVENT] == ("failed 5 times, last with KeyError", "", 5, ago(5))
    assert told[Kind.RESEARCH] == ("it asked back", "asked_back", 1, ago(3))
    assert "Ann" not in "".join(one.about for one in found)


@pytest.mark.usefixtures("one_of_each")
def test_pages_follow_each_other_while_letters_of_before_are_replayed():
    first, places = listing.page(Choice(), 2)
    replaying.replay_letters(Choice(names=tuple(one.name for one in first)), None)

    places = json.loads(json.dumps(places, default=str))  # as a cursor keeps them
    second, places = listing.page(Choice(), 2, places)
    third, end = listing.page(Choice(), 2, json.loads(json.dumps(places, default=str)))

    assert kinds(one.name for one in (*first, *second, *third)) == [
        "job", "notification", "research", "quarantined", "event"
    ]  # fmt: skip
    assert end is None


def test_three_hundred_of_one_reason_are_one_group():
    WebhookEvent.objects.bulk_create(
        WebhookEvent(
            event_id=str(number), body=b"{}", body_size=2, is_verified=True, status="dead",
            status_reason="failed 5 times", finished_at=ago(number),
        )
        for number in range(300)
    )  # fmt: skip
    make_dead("another", finished_at=ago(-1))

    other, many = Choice().groups()

    assert (other.reason, other.number) == ("another", 1)
    assert (many.reason, many.number, many.last_at) == ("failed 5 times", 300, ago(0))
    assert Choice(group=many.key).count() == 300


def test_selectors_narrow_each_other_down(one_of_each):
    dead, _, failed, *_ = one_of_each
    make_dead("another")

    assert names(Choice(words="keyerror", kinds=(Kind.EVENT,))) == [f"event-{dead.pk}"]
    assert names(Choice(words="asked_back")) == [f"research-{failed.pk}"]
    about = make_dead("no rule knows “Ärzte”")
    assert names(Choice(words="ärzte")) == [f"event-{about.pk}"]
    assert names(Choice(names=(f"event-{dead.pk}", "event-9999", "nonsense"))) == [
        f"event-{dead.pk}"
    ]


def test_quarantined_says_whether_it_can_be_read_now_and_a_signed_test_is_none():
    readable = make_quarantined(json.dumps(make_payload()).encode())
    unreadable = make_quarantined()
    make_quarantined(reason_code="signed_test")

    found, _ = listing.page(Choice(), 50)

    assert {one.key: one.standing for one in found} == {
        readable.pk: "can be read now", unreadable.pk: "cannot be read",
    }  # fmt: skip
    assert letters.tests().count() == 1


# Replays ------------------------------------------------------------------------------------------


def test_what_was_replayed_leaves_the_list_and_a_second_time_does_no_harm(one_of_each):
    replayed = replaying.replay_letters(Choice(), None)

    assert dict(+replayed.done) == {
        Kind.EVENT: 1, Kind.RESEARCH: 1, Kind.MESSAGE: 1, Kind.JOB: 1
    }  # fmt: skip
    assert kinds(names()) == ["quarantined"]  # its body is still no JSON
    for row in one_of_each:
        row.refresh_from_db()
    dead, _, failed, message, job = one_of_each
    assert (dead.status, failed.status, message.status, job.state) == (
        "pending", "queued", "pending", "queued"
    )  # fmt: skip
    assert message.claim() is not None

    again = replaying.replay_letters(Choice(), None)

    assert again.number == 0
    assert sum(again.left.values()) == 1


def test_look_before_changes_nothing_and_says_what_it_costs_at_most():
    make_brief(research=make_failed())
    make_failed()  # nobody waits for it: it costs nothing
    make_quarantined()
    before = names()

    seen = replaying.look(Choice(), None)

    assert seen.would == [(2, "Research", replaying._WOULD[Kind.RESEARCH])]
    assert sum(seen.left.values()) == 1
    assert seen.most_credits == 75
    assert names() == before


@pytest.mark.usefixtures("starter")
def test_each_event_may_open_one_question_and_so_may_what_is_left_of_a_job():
    make_dead()
    make_dead()
    assert replaying.look(Choice(), None).most_credits == 150

    make_stopped(total=10, done=4)
    make_stopped(total=10, is_dry_run=True)

    assert replaying.look(Choice(), None).most_credits == 150 + 6 * 75


def test_question_that_is_under_way_already_is_left():
    failed = make_failed()
    make_research(question_hash=failed.question_hash)

    outcome = replaying.replay_letters(Choice(), None)

    assert outcome.words == "0 replayed, 1 left: 1 × its question is under way already."


def test_one_request_takes_the_oldest_and_says_how_many_are_left():
    oldest = make_dead()
    make_dead()

    outcome = replaying.replay_letters(Choice(), None, limit=1)

    assert (outcome.number, outcome.beyond) == (1, 1)
    oldest.refresh_from_db()
    assert oldest.status == "pending"


def test_whoever_may_not_reprocess_or_buy_is_refused(user):
    make_dead()
    make_failed()
    with pytest.raises(PermissionDenied, match="change_webhookevent"):
        replaying.replay_letters(Choice(), user)

    user.groups.clear()
    user.user_permissions.add(Permission.objects.get(codename="change_webhookevent"))
    user = type(user).objects.get(pk=user.pk)

    with pytest.raises(PermissionDenied, match="buy_research"):
        replaying.replay_letters(Choice(), user)
    assert replaying.replay_letters(Choice(kinds=(Kind.EVENT,)), user).number == 1
