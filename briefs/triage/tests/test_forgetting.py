"""Briefs that nobody works on go back to the team, and the lead gets one list a day."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Activity, Brief, Notification, NotificationTarget
from briefs.notifying import personal
from briefs.tests.factories import make_brief
from briefs.triage import forgetting, snoozing

MONDAY = pytest.mark.begins_at("2026-11-23T10:00")  # the desk works from nine to five, UTC
pytestmark = [pytest.mark.django_db, MONDAY]


def ago(**length):
    return timezone.now() - timedelta(**length)


def last(brief):
    return brief.activities.last().text


def test_brief_without_contact_by_its_due_time_is_unassigned_with_its_history(user):
    brief = make_brief(due_at=ago(minutes=1))
    brief.assign(user, user)

    assert forgetting.sweep() == 1

    brief.refresh_from_db()
    assert (brief.assignee, brief.state, brief.forgotten_at is None) == (None, "new", False)
    assert last(brief) == ("made it unassigned: no contact by 09:59 UTC on 23 Nov; it was robin's")
    assert brief.activities.last().code == Activity.Code.FORGOTTEN


def test_who_acts_while_the_sweep_looks_keeps_the_brief(user, monkeypatch):
    brief = make_brief(due_at=ago(minutes=1), assignee=user)
    look = forgetting._some

    def looks_and_then_somebody_acts(briefs):
        found = look(briefs)
        Brief.objects.filter(pk=brief.pk).update(first_touch_at=timezone.now(), due_at=None)
        return found

    monkeypatch.setattr(forgetting, "_some", looks_and_then_somebody_acts)

    assert forgetting.sweep() == 0

    brief.refresh_from_db()
    assert (brief.assignee, brief.forgotten_at) == (user, None)


def test_who_takes_a_forgotten_brief_keeps_it(user):
    brief = make_brief(due_at=ago(minutes=1))
    forgetting.sweep()
    brief.assign(user, user)

    assert forgetting.sweep() == 0

    assert Brief.objects.get().assignee == user


@pytest.mark.parametrize(
    "fields",
    [
        {"due_at": None},
        {"first_touch_at": timezone.now()},
        {"state": "snoozed"},
        {"is_waiting_for_profile": True},
    ],
)
def test_brief_that_is_not_due_or_was_touched_is_not_forgotten(user, fields):
    make_brief(**{"due_at": ago(minutes=1), "assignee": user, **fields})

    assert forgetting.sweep() == 0


@pytest.mark.parametrize(("days", "forgotten"), [(6, 0), (8, 1)])  # seven are five working ones
def test_brief_with_which_nobody_did_anything_for_five_working_days_is_forgotten(
    user, days, forgotten
):
    brief = make_brief(assignee=user, state="in_progress", created_at=ago(days=30))
    brief.log("called them", user)
    Activity.objects.update(at=ago(days=days))

    assert forgetting.sweep() == forgotten

    assert ("nothing was done for 5 working days" in last(brief)) == bool(forgotten)


def test_brief_that_just_woke_up_is_not_forgotten(user):
    make_brief(assignee=user, state="snoozed", created_at=ago(days=30), snoozed_until=ago(hours=1))
    snoozing.sweep()

    assert forgetting.sweep() == 0


def test_target_gets_one_list_a_day_however_many_hosts_sweep(user):
    target = NotificationTarget(name="Lead", gets_forgotten=True)
    target.address = "json://127.0.0.1:9/lead"
    target.save()
    NotificationTarget.objects.create(name="Others", sealed_address=target.sealed_address)
    brief = make_brief(forgotten_at=ago(hours=20))
    make_brief(forgotten_at=ago(days=9))
    make_brief(forgotten_at=ago(hours=20), assignee=user)  # taken since
    make_brief(forgotten_at=ago(hours=20)).close("no_response")

    for _ in range(2):
        forgetting.sweep()

    told = Notification.objects.get()
    assert (told.target, told.subject) == (target, "1 brief was forgotten")
    assert brief.get_absolute_url() in told.body


def test_without_a_target_for_it_the_leads_are_told_in_person(user, lead):
    for person in (user, lead):
        personal.choose(person, "slack://aaaaaaaaa/bbbbbbbbb/cccccccccccccccccccccccc/#retention")
    make_brief(forgotten_at=ago(hours=20))

    forgetting.sweep()

    assert [told.target.person for told in Notification.objects.all()] == [lead]


@pytest.mark.begins_at("2026-11-22T10:00")  # a Sunday
def test_list_waits_for_the_next_working_day():
    NotificationTarget.objects.create(name="Lead", gets_forgotten=True)
    make_brief(forgotten_at=ago(hours=20))

    forgetting.sweep()

    assert not Notification.objects.exists()
