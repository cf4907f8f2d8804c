"""What the pipeline does for those who work: due times, assignees, returned briefs, waking."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.utils import timezone

from briefs.models import Brief, Notification
from briefs.models.turns import assign_by_persona
from briefs.notifying import personal
from briefs.pipeline import draining
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_persona,
    make_step,
)
from conftest import make_user
from personas.models import FirstStep, Persona
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db
WHO = "enterprise-logistics-low-"


@pytest.fixture(autouse=True)
def _rules(starter, sandbox):
    pass


def unsubscribe(number=1, **kw):
    data = {"identifiers": {"id": f"{WHO}{number}"}}
    event = make_event(make_payload(data=data, **kw))
    draining.drain()
    return event


def at(**ago):
    return int((timezone.now() - timedelta(**ago)).timestamp())


def log(brief):
    return [entry.text for entry in brief.activities.all()]


def let_personas(**fields):
    Persona.objects.update(**fields)


# Due and returned ---------------------------------------------------------------------------------


@pytest.mark.begins_at("2026-11-24T10:00")
def test_new_brief_is_due_within_a_working_day():
    unsubscribe()

    brief = Brief.objects.get()
    assert brief.due_at == brief.created_at + timedelta(days=1)


@pytest.mark.begins_at("2026-11-24T10:00")
@pytest.mark.parametrize(
    ("step", "due"),
    [({"within_hours": 2}, timedelta(hours=2)), ({"is_wait": True, "within_hours": None}, None)],
)
def test_new_brief_is_due_by_its_first_step(step, due):
    FirstStep.objects.all()._raw_delete("default")
    make_step(**step)

    unsubscribe()

    brief = Brief.objects.get()
    assert brief.due_at == (due and brief.created_at + due)


@pytest.mark.begins_at("2026-11-24T10:00")
def test_nothing_is_due_where_every_channel_of_the_step_is_closed():
    FirstStep.objects.all()._raw_delete("default")
    make_step(channels=["email"])

    unsubscribe()

    assert Brief.objects.get().due_at is None


@pytest.mark.parametrize(
    ("chosen", "is_due"), [({}, False), ({"due_moved_at": timezone.now()}, True)]
)
def test_nothing_is_due_any_more_when_a_further_act_closes_the_last_channel(chosen, is_due):
    FirstStep.objects.all()._raw_delete("default")
    make_step(kind="mailbox_full", channels=["email"])
    soon = timezone.now() + timedelta(hours=3)
    customer = make_customer(external_id=f"{WHO}1")
    make_brief(customer=customer, kind="mailbox_full", due_at=soon, **chosen)

    unsubscribe()

    assert Brief.objects.get().due_at == (soon if is_due else None)


@pytest.mark.parametrize(("days", "returns"), [(59, True), (61, False)])
def test_new_act_within_sixty_days_of_a_closing_opens_a_brief_that_returned(days, returns):
    unsubscribe(timestamp=at(days=80))
    first = Brief.objects.get()
    first.close("no_response")
    Brief.objects.update(closed_at=timezone.now() - timedelta(days=days))

    unsubscribe(timestamp=at(minutes=5))

    second = Brief.objects.open().get()
    assert second.returned_from == (first if returns else None)
    words = f"returned: brief {first.pk} had ended as No response"
    assert (words in log(second)) is returns


def test_act_from_before_the_closing_that_arrives_late_is_no_return():
    unsubscribe(timestamp=at(days=3))
    Brief.objects.get().close("no_response")

    unsubscribe(timestamp=at(days=2))

    assert Brief.objects.open().get().returned_from is None


def test_brief_that_savedesk_withdrew_is_none_to_return_from():
    unsubscribe(timestamp=at(days=3))
    Brief.objects.get().withdraw("there was nothing to do")

    unsubscribe(timestamp=at(minutes=5))

    assert Brief.objects.open().get().returned_from is None


# Waking -------------------------------------------------------------------------------------------


def asleep(user):
    brief = Brief.objects.get()
    until = timezone.now() + timedelta(days=9)
    Brief.objects.update(state="snoozed", snoozed_until=until, assignee=user, due_at=until)
    return brief


def test_new_act_wakes_a_snoozed_brief_and_its_time_begins_anew(user):
    unsubscribe(timestamp=at(days=1))
    brief = asleep(user)

    unsubscribe(timestamp=at(minutes=1), metric="spammed", object_type="email")

    brief.refresh_from_db()
    assert (brief.state, brief.snoozed_until, brief.assignee) == ("in_progress", None, user)
    assert brief.due_at < timezone.now() + timedelta(days=7)
    assert "woke up: Spam complaint" in log(brief)


def test_assignee_is_told_what_woke_a_brief(user):
    personal.choose(user, "slack://aaaaaaaaa/bbbbbbbbb/cccccccccccccccccccccccc/#retention")
    unsubscribe(timestamp=at(days=1))
    asleep(user)

    unsubscribe(timestamp=at(minutes=1), metric="spammed", object_type="email")

    told = Notification.objects.get(kind=Notification.Kind.WOKEN)
    assert told.body.startswith("This brief of yours woke up: Spam complaint.")


def test_good_news_wakes_a_snoozed_brief(user):
    unsubscribe(timestamp=at(days=1))
    brief = asleep(user)

    unsubscribe(timestamp=at(minutes=1), metric="subscribed")

    assert Brief.objects.get().state == "in_progress"
    assert any(text.startswith("woke up: ") for text in log(brief))


def test_echo_of_the_same_act_wakes_nothing(user):
    moment = at(days=1)
    unsubscribe(timestamp=moment)
    brief = asleep(user)

    unsubscribe(timestamp=moment, object_type="email")

    assert Brief.objects.get().state == "snoozed"
    assert brief.signals.count() == 2


def test_event_that_is_read_anew_wakes_nothing(user):
    event = unsubscribe(timestamp=at(days=1))
    asleep(user)

    WebhookEvent.objects.get(pk=event.pk).replay()
    draining.drain()

    assert Brief.objects.get().state == "snoozed"


# Assigning ----------------------------------------------------------------------------------------


def test_persona_names_a_person(user):
    let_personas(assigns="person", assign_person=user)

    unsubscribe()

    brief = Brief.objects.get()
    assert (brief.assignee, brief.state) == (user, "new")
    assert "assigned to robin, whom the persona names" in log(brief)


def test_person_who_no_longer_works_on_briefs_gets_none(user):
    let_personas(assigns="person", assign_person=user)
    user.groups.clear()

    unsubscribe()

    brief = Brief.objects.get()
    assert brief.assignee is None
    assert "left unassigned: robin no longer works on briefs" in log(brief)


def test_members_of_a_group_get_briefs_in_turn(user, lead, django_user_model):
    group = Group.objects.create(name="Keepers")
    outside = make_user(django_user_model, "ann", "Agent")
    viewer = make_user(django_user_model, "vi", "Viewer")
    group.user_set.add(user, lead, viewer)
    let_personas(assigns="group", assign_group=group)

    for number in (1, 2, 3):
        unsubscribe(number)

    names = Brief.objects.order_by("pk").values_list("assignee__username", flat=True)
    assert list(names) == ["robin", "lee", "robin"]
    assert outside.briefs.count() == viewer.briefs.count() == 0


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("ROBIN@example.com", "robin"),
        ("robin", "robin"),
        ("nobody@x.org", None),
        ("", None),
    ],
)
def test_account_owner_named_in_an_attribute_gets_the_brief(user, owner, name):
    let_personas(assigns="owner", assign_attribute="account_owner")
    who = {"plan": "enterprise", "usage_tier": "low", "account_owner": owner}
    make_customer(external_id=f"{WHO}1", attributes=who)

    unsubscribe()

    brief = Brief.objects.get()
    assert getattr(brief.assignee, "username", None) == name
    assert log(brief)[1].startswith("assigned to robin" if name else "left unassigned: account_own")


def test_assigning_costs_no_query_for_each_brief(user, django_assert_max_num_queries):
    group = Group.objects.create(name="Keepers")
    group.user_set.add(user)
    persona = make_persona(assigns="group", assign_group=group)
    briefs = [Brief(customer=make_customer(), persona=persona) for _ in range(20)]

    with django_assert_max_num_queries(6):
        assign_by_persona(briefs)

    assert {brief.assignee for brief in briefs} == {user}
