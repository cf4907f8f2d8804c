"""A brief's states and what the database itself holds to."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from briefs.models import Brief, Priority
from briefs.models.priority import Judgement
from briefs.tests.factories import make_brief, make_customer, make_research

pytestmark = pytest.mark.django_db


def last_entry(brief):
    entry = brief.activities.last()
    return (entry.text, entry.actor)


# Arrows -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["new", "in_progress", "snoozed"])
def test_open_brief_can_be_taken(user, state):
    brief = make_brief(state=state, snoozed_until=timezone.now())

    assert brief.assign(user, user)

    assert (brief.state, brief.assignee, brief.snoozed_until) == ("in_progress", user, None)
    assert last_entry(brief) == ("took it", user)


def test_brief_assigned_to_a_colleague_says_by_whom(user, django_user_model):
    colleague = django_user_model.objects.create_user("kim")
    brief = make_brief()

    brief.assign(colleague, user)

    assert last_entry(brief) == ("assigned it to kim", user)


def test_closed_brief_cannot_be_taken(user):
    brief = make_brief()
    brief.close("retained")

    assert not brief.assign(user, user)

    assert (brief.state, brief.assignee) == ("closed", None)
    assert brief.activities.count() == 1


def test_brief_that_somebody_else_closed_meanwhile_cannot_be_taken(user):
    brief = make_brief()
    Brief.objects.get().close("churned")

    assert not brief.assign(user, user)
    assert brief.state == "closed"  # and the caller's copy knows


@pytest.mark.parametrize("state", ["new", "in_progress", "snoozed"])
def test_open_brief_can_be_closed_with_an_outcome(user, state):
    brief = make_brief(state=state, is_waiting_for_profile=True, snoozed_until=timezone.now())

    assert brief.close("retained", "Liked the call.", user)

    assert (brief.state, brief.outcome, brief.closing_note) == (
        "closed",
        "retained",
        "Liked the call.",
    )
    assert brief.closed_at
    assert not brief.is_waiting_for_profile
    assert brief.snoozed_until is None
    assert last_entry(brief) == ("closed it: Retained · Liked the call.", user)


def test_closed_brief_keeps_its_first_outcome():
    brief = make_brief()
    brief.close("retained")

    assert not brief.close("churned")

    assert brief.outcome == "retained"
    assert brief.activities.count() == 1


@pytest.mark.parametrize("outcome", ["", "lost"])
def test_brief_cannot_be_closed_without_a_known_outcome(outcome):
    brief = make_brief()

    with pytest.raises(ValueError, match="not a valid"):
        brief.close(outcome)

    brief.refresh_from_db()
    assert brief.is_open


def test_withdrawn_brief_gives_the_reason():
    brief = make_brief()

    assert brief.withdraw("there was nothing to do")

    assert (brief.outcome, brief.closing_note) == ("withdrawn", "there was nothing to do")
    assert last_entry(brief) == ("closed it: Withdrawn · there was nothing to do", None)


def test_closed_brief_cannot_be_withdrawn():
    brief = make_brief()
    brief.close("retained")

    assert not brief.withdraw("too late")
    assert brief.outcome == "retained"


@pytest.mark.parametrize(
    ("joining", "left"), [(Priority.URGENT, Priority.URGENT), (Priority.LOW, Priority.HIGH)]
)
def test_further_signal_makes_a_brief_more_urgent_and_never_less(joining, left):
    brief = make_brief(priority=Priority.HIGH)

    brief.joined_by(Judgement(joining, []), brief.happened_at)

    assert brief.priority == left


def test_brief_happened_when_its_first_signal_did():
    now = timezone.now()
    brief = make_brief(happened_at=now)
    low = Judgement(Priority.LOW, [])

    brief.joined_by(low, now + timezone.timedelta(hours=1))
    assert brief.happened_at == now
    brief.joined_by(low, now - timezone.timedelta(hours=1))
    assert brief.happened_at == now - timezone.timedelta(hours=1)


def test_brief_is_untouched_until_somebody_takes_it(user):
    brief = make_brief()
    assert brief.is_untouched

    brief.assign(user, user)

    assert not brief.is_untouched


def test_research_that_arrives_upgrades_only_who_waits_for_it():
    research = make_research()
    asked = make_brief(research=research)
    sharing = make_brief(research=research, is_sharing=True)
    before = timezone.now() - timezone.timedelta(days=1)
    earlier = make_brief(research=research, basis="shared", researched_at=before)
    other = make_brief()

    Brief.objects.filter(research=research).research_arrived()

    rows = Brief.objects.in_bulk()
    assert (rows[asked.pk].basis, rows[sharing.pk].basis) == ("new", "shared")
    assert rows[asked.pk].researched_at
    assert rows[earlier.pk].researched_at == before
    assert (rows[other.pk].basis, rows[other.pk].researched_at) == ("playbook", None)


# What the database holds to -----------------------------------------------------------------------


def test_customer_has_one_open_brief_at_most():
    customer = make_customer()
    make_brief(customer=customer).close("retained")
    make_brief(customer=customer)

    with pytest.raises(IntegrityError), transaction.atomic():
        make_brief(customer=customer)

    assert Brief.objects.count() == 2


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "closed"},
        {"state": "closed", "outcome": "retained"},
        {"state": "closed", "closed_at": timezone.now()},
        {"outcome": "retained"},
        {"closed_at": timezone.now()},
    ],
)
def test_closed_brief_has_an_outcome_and_a_time_and_an_open_one_neither(fields):
    with pytest.raises(IntegrityError, match="brief_closed_with_outcome"), transaction.atomic():
        make_brief(**fields)


# Order and priority -------------------------------------------------------------------------------


def test_briefs_come_by_urgency_then_age():
    low = make_brief(priority=Priority.LOW)
    first, second = make_brief(priority=Priority.HIGH), make_brief(priority=Priority.HIGH)
    urgent = make_brief(priority=Priority.URGENT)

    assert list(Brief.objects.by_urgency()) == [urgent, first, second, low]


def test_inbox_holds_what_is_open_and_decided():
    shown = make_brief(state="snoozed")
    make_brief(is_waiting_for_profile=True)
    make_brief().close("retained")

    assert Brief.objects.in_inbox().get() == shown
    assert Brief.objects.open().count() == 2
