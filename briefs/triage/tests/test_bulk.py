"""Many briefs at once: chosen, assigned, snoozed, logged, closed."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from briefs.models import Brief, BulkAct, ContactLog, Offer
from briefs.models.bulk import BulkPart
from briefs.tests.factories import make_brief, make_persona, make_reason, make_step
from briefs.triage import bulk, bulk_acting, bulk_undoing
from briefs.triage.closing import Ending
from briefs.triage.contacting import Contact
from briefs.triage.snoozing import Snooze
from conftest import make_user

pytestmark = pytest.mark.django_db
PHONED = Contact("phone", is_reached=False, note="Rang out.")
ACTS = {
    "assign": lambda act, who: bulk_acting.assign(act, who, who),
    "snooze": lambda act, who: bulk_acting.snooze(act, who, Snooze("signal")),
    "contact": lambda act, who: bulk_acting.log(act, who, PHONED),
    "close": lambda act, who: bulk_acting.close(act, who, Ending("no_response", "Silent.")),
}


def chosen(actor, kind, *briefs):
    return bulk.choose([brief.pk for brief in briefs], actor, kind)


def done(actor, kind, *briefs):
    act = chosen(actor, kind, *briefs)
    ACTS[kind](act, actor)
    return act


def statuses(act):
    return list(act.parts.order_by("brief").values_list("status", flat=True))


def fails_the_second_time(do):
    calls = []

    def fails(*args):
        calls.append(args)
        if len(calls) == 2:
            raise RuntimeError("broke off")
        do(*args)

    return fails


@pytest.mark.parametrize("kind", ACTS)
def test_nothing_is_done_without_the_permission(django_user_model, user, kind):
    viewer = make_user(django_user_model, "kim", "Viewer")
    brief = make_brief()
    act = chosen(user, kind, brief)
    BulkAct.objects.update(actor=viewer)
    act.refresh_from_db()

    with pytest.raises(PermissionDenied):
        bulk.choose([brief.pk], viewer, kind)
    with pytest.raises((PermissionDenied, ValidationError)):
        ACTS[kind](act, viewer)
    assert Brief.objects.get().revision == 0


def test_choosing_changes_nothing_and_leaves_out_what_is_closed(user):
    brief, over = make_brief(), make_brief()
    over.close("churned")

    act = chosen(user, "close", brief, over, brief)

    assert statuses(act) == ["chosen", "closed"]
    assert Brief.objects.get(pk=brief.pk).revision == 0


def test_one_act_takes_no_more_than_it_can_and_says_how_many_are_left_over(user, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    keys = [make_brief().pk for _ in range(3)]

    assert bulk.choose(keys, user, "close").left_over == 1
    assert bulk.choose(keys[:2], user, "close", matching=7).left_over == 5


@pytest.mark.parametrize("kind", ACTS)
def test_each_brief_has_the_act_in_its_log_with_the_person(user, kind, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 2)
    briefs = [make_brief() for _ in range(3)]

    act = done(user, kind, *briefs)

    assert statuses(act) == ["done"] * 3
    for brief in briefs:
        entry = brief.activities.get()
        assert "together with 2 other briefs" in entry.text
        assert entry.actor == user


def test_briefs_are_assigned_to_a_colleague(user, lead):
    nobodys, theirs = make_brief(), make_brief(assignee=lead)
    act = chosen(user, "assign", nobodys, theirs)

    bulk_acting.assign(act, user, lead)

    assert statuses(act) == ["done", "same"]
    assert Brief.objects.get(pk=nobodys.pk).assignee == lead


def test_log_counts_only_the_others_that_were_assigned_as_well(user, lead):
    act = chosen(user, "assign", make_brief(), make_brief(assignee=lead))

    bulk_acting.assign(act, user, lead)

    assert Brief.objects.first().activities.get().text == "assigned it to lee"


def test_nothing_is_assigned_to_somebody_who_does_not_work_on_briefs(user, django_user_model):
    act = chosen(user, "assign", make_brief())

    with pytest.raises(ValidationError):
        bulk_acting.assign(act, user, make_user(django_user_model, "kim", "Viewer"))
    assert act.begun_at is None


def test_brief_that_changed_since_it_was_chosen_is_left_out(user, lead):
    brief, changed = make_brief(), make_brief()
    act = chosen(user, "snooze", brief, changed)
    changed.log("called them", lead)

    ACTS["snooze"](act, user)

    assert statuses(act) == ["done", "changed"]
    assert Brief.objects.get(pk=changed.pk).state == "new"


def test_second_click_does_nothing(user):
    brief = make_brief()
    act = done(user, "contact", brief)

    assert not ACTS["contact"](act, user)
    assert ContactLog.objects.count() == 1


def test_act_of_somebody_else_is_not_done(user, lead):
    act = chosen(user, "close", make_brief())

    assert not ACTS["close"](act, lead)
    assert Brief.objects.get().is_open


def test_logged_contact_is_the_first_touch_and_takes_what_is_nobodys(user, lead):
    nobodys, theirs = make_brief(), make_brief(assignee=lead)

    done(user, "contact", nobodys, theirs)

    assert list(Brief.objects.order_by("pk").values_list("assignee", flat=True)) == [
        user.pk,
        lead.pk,
    ]
    assert not Brief.objects.filter(first_touch_at=None).exists()
    assert "took it" in nobodys.activities.get().text
    assert "took it" not in theirs.activities.get().text


def test_snooze_asks_why_if_one_of_them_was_moved_before(user):
    now = timezone.now()
    act = chosen(user, "snooze", make_brief(), make_brief(due_at=now, due_moved_at=now))

    with pytest.raises(ValidationError) as refused:
        bulk_acting.snooze(act, user, Snooze("signal"))

    assert list(refused.value.message_dict) == ["why_moved"]
    assert bulk_acting.snooze(act, user, Snooze("signal", why_moved="They are away."))


def test_closing_as_churned_asks_for_reason_and_offer(user):
    act = chosen(user, "close", make_brief())

    with pytest.raises(ValidationError):
        bulk_acting.close(act, user, Ending("churned"))
    nothing = Offer.objects.get(code="nothing")
    assert bulk_acting.close(act, user, Ending("churned", reason=make_reason(), offer=nothing))


def test_closed_brief_keeps_the_first_step_that_it_said(user):
    persona = make_persona()
    make_step(kind="unsubscribed", text="Call them.")
    make_step(kind="bounced", text="Find the address.")
    make_brief(persona=persona)
    make_brief(persona=persona, kind="bounced")

    done(user, "close", *Brief.objects.all())

    kept = Brief.objects.order_by("pk").values_list("step_at_closing__text", flat=True)
    assert list(kept) == ["Call them.", "Find the address."]


def test_closing_many_takes_as_many_queries_as_closing_few(user, django_assert_max_num_queries):
    persona = make_persona()
    act = chosen(user, "close", *(make_brief(persona=persona) for _ in range(30)))

    with django_assert_max_num_queries(35):
        ACTS["close"](act, user)

    assert Brief.objects.filter(state="closed").count() == 30


def test_act_that_broke_off_is_ended_by_the_sweep(user):
    act = chosen(user, "close", make_brief())
    act.begin()
    BulkAct.objects.update(begun_at=timezone.now() - timedelta(minutes=11))

    bulk_undoing.forget()

    act.refresh_from_db()
    assert act.done_at == act.begun_at


def test_act_that_fails_in_the_middle_can_be_undone(user, monkeypatch):
    monkeypatch.setattr(bulk, "BATCH", 1)
    act = chosen(user, "close", make_brief(), make_brief())
    monkeypatch.setattr(bulk_acting, "note_done", fails_the_second_time(bulk_acting.note_done))

    with pytest.raises(RuntimeError):
        ACTS["close"](act, user)

    assert statuses(act) == ["done", "chosen"]
    assert bulk_undoing.undo(act, user) == bulk_undoing.Undoing.UNDONE


def test_undo_that_fails_in_the_middle_goes_on_when_it_is_asked_for_again(user, monkeypatch):
    act = done(user, "close", make_brief(), make_brief())
    monkeypatch.setattr(bulk, "BATCH", 1)
    with monkeypatch.context() as broken:
        broken.setattr(bulk_undoing, "_restore", fails_the_second_time(bulk_undoing._restore))
        with pytest.raises(RuntimeError):
            bulk_undoing.undo(act, user)
    assert statuses(act) == ["undone", "done"]

    came = bulk_undoing.undo(act, user)

    assert (came, statuses(act)) == (bulk_undoing.Undoing.UNDONE, ["undone", "undone"])


def test_acts_are_forgotten_after_a_day(user):
    act = done(user, "close", make_brief())
    BulkAct.objects.update(created_at=timezone.now() - timedelta(hours=25))
    chosen(user, "close", make_brief())

    bulk_undoing.forget()

    assert not BulkAct.objects.filter(pk=act.pk).exists()
    assert BulkPart.objects.count() == 1
