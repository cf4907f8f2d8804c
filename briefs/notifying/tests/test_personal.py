"""Who is told that a brief is theirs now, or that they are mentioned, and when."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from briefs.models import Brief, Notification, NotificationTarget
from briefs.models.notifications import BY_MAIL
from briefs.models.turns import assign_by_persona
from briefs.notifying import outbox, personal
from briefs.notifying.addresses import AddressRefused
from briefs.tests.factories import make_brief, make_persona
from briefs.triage import (
    assigning,
    bulk,
    bulk_acting,
    bulk_undoing,
    closing,
    commenting,
    snoozing,
    taking,
)
from briefs.triage.closing import Ending
from briefs.triage.freshness import Seen
from briefs.triage.tests.test_bulk import fails_the_second_time

pytestmark = pytest.mark.django_db
CHAT = "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ"


@pytest.fixture
def told(lead):
    """The lead wants to be told by mail."""
    lead.email = "lee@example.com"
    lead.save()
    personal.choose(lead, BY_MAIL)
    return lead


def seen(brief):
    return str(Seen.of(Brief.objects.get(pk=brief.pk)))


def subjects():
    return list(Notification.objects.order_by("pk").values_list("subject", flat=True))


def test_assignee_is_told_of_what_a_colleague_gave_them(user, told):
    brief = make_brief()

    assigning.assign(brief, user, seen(brief), told)

    message = Notification.objects.get()
    assert message.target.person == told
    assert message.body.startswith("robin assigned this brief to you.")


def test_each_assigning_is_told(user, told):
    brief = make_brief()

    assigning.assign(brief, user, seen(brief), told)
    assigning.give_back(brief, user, seen(brief))
    assigning.assign(brief, user, seen(brief), told)

    assert Notification.objects.count() == 2


def test_nobody_is_told_of_what_they_did_themselves(told):
    brief = make_brief()

    taking.take(brief, told, seen(brief))
    commenting.comment(brief, told, seen(brief), "@lee, remember.")

    assert not Notification.objects.exists()


def test_nobody_is_told_who_did_not_choose_so(user, told):
    personal.choose(told, "")
    brief = make_brief()

    assigning.assign(brief, user, seen(brief), told)

    assert not Notification.objects.exists()


def test_somebody_who_left_is_not_told(user, told):
    brief = make_brief(assignee=told)
    told.is_active = False
    told.save()

    personal.tell_assigned([brief])

    assert not Notification.objects.exists()


def test_message_that_waits_is_not_sent_to_somebody_who_left(user, told):
    brief = make_brief()
    assigning.assign(brief, user, seen(brief), told)
    type(told).objects.update(is_active=False)

    assert outbox.claim_next() is None
    assert Notification.objects.get().status_reason == "the person has left"


def test_message_on_a_brief_that_is_not_theirs_any_more_is_not_sent(user, told):
    brief = make_brief()
    assigning.assign(brief, user, seen(brief), told)
    assigning.give_back(brief, user, seen(brief))

    assert outbox.claim_next() is None


def test_whoever_is_mentioned_is_told_without_what_was_written(user, told):
    brief = make_brief()
    brief.close("churned")

    commenting.comment(brief, user, seen(brief), "@lee, ada@example.org called.")

    message = Notification.objects.get()
    assert message.subject.startswith("robin mentioned you")
    assert "ada@" not in message.body
    assert outbox.claim_next() == message  # of a closed brief as well


def test_brief_that_its_persona_assigns_is_told(told):
    persona = make_persona(assigns="person", assign_person=told)
    brief = make_brief(persona=persona)
    entries = assign_by_persona([brief])

    personal.tell_assigned([entry.brief for entry in entries])

    assert Notification.objects.get().body.startswith("This brief is yours.")


def test_bulk_act_is_told_in_one_message_when_its_minute_is_over(user, told):
    act = bulk.choose([make_brief().pk for _ in range(3)], user, "assign")

    bulk_acting.assign(act, user, told)

    assert subjects() == ["robin assigned 3 briefs to you"]
    assert outbox.claim_next() is None
    Notification.objects.update(available_at=timezone.now() - timedelta(seconds=1))
    assert outbox.claim_next() is not None


def test_bulk_act_that_is_undone_is_not_told(user, told):
    act = bulk.choose([make_brief().pk], user, "assign")
    bulk_acting.assign(act, user, told)

    bulk_undoing.undo(act, user)

    assert Notification.objects.get().status == "cancelled"


def test_what_an_undo_left_is_told(user, told):
    briefs = [make_brief() for _ in range(3)]
    act = bulk.choose([brief.pk for brief in briefs], user, "assign")
    bulk_acting.assign(act, user, told)
    Brief.objects.get(pk=briefs[0].pk).log("called", told)

    bulk_undoing.undo(act, user)

    assert subjects() == ["robin assigned 1 brief to you"]


def test_bulk_act_that_broke_off_tells_of_what_was_done(user, told, monkeypatch):
    act = bulk.choose([make_brief().pk for _ in range(3)], user, "assign")
    monkeypatch.setattr(bulk, "BATCH", 2)
    monkeypatch.setattr(bulk_acting, "note_done", fails_the_second_time(bulk_acting.note_done))

    with pytest.raises(RuntimeError):
        bulk_acting.assign(act, user, told)

    assert subjects() == ["robin assigned 2 briefs to you"]


def test_undo_that_broke_off_tells_of_what_is_still_theirs(user, told, monkeypatch):
    act = bulk.choose([make_brief().pk for _ in range(3)], user, "assign")
    bulk_acting.assign(act, user, told)
    monkeypatch.setattr(bulk, "BATCH", 2)
    monkeypatch.setattr(bulk_undoing, "_restore", fails_the_second_time(bulk_undoing._restore))

    with pytest.raises(RuntimeError):
        bulk_undoing.undo(act, user)

    assert subjects() == ["robin assigned 1 brief to you"]


def test_whoever_gets_a_brief_back_by_an_undo_is_told_of_it_after_all(user, told):
    brief = make_brief()
    assigning.assign(brief, user, seen(brief), told)
    act = bulk.choose([brief.pk], user, "assign")
    bulk_acting.assign(act, user, user)
    assert outbox.claim_next() is None

    bulk_undoing.undo(act, user)

    assert Notification.objects.get().status == "pending"


def test_second_click_on_a_comment_tells_once(user, told):
    brief = make_brief()
    page = seen(brief)

    for _ in range(2):
        commenting.comment(brief, user, page, "@lee @Lee, have a look.")

    assert Notification.objects.count() == 1


def test_many_briefs_in_a_minute_are_told_in_one_message(user, told):
    for _ in range(outbox.MOST_SINGLE + 2):
        brief = make_brief()
        assigning.assign(brief, user, seen(brief), told)

    digest = outbox.claim_next()

    assert digest.subject.startswith("7 briefs assigned to you in the last minutes")


def test_message_on_a_brief_that_is_closed_by_now_is_not_sent(user, told):
    brief = make_brief()
    assigning.assign(brief, user, seen(brief), told)
    closing.close(brief, user, seen(brief), Ending("no_response"))

    assert outbox.claim_next() is None


def test_assignee_is_told_when_a_brief_wakes_up(told):
    past = timezone.now() - timedelta(minutes=1)
    brief = make_brief(state="snoozed", snoozed_until=past, assignee=told)
    make_brief(state="snoozed", snoozed_until=past)

    snoozing.sweep()

    message = Notification.objects.get()
    assert message.body.startswith("This brief of yours woke up: its time came.")
    assert brief.get_absolute_url() in message.body


def test_many_that_wake_up_are_one_message(told):
    past = timezone.now() - timedelta(minutes=1)
    for _ in range(6):
        make_brief(state="snoozed", snoozed_until=past, assignee=told)
    snoozing.sweep()

    digest = outbox.claim_next()

    assert digest.subject.startswith("6 briefs of yours that woke up in the last minutes")


def test_mail_goes_to_the_address_of_today(user, told, settings):
    settings.EMAIL_IS_CONFIGURED = True
    told.email = "new@example.com"
    told.save()
    brief = make_brief()
    assigning.assign(brief, user, seen(brief), told)

    outbox.send(outbox.claim_next())

    assert Notification.objects.get().status == "sent"
    assert mail.outbox[0].to == ["new@example.com"]


def test_without_a_mail_server_the_message_says_why_it_was_not_sent(user, told, settings):
    settings.EMAIL_IS_CONFIGURED = False
    brief = make_brief()
    assigning.assign(brief, user, seen(brief), told)

    outbox.send(outbox.claim_next())

    assert "no mail server is set up" in Notification.objects.get().status_reason


@pytest.mark.parametrize(
    "address",
    ["jsons://example.org/", "mailtos://u:p@example.org", f"mmosts://10.0.0.5:8443/{24 * 'a'}",
     "workflows://10.0.0.5:443/workflow/signature/",
     "workflows://logic.azure.com.evil.example:443/workflow/signature/"],
)  # fmt: skip
def test_only_chats_whose_host_nobody_chooses_may_be_chosen(address):
    with pytest.raises(AddressRefused):
        personal.check_chat(address)


def test_second_choice_replaces_the_first(told):
    personal.choose(told, CHAT)

    target = NotificationTarget.objects.get()
    assert (target.scheme, target.address) == ("slack", CHAT)
