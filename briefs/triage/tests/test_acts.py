"""Assign, give back, log contact, snooze, comment, correct, reopen: asked for by whoever may."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from briefs.models import Brief, Comment, ContactLog, Offer
from briefs.tests.factories import make_brief, make_reason
from briefs.triage import (
    assigning,
    closing,
    commenting,
    contacting,
    correcting,
    reopening,
    snoozing,
)
from briefs.triage.closing import Ending
from briefs.triage.contacting import Contact
from briefs.triage.freshness import Seen, Stale
from briefs.triage.snoozing import Snooze
from conftest import make_user

pytestmark = pytest.mark.django_db
MONDAY = "2026-11-23T10:00"  # at ten, as the desk of these tests works from nine to five in UTC
PHONED = Contact("phone", is_reached=False, note="Rang out.")
ACTS = {
    "assign": lambda brief, who, seen: assigning.assign(brief, who, seen, who),
    "give back": assigning.give_back,
    "log contact": lambda brief, who, seen: contacting.log(brief, who, seen, PHONED),
    "snooze": lambda brief, who, seen: snoozing.snooze(brief, who, seen, Snooze("signal")),
    "comment": lambda brief, who, seen: commenting.comment(brief, who, seen, "Well?"),
}


def now_seen(brief):
    return str(Seen.of(Brief.objects.get(pk=brief.pk)))


def last(brief):
    entry = brief.activities.last()
    return entry.actor, entry.text


@pytest.mark.parametrize("name", ACTS)
def test_nobody_acts_without_the_permission(django_user_model, user, name):
    brief = make_brief(assignee=user)
    viewer = make_user(django_user_model, "kim", "Viewer")

    with pytest.raises(PermissionDenied):
        ACTS[name](brief, viewer, str(Seen.of(brief)))

    assert Brief.objects.get().revision == 0


@pytest.mark.parametrize("name", ACTS)
def test_nothing_is_done_that_is_based_on_an_old_page(user, lead, name):
    brief = make_brief(assignee=lead)
    seen = str(Seen.of(brief))
    brief.log("called them", lead)

    with pytest.raises(Stale):
        ACTS[name](brief, user, seen)

    assert brief.activities.count() == 1


# Assign -------------------------------------------------------------------------------------------


def test_brief_is_given_to_a_colleague(user, lead):
    brief = make_brief()

    assert assigning.assign(brief, lead, now_seen(brief), user) == "assigned"

    brief.refresh_from_db()
    assert (brief.assignee, brief.state) == (user, "in_progress")
    assert last(brief) == (lead, "assigned it to robin")


def test_nobody_gets_a_brief_who_may_not_work_on_it(user, django_user_model):
    brief = make_brief()
    viewer = make_user(django_user_model, "kim", "Viewer")

    assert assigning.assign(brief, user, now_seen(brief), viewer) == "cannot"

    assert Brief.objects.get().assignee is None


def test_brief_that_somebody_else_has_by_now_is_not_given_away(user, lead):
    brief = make_brief()
    seen = str(Seen.of(brief))
    brief.assign(lead, lead)

    assert assigning.assign(brief, user, seen, user) == "elsewhere"


def test_brief_is_given_back_by_its_assignee_and_taken_away_by_a_colleague(user, lead):
    brief, other = make_brief(assignee=user), make_brief(assignee=user)

    came = [assigning.give_back(brief, user, now_seen(brief)),
            assigning.give_back(other, lead, now_seen(other))]  # fmt: skip

    assert came == ["unassigned", "unassigned"]
    assert last(brief) == (user, "made it unassigned: gave it back")
    assert last(other) == (lead, "made it unassigned: it was robin's")


# Log contact --------------------------------------------------------------------------------------


def test_first_contact_is_the_first_touch_and_taking_is_none(user):
    brief = make_brief()
    brief.assign(user, user)
    assert brief.first_touch_at is None

    contacting.log(brief, user, now_seen(brief), PHONED)

    brief.refresh_from_db()
    touched = brief.first_touch_at
    assert touched
    contacting.log(brief, user, now_seen(brief), PHONED)
    brief.refresh_from_db()
    assert (brief.first_touch_at, ContactLog.objects.count()) == (touched, 2)
    assert last(brief) == (user, "logged contact: Phone · no answer · Rang out.")


def test_unassigned_brief_belongs_to_who_logs_contact_and_anothers_stays_theirs(user, lead):
    free, others = make_brief(), make_brief(assignee=lead)

    for brief in (free, others):
        contacting.log(brief, user, now_seen(brief), PHONED)

    assert list(Brief.objects.order_by("pk").values_list("assignee", flat=True)) == [
        user.pk, lead.pk
    ]  # fmt: skip
    assert last(free)[1].endswith("took it")


def test_second_click_on_one_form_logs_and_comments_once(user):
    brief = make_brief()
    seen = now_seen(brief)

    for _ in range(2):
        contacting.log(brief, user, seen, PHONED)
        commenting.comment(brief, user, seen, "She asked for Thursday.")

    assert (ContactLog.objects.count(), Comment.objects.count()) == (1, 1)


@pytest.mark.begins_at(MONDAY)
def test_next_date_moves_what_is_due_and_the_second_time_asks_why(user):
    brief = make_brief(due_at=timezone.now())
    thursday = Contact("phone", is_reached=False, next_date=date(2026, 11, 26))

    contacting.log(brief, user, now_seen(brief), thursday)

    brief.refresh_from_db()
    assert f"{brief.due_at:%a %d %H:%M}" == "Thu 26 17:00"
    with pytest.raises(ValidationError, match="say why"):
        contacting.log(brief, user, now_seen(brief), thursday)


@pytest.mark.begins_at(MONDAY)
def test_contact_without_a_next_date_is_what_was_due(user):
    brief = make_brief(due_at=timezone.now())

    contacting.log(brief, user, now_seen(brief), PHONED)

    assert Brief.objects.get().due_at is None


@pytest.mark.begins_at(MONDAY)
def test_next_date_cannot_be_over(user):
    brief = make_brief()
    past = Contact("phone", is_reached=True, next_date=date(2026, 11, 22))

    with pytest.raises(ValidationError, match="over"):
        contacting.log(brief, user, now_seen(brief), past)

    assert not ContactLog.objects.exists()


def test_contact_ends_a_snooze(user):
    until = timezone.now() + timedelta(days=3)
    brief = make_brief(state="snoozed", snoozed_until=until, assignee=user)

    contacting.log(brief, user, now_seen(brief), PHONED)

    brief.refresh_from_db()
    assert (brief.state, brief.snoozed_until) == ("in_progress", None)


# Snooze -------------------------------------------------------------------------------------------


@pytest.mark.begins_at(MONDAY)
@pytest.mark.parametrize(
    ("wanted", "until"),
    [
        (Snooze("tomorrow"), "2026-11-24 09:00"),
        (Snooze("monday"), "2026-11-30 09:00"),
        (Snooze("day", date(2026, 11, 28)), "2026-11-30 09:00"),  # a Saturday
        (Snooze("signal"), "2026-12-23 09:00"),
    ],
)
def test_brief_sleeps_until_work_begins_on_its_day(user, wanted, until):
    brief = make_brief(assignee=user)

    assert snoozing.snooze(brief, user, now_seen(brief), wanted) == "snoozed"

    brief.refresh_from_db()
    assert (brief.state, brief.assignee) == ("snoozed", user)
    assert f"{brief.snoozed_until:%Y-%m-%d %H:%M}" == until
    assert brief.due_at.date() == brief.snoozed_until.date()


@pytest.mark.begins_at(MONDAY)
@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Snooze("day"), "day"),
        (Snooze("day", date(2026, 11, 23)), "day"),
        (Snooze("day", date(2026, 12, 24)), "day"),
        (Snooze("soon"), "until"),
    ],
)
def test_snooze_that_cannot_be_is_refused_at_its_field(user, wanted, field):
    brief = make_brief()

    with pytest.raises(ValidationError) as refused:
        snoozing.snooze(brief, user, now_seen(brief), wanted)

    assert list(refused.value.message_dict) == [field]


def test_second_snooze_asks_why_what_is_due_is_moved_again(user):
    brief = make_brief(due_at=timezone.now())
    snoozing.snooze(brief, user, now_seen(brief), Snooze("signal"))

    with pytest.raises(ValidationError, match="say why"):
        snoozing.snooze(brief, user, now_seen(brief), Snooze("tomorrow"))

    again = Snooze("tomorrow", why_moved="they are away")
    assert snoozing.snooze(brief, user, now_seen(brief), again) == "snoozed"


def test_due_snooze_wakes_in_the_sweep_and_another_sleeps_on(user):
    past, future = timezone.now() - timedelta(hours=1), timezone.now() + timedelta(hours=1)
    mine = make_brief(state="snoozed", snoozed_until=past, assignee=user)
    free = make_brief(state="snoozed", snoozed_until=past, is_snoozed_for_signal=True)
    later = make_brief(state="snoozed", snoozed_until=future)

    assert snoozing.sweep() == 2

    states = dict(Brief.objects.values_list("pk", "state"))
    assert states == {mine.pk: "in_progress", free.pk: "new", later.pk: "snoozed"}
    assert last(free) == (None, "woke up: no further signal came")
    assert snoozing.sweep() == 0


def test_person_wakes_a_brief(user):
    brief = make_brief(state="snoozed", snoozed_until=timezone.now() + timedelta(days=3))

    assert snoozing.wake(brief, user, now_seen(brief)) == "awake"
    assert snoozing.wake(brief, user, now_seen(brief)) == "already"

    assert last(brief) == (user, "woke it up")


# Comment ------------------------------------------------------------------------------------------


def test_comment_mentions_people_by_user_name_address_and_first_name(user, lead, django_user_model):
    ann = make_user(django_user_model, "ann@example.org", "Agent")
    make_user(django_user_model, "out", "")

    found, unknown = commenting.mentions("@Robin, ask lee@x.org or @lee@example.com. @ann? @out @x")

    assert (found, unknown) == ([user, lead, ann], ["out", "x"])


def test_comment_stands_in_the_log_also_of_a_closed_brief(user, lead):
    brief = make_brief()
    brief.close("no_response")

    said = commenting.comment(brief, user, now_seen(brief), " @lee, look. ")

    assert (said.comment.text, list(said.comment.mentioned.all())) == ("@lee, look.", [lead])
    assert last(brief) == (user, "commented: @lee, look.")


def test_empty_comment_is_refused(user):
    brief = make_brief()

    with pytest.raises(ValidationError, match="Write something"):
        commenting.comment(brief, user, now_seen(brief), "  ")


# Close, correct, reopen ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ending", "missing"),
    [
        (Ending("retained"), {"reason", "offer"}),
        (Ending("churned", offer=Offer(asks="nothing")), {"reason"}),
        (Ending("no_response", offer=Offer(asks="percent")), {"offer_percent"}),
        (Ending("no_response", offer=Offer(asks="percent"), offer_percent=101), {"offer_percent"}),
        (Ending("no_response", offer=Offer(asks="words")), {"offer_words"}),
        (Ending("not_at_risk"), set()),
    ],
)
def test_closing_asks_for_reason_and_offer_where_something_is_to_be_learned(user, ending, missing):
    brief = make_brief()

    try:
        closing.close(brief, user, now_seen(brief), ending)
        faults = set()
    except ValidationError as error:
        faults = set(error.message_dict)

    assert faults == missing
    assert Brief.objects.get().is_open == bool(missing)


def test_reason_and_offer_are_kept_and_stand_in_the_log(user):
    brief = make_brief()
    ending = Ending("retained", "Liked it.", reason=make_reason("Too dear"),
                    offer=Offer.objects.get(code="discount"), offer_percent=20)  # fmt: skip

    closing.close(brief, user, now_seen(brief), ending)

    brief.refresh_from_db()
    assert Ending.of(brief) == ending
    assert last(brief)[1] == (
        "closed it: Retained · Too dear · offered: A discount, 20 % · Liked it."
    )


def test_correction_is_logged_with_before_and_after(user, lead):
    brief = make_brief()
    closing.close(brief, user, now_seen(brief), Ending("no_response", "Rang out."))
    pause = Offer.objects.get(code="pause")
    better = Ending("churned", "Left.", reason=make_reason("Too dear"), offer=pause)

    came = [correcting.correct(brief, lead, now_seen(brief), better) for _ in range(2)]

    assert came == ["corrected", "same"]
    brief.refresh_from_db()
    assert (Ending.of(brief), brief.is_open) == (better, False)
    assert last(brief) == (
        lead,
        "corrected how it ended: outcome: No response → Churned; reason: none → Too dear; "
        "offered: not said → A pause; note: “Rang out.” → “Left.”",
    )


@pytest.mark.parametrize("closed", [False, True])
def test_what_nobody_said_cannot_be_corrected(user, closed):
    brief = make_brief()
    if closed:
        brief.withdraw("there was nothing to do")

    came = correcting.correct(brief, user, now_seen(brief), Ending("no_response"))

    assert came == ("withdrawn" if closed else "open")


def test_reopened_brief_is_in_the_hands_of_who_reopened_it(user):
    brief = make_brief()
    brief.close("retained", "They stay.")

    assert reopening.reopen(brief, user, now_seen(brief), "a mis-click") == "reopened"

    brief.refresh_from_db()
    assert (brief.state, brief.assignee, brief.outcome) == ("in_progress", user, "")
    assert brief.reopened_at
    assert brief.due_at
    assert last(brief) == (user, "reopened it; it had ended as Retained · a mis-click")


def test_brief_of_a_customer_with_another_open_one_stays_closed(user):
    brief = make_brief()
    brief.close("retained")
    make_brief(customer=brief.customer)

    assert reopening.reopen(brief, user, now_seen(brief)) == "another"

    assert not Brief.objects.get(pk=brief.pk).is_open
