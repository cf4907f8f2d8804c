"""The undo of a bulk act, within its minute."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from accounts.people import leaving
from briefs.models import (
    Brief,
    BulkAct,
    ContactLog,
    Notification,
    NotificationTarget,
    Offer,
    Research,
)
from briefs.notifying import outbox
from briefs.research import pacing
from briefs.tests.factories import make_brief, make_reason, make_research
from briefs.triage import bulk_acting
from briefs.triage.bulk_undoing import Undoing, undo
from briefs.triage.closing import Ending
from briefs.triage.tests.test_bulk import ACTS, chosen, done, statuses
from conftest import make_user

pytestmark = pytest.mark.django_db
NOT_RESTORED = ("revision",)


def rows():
    fields = [f.attname for f in Brief._meta.fields if f.attname not in NOT_RESTORED]
    return list(Brief.objects.order_by("pk").values(*fields))


def various(user, lead):
    """Briefs in every open state, with moments down to the microsecond."""
    now = timezone.now()
    return [
        make_brief(),
        make_brief(assignee=lead, due_at=now, due_moved_at=now, state="in_progress"),
        make_brief(state="snoozed", snoozed_until=now, is_snoozed_for_signal=True, due_at=now),
        make_brief(is_waiting_for_profile=True, first_touch_at=now, assignee=user),
    ]


@pytest.mark.parametrize("kind", ["assign", "contact", "close"])
def test_each_brief_becomes_what_it_was(user, lead, kind):
    briefs = various(user, lead)
    before = rows()
    act = done(user, kind, *briefs)

    came = undo(act, user)

    assert came == Undoing.UNDONE
    assert rows() == before
    assert "undid it" in briefs[0].activities.last().text


def test_snooze_is_undone(user):
    brief = make_brief(due_at=timezone.now())
    before = rows()
    act = done(user, "snooze", brief)
    assert rows() != before

    undo(act, user)

    assert rows() == before


def test_closing_with_all_that_can_be_said_is_undone(user):
    brief = make_brief()
    before = rows()
    act = chosen(user, "close", brief)
    discount = Offer.objects.get(code="discount")
    said = Ending("churned", "Gone.", True, make_reason(), discount, 20)
    bulk_acting.close(act, user, said)

    undo(act, user)

    assert rows() == before


def test_contact_that_is_undone_was_never_made(user):
    act = done(user, "contact", make_brief())

    undo(act, user)

    assert not ContactLog.objects.exists()


@pytest.mark.parametrize("kind", ACTS)
def test_brief_that_changed_since_stays_as_it_is(user, lead, kind):
    same, changed = make_brief(), make_brief()
    act = done(user, kind, same, changed)
    changed.log("called them", lead)
    before = rows()[1]

    undo(act, user)

    assert statuses(act) == ["undone", "since"]
    assert rows()[1] == before


def test_brief_whose_customer_has_a_new_open_one_stays_closed(user):
    brief, other = make_brief(), make_brief()
    act = done(user, "close", brief, other)
    make_brief(customer=brief.customer)

    undo(act, user)

    assert statuses(act) == ["another", "undone"]
    assert not Brief.objects.get(pk=brief.pk).is_open


@pytest.mark.parametrize("kind", ["assign", "close"])
def test_brief_does_not_go_back_to_somebody_who_left(user, lead, kind):
    act = done(user, kind, make_brief(assignee=lead), make_brief())
    leaving.deactivate(lead, user)

    undo(act, user)

    assert statuses(act) == ["left", "undone"]
    assert not Brief.objects.open().filter(assignee=lead).exists()


def test_after_a_minute_nothing_is_undone(user):
    act = done(user, "close", make_brief())
    BulkAct.objects.update(done_at=timezone.now() - timedelta(seconds=61))

    assert undo(act, user) == Undoing.TOO_LATE
    assert not Brief.objects.get().is_open


def test_second_undo_does_nothing(user):
    act = done(user, "close", make_brief())
    undo(act, user)

    assert undo(act, user) == Undoing.ALREADY


def test_only_whoever_acted_takes_it_back(user, lead, django_user_model):
    act = done(user, "close", make_brief())

    assert undo(act, lead) != Undoing.UNDONE
    with pytest.raises(PermissionDenied):
        undo(act, make_user(django_user_model, "kim", "Viewer"))
    assert not Brief.objects.get().is_open


def test_research_that_closing_cancelled_is_queued_again(user, settings):
    settings.MAVERA_API_KEY = "key"
    brief = make_brief(research=make_research())
    act = done(user, "close", brief)
    assert pacing.claim_next() is None
    assert Research.objects.get().status == "cancelled"

    undo(act, user)

    assert Research.objects.get().status == "queued"
    assert pacing.claim_next() is not None


def test_fresh_answer_that_closing_cancelled_is_queued_again(user):
    renewal = make_research(status="cancelled", finished_at=timezone.now())
    act = done(user, "close", make_brief(renewal=renewal))

    undo(act, user)

    assert Research.objects.get().status == "queued"


def test_brief_joins_a_question_that_is_asked_by_another_since(user):
    cancelled = make_research(status="cancelled", finished_at=timezone.now())
    brief = make_brief(research=cancelled)
    act = done(user, "close", brief)
    other = make_research(question_hash=cancelled.question_hash, persona=cancelled.persona)

    undo(act, user)

    brief.refresh_from_db()
    assert (brief.is_open, brief.research, brief.is_sharing) == (True, other, True)


def test_message_that_closing_cancelled_is_sent_after_all(user):
    target = NotificationTarget(name="Team", minimum_priority=1)
    target.address = "json://localhost:9/"
    target.save()
    brief = make_brief()
    outbox.tell_of_briefs([brief])
    act = done(user, "close", brief)
    assert outbox.claim_next() is None

    undo(act, user)

    assert Notification.objects.get().status == "pending"
