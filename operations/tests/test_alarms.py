"""Alarms: what rings them, and that people are told when one begins, lasts and ends."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import Schedule

from briefs.models import Alarm, MaveHealth, Notification, ResearchPolicy
from briefs.notifying.tests.listener import make_notification, make_target
from briefs.tests.factories import make_event, make_events
from briefs.times import clock_and_day
from operations import alarms, sweeping
from webhooks.models import Answer, Tally

pytestmark = pytest.mark.django_db

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.fixture(autouse=True)
def _on_schedule(db):
    """Make the sweep due now; the time that the migration set passes while other tests run."""
    Schedule.objects.update(next_run=timezone.now())


@pytest.fixture
def target():
    return make_target(gets_alarms=True, minimum_priority=None)


def ago(by):
    return timezone.now() - by


def tally(answer, count=1, by=MINUTE):
    Tally.objects.create(
        hour=timezone.now() - by, answer=answer, count=count, last_at=timezone.now() - by
    )


def pause():
    ResearchPolicy.current().pause("credits are used up")


def resume():
    ResearchPolicy.current().resume()
    alarms.check()


def told():
    return list(Notification.objects.order_by("pk").values_list("subject", flat=True))


# Telling


def test_new_trouble_is_told_with_what_it_does_and_its_cure(target):
    pause()

    alarms.check()

    notification = Notification.objects.get()
    assert notification.target == target
    assert notification.subject == "Alarm: Research is paused"
    assert "credits are used up" in notification.body
    assert "Customer.io is not affected" in notification.body
    assert "resume it in the admin" in notification.body


def test_trouble_that_lasts_is_told_again_after_six_hours_and_not_before(target):
    pause()
    alarms.check()

    Alarm.objects.update(last_told_at=ago(6 * HOUR - MINUTE))
    alarms.check()
    assert len(told()) == 1

    Alarm.objects.update(last_told_at=ago(6 * HOUR + MINUTE))
    alarms.check()
    assert len(told()) == 2
    assert told()[1].startswith("Still: Research is paused (since ")


@pytest.mark.parametrize(
    ("reason", "status", "times"),
    [
        ("credits are used up", None, 1),
        ("end of quarter", None, 2),
        ("credits are used up", 402, 2),
    ],
)
def test_pause_is_told_at_once_when_its_reason_changes(target, reason, status, times):
    pause()
    alarms.check()
    ResearchPolicy.current().resume()
    ResearchPolicy.current().pause(reason, status)

    alarms.check()
    alarms.check()

    assert len(told()) == times


def test_end_of_trouble_is_told_once_with_its_time(target):
    pause()
    alarms.check()
    resume()
    quiet = ago(6 * MINUTE)
    Alarm.objects.filter(kind="paused").update(quiet_since=quiet)

    alarms.check()
    alarms.check()

    assert told()[1:] == [f"Over: Research is paused (over since {clock_and_day(quiet)})"]
    assert not Alarm.objects.get(kind="paused").is_open


def test_trouble_that_comes_back_within_five_minutes_is_the_same_trouble(target):
    pause()
    alarms.check()
    resume()
    Alarm.objects.filter(kind="paused").update(quiet_since=ago(4 * MINUTE))
    alarms.check()
    pause()

    alarms.check()

    alarm = Alarm.objects.get(kind="paused")
    assert (alarm.is_open, alarm.quiet_since, len(told())) == (True, None, 1)


def test_trouble_that_comes_back_later_is_told_anew(target):
    pause()
    alarms.check()
    resume()
    Alarm.objects.filter(kind="paused").update(quiet_since=ago(6 * MINUTE))
    alarms.check()
    pause()

    alarms.check()

    assert told()[2:] == ["Alarm: Research is paused"]


def test_only_targets_that_want_alarms_are_told():
    make_target(gets_alarms=False)
    make_target(gets_alarms=True, is_active=False)
    pause()

    alarms.check()

    assert told() == []
    assert Alarm.objects.get(kind="paused").last_told_at is None


def test_target_created_later_is_told_of_trouble_that_nobody_was_told_of():
    pause()
    alarms.check()
    make_target(gets_alarms=True)

    alarms.check()

    assert told() == ["Alarm: Research is paused"]


def test_sweep_checks_the_alarms_and_wakes_a_sender(starter, target, monkeypatch):
    woken = []
    monkeypatch.setattr("webhooks.waking.async_task", lambda *a, **kw: woken.append(a))
    pause()

    sweeping.sweep()

    assert told() == ["Alarm: Research is paused"]
    assert woken == [("briefs.tasks.notify",)]


def test_sweep_wakes_nobody_when_nothing_is_due(starter, monkeypatch):
    woken = []
    monkeypatch.setattr("webhooks.waking.async_task", lambda *a, **kw: woken.append(a))
    make_notification(available_at=timezone.now() + HOUR)

    alarms.sweep()

    assert woken == []


def test_alarm_that_cannot_be_checked_does_not_stop_the_sweep(monkeypatch, caplog):
    def fail():
        raise RuntimeError

    monkeypatch.setattr(alarms, "check", fail)

    alarms.sweep()

    assert "alarms were not checked" in caplog.text


# What rings


def rung():
    """The alarms that ring now, and their words."""
    alarms.check()
    return {alarm.kind: alarm.words for alarm in Alarm.objects.all() if alarm.is_open}


def test_all_is_quiet_in_a_fresh_installation():
    assert rung() == {}


@pytest.mark.parametrize("answer", [Answer.NOT_STORED, Answer.TOO_LARGE, Answer.TOO_OLD])
def test_refusal_of_a_webhook_of_customerio_rings_until_one_is_accepted(answer):
    tally(answer, by=5 * HOUR)
    assert "every later webhook back" in rung()["held_back"]

    tally(Answer.STORED)

    alarms.check()
    assert Alarm.objects.get(kind="held_back").quiet_since


@pytest.mark.parametrize(("minutes", "rings"), [(5, True), (11, False)])
def test_refusal_that_is_over_rings_for_ten_minutes(minutes, rings):
    """People can be told of an outage of the database only when it is over."""
    tally(Answer.NOT_STORED, by=minutes * MINUTE)
    tally(Answer.STORED)

    assert ("stored again" in rung().get("held_back", "")) is rings


@pytest.mark.parametrize("answer", [Answer.STORED, Answer.QUARANTINED, Answer.UNSIGNED])
def test_other_answers_hold_nothing_back(answer):
    tally(answer, 1000)

    assert rung() == {}


@pytest.mark.parametrize(("count", "rings"), [(2, False), (3, True)])
def test_wrong_signatures_among_accepted_ones_ring_from_the_third_on(count, rings):
    tally(Answer.WRONG_SIGNATURE, count, by=MINUTE)
    tally(Answer.STORED, by=MINUTE / 6)

    assert ("wrong_signature" in rung()) is rings


def test_one_wrong_signature_rings_if_nothing_was_accepted_since():
    tally(Answer.STORED, by=2 * MINUTE)
    tally(Answer.WRONG_SIGNATURE, by=MINUTE)

    assert "1 request looked like Customer.io's" in rung()["wrong_signature"]


def test_wrong_signatures_of_earlier_hours_do_not_ring_once_others_are_accepted():
    tally(Answer.WRONG_SIGNATURE, 50, by=61 * MINUTE)
    assert "wrong_signature" in rung()
    Alarm.objects.all().delete()

    tally(Answer.STORED)

    assert rung() == {}


def receive(count, gap, last):
    """Events at a steady pace, the latest one this long ago."""
    make_events(ago(last + number * gap) for number in range(count))


@pytest.mark.parametrize(
    ("count", "gap", "last", "rings"),
    [
        (60, 20 * MINUTE, 121 * MINUTE, True),
        (60, 20 * MINUTE, 110 * MINUTE, False),
        (1500, MINUTE, 11 * MINUTE, True),
        (1500, MINUTE, 9 * MINUTE, False),
        (200, timedelta(seconds=1), 3 * HOUR, False),  # one burst tells no usual gap
    ],
)
def test_silence_of_six_usual_gaps_and_ten_minutes_rings(count, gap, last, rings):
    receive(count, gap, last)

    assert ("silence" in rung()) is rings


def test_silence_does_not_ring_after_nineteen_events():
    receive(19, MINUTE, 10 * HOUR)

    assert rung() == {}


def test_silence_as_long_as_one_before_does_not_ring():
    receive(20, MINUTE, 10 * HOUR)
    receive(5, MINUTE, 21 * HOUR)

    assert rung() == {}


def test_event_delivered_again_breaks_the_silence():
    receive(20, MINUTE, 10 * HOUR)
    make_event(received_at=ago(10 * HOUR), last_received_at=ago(MINUTE), status="processed")

    assert rung() == {}


@pytest.mark.parametrize(
    ("times", "status", "rings"),
    [
        ({"received_at": 4 * MINUTE}, "pending", True),
        ({"received_at": 2 * MINUTE}, "pending", False),
        ({"received_at": 4 * MINUTE}, "processed", False),
        ({"received_at": HOUR, "available_at": -HOUR}, "pending", False),
        ({"received_at": HOUR, "available_at": MINUTE}, "pending", False),
        ({"received_at": HOUR, "available_at": 4 * MINUTE}, "pending", True),
    ],
)
def test_event_that_nobody_takes_for_three_minutes_rings(times, status, rings):
    make_event(status=status, **{field: ago(by) for field, by in times.items()})

    assert ("waiting" in rung()) is rings


@pytest.mark.parametrize(("minutes", "rings"), [(9, False), (11, True)])
def test_event_that_is_due_for_ten_minutes_rings_although_others_are_taken(minutes, rings):
    make_event(received_at=ago(minutes * MINUTE))
    make_event(status="processed", finished_at=ago(MINUTE / 2))

    assert ("waiting" in rung()) is rings


@pytest.mark.parametrize(("minutes", "rings"), [(None, False), (9, False), (11, True)])
def test_breaker_that_has_been_open_for_ten_minutes_rings(minutes, rings):
    MaveHealth.current()
    if minutes:
        MaveHealth.objects.update(
            opened_at=ago(minutes * MINUTE), breaker_reason="Mavera failed", breaker_code="500"
        )

    told = rung().get("mave_fails", "")

    assert bool(told) is rings
    assert not rings or ("Mavera answered 500" in told and "Close the breaker now" in told)


@pytest.mark.parametrize(
    ("status", "cure"), [(None, "resume it in the admin"), (401, "research resumes by itself")]
)
def test_pause_says_whether_it_ends_by_itself(status, cure):
    ResearchPolicy.current().pause("no access", status)

    assert cure in rung()["paused"]
