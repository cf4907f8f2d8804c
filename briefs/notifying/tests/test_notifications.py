"""Notifications as rows: what inserts them, what they say, and how their states change."""

import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from briefs import links
from briefs.models import Brief, Notification, Priority
from briefs.models.notifications import MAX_TRIES
from briefs.notifying import messages, outbox
from briefs.notifying.tests.listener import make_notification, make_target
from briefs.pipeline import draining, profiles
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_persona,
    make_step,
    make_threshold,
)
from personas.models import AttributeName
from webhooks import waking

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(hours=1)


def claimed(**kw):
    notification = make_notification(**kw)
    return notification, notification.claim()


def tell(*briefs):
    with transaction.atomic():
        outbox.tell_of_briefs(briefs)
    return list(Notification.objects.values_list("brief", flat=True))


# Transitions


def test_pending_notification_is_claimed_once():
    notification = make_notification()

    assert notification.claim()
    assert notification.claim() is None
    assert (notification.status, notification.tries) == ("sending", 1)


@pytest.mark.parametrize("status", ["sending", "sent", "failed", "cancelled"])
def test_nothing_but_a_pending_notification_is_claimed(status):
    assert make_notification(status=status).claim() is None


def test_notification_that_is_put_off_is_not_claimed():
    later = timezone.now() + LONG_AGO

    assert make_notification(available_at=later).claim() is None


def test_claimed_notification_is_sent_under_its_token_only():
    notification, token = claimed()

    assert not notification.sent(uuid.uuid4())
    assert notification.sent(token)
    assert not notification.sent(token)
    assert notification.status == "sent"
    assert notification.finished_at


def test_failure_puts_the_notification_off_and_says_why():
    notification, token = claimed()

    assert not notification.try_again(uuid.uuid4(), "no answer")
    assert notification.try_again(token, "no answer")

    assert notification.status == "pending"
    assert notification.status_reason == "try 1: no answer"
    assert notification.available_at > timezone.now()
    assert not notification.try_again(token, "no answer")


def test_sixth_failure_is_the_last():
    notification, token = claimed(tries=MAX_TRIES - 1)

    assert notification.try_again(token, "no answer")

    assert (notification.status, notification.tries) == ("failed", 6)
    assert (notification.status_reason, notification.lease_token) == ("no answer", None)
    assert notification.finished_at


def test_test_message_is_tried_once_because_somebody_waits_for_it():
    notification, token = claimed(kind="test")

    notification.try_again(token, "no answer")

    assert notification.status == "failed"


def test_pending_notification_is_cancelled_and_a_claimed_one_is_not():
    pending, (sending, _) = make_notification(), claimed()

    assert pending.cancel("nobody needs it")
    assert not sending.cancel("nobody needs it")
    assert (pending.status, sending.status) == ("cancelled", "sending")


# Who is told of what


def test_event_that_opens_an_urgent_brief_leaves_a_notification(starter, sandbox):
    target = make_target(minimum_priority=Priority.LOW)
    payload = make_payload(data={"identifiers": {"id": "enterprise-insurance-high-1"}})
    make_event(payload)

    draining.drain()

    brief = Brief.objects.get()
    told = Notification.objects.get()
    assert (told.target, told.brief, told.status) == (target, brief, "pending")


def test_brief_that_is_rolled_back_leaves_no_notification(starter, sandbox, monkeypatch):
    make_target(minimum_priority=Priority.LOW)
    make_event(make_payload(data={"identifiers": {"id": "enterprise-insurance-high-2"}}))

    def fail(*_):
        assert Notification.objects.exists()
        raise RuntimeError

    monkeypatch.setattr("webhooks.models.events.EventQuerySet.finish_each", fail)
    draining.drain()

    assert not Brief.objects.exists()
    assert not Notification.objects.exists()


def test_target_is_told_of_briefs_of_its_priority_and_above():
    make_target(minimum_priority=Priority.HIGH)
    high, medium = make_brief(priority=Priority.HIGH), make_brief(priority=Priority.MEDIUM)

    assert tell(high, medium) == [high.pk]


@pytest.mark.parametrize("kw", [{"minimum_priority": None}, {"is_active": False}])
def test_target_without_a_priority_or_switched_off_is_told_of_no_brief(kw):
    make_target(**kw)

    assert tell(make_brief()) == []


def test_target_is_told_of_a_brief_once():
    make_target()
    brief = make_brief()

    tell(brief)

    assert tell(brief) == [brief.pk]


def test_withdrawn_brief_is_not_told():
    make_target()
    brief = make_brief()
    brief.withdraw("nothing to do")

    assert tell(brief) == []


def test_brief_that_waits_for_its_profile_is_told_once_it_is_mapped(starter, sandbox):
    make_target(minimum_priority=Priority.LOW)
    customer = make_customer(external_id="enterprise-insurance-high-3", fetched_at=None)
    brief = make_brief(customer=customer, is_waiting_for_profile=True)
    brief.signals.create(
        customer=customer,
        kind="unsubscribed",
        effect="opens_brief",
        severity=3,
        level="person",
        why="x",
        happened_at=timezone.now(),
    )
    assert tell(brief) == []

    profiles.catch_up()

    assert Notification.objects.get().brief == brief


def test_brief_that_becomes_urgent_by_a_further_signal_is_told(starter, sandbox):
    make_threshold()
    make_target(minimum_priority=Priority.URGENT)
    who = {"identifiers": {"id": "enterprise-insurance-high-4"}}
    make_event(make_payload(data=who))
    draining.drain()
    Notification.objects.all().delete()
    Brief.objects.update(priority=Priority.MEDIUM)

    make_event(make_payload(object_type="email", metric="spammed", data=who))
    draining.drain()

    assert Notification.objects.get().brief == Brief.objects.get()


def test_telling_wakes_a_sender_after_the_commit(django_capture_on_commit_callbacks, monkeypatch):
    woken = []
    monkeypatch.setattr(waking, "async_task", lambda task, **kw: woken.append(task))
    make_target()

    with django_capture_on_commit_callbacks(execute=True):
        tell(make_brief())
        assert woken == []

    assert woken == ["briefs.tasks.notify"]


# What is said


def test_message_says_all_that_is_needed_for_the_first_step():
    AttributeName.objects.create(role="plan", label="Plan", names="plan")
    AttributeName.objects.create(role="value", label="MRR", names="mrr")
    brief = make_brief(customer=make_customer(external_id="acme-7"))
    roles = {"plan": ["plan"], "value": ["mrr"]}

    make_step()

    subject, body = messages.about_brief(brief, roles)

    assert subject == f"Urgent: Unsubscribed · {brief.persona.name}"
    assert body.splitlines()[:-1] == [
        "Urgent · Unsubscribed",
        "Customer: acme-7",
        f"Persona: {brief.persona.name}",
        "Plan: enterprise · Value: 4200",
        "First step (within 8 working hours): Have the account owner call.",
    ]
    assert body.endswith(f"/briefs/{brief.pk}/")


@pytest.mark.parametrize(
    "kw",
    [
        {"external_id": "jo@example.com"},
        {"external_id": None, "cio_id": None},
        {"attributes": {"name": "jo@example.com", "plan": "jo@example.com"}},
    ],
)
def test_message_holds_no_address_of_the_customer(kw):
    customer = make_customer(**{"email": "jo@example.com", **kw})
    brief = make_brief(customer=customer)

    assert "@" not in "".join(messages.about_brief(brief, {"plan": ["plan"]}))


def test_customers_name_notifies_nobody_and_breaks_no_line():
    name = "<!channel> Jo\nAll @here"
    customer = make_customer(external_id="c-1", attributes={"name": "<!channel> Jo\nB"})

    assert messages.customer_name(customer) == "!channel Jo B (c-1)"
    customer.attributes = {"name": name}
    assert messages.customer_name(customer) == "c-1"


@pytest.mark.parametrize(
    ("hosts", "address"),
    [
        (["localhost", "desk.example.com"], "https://desk.example.com/x"),
        (["localhost", "127.0.0.1"], "http://localhost:8000/x"),
        (["*"], "/x"),
        ([".example.com"], "/x"),
    ],
)
def test_link_leads_to_the_first_public_host(settings, hosts, address):
    settings.ALLOWED_HOSTS = hosts

    assert links.absolute("/x") == address


def test_links_lead_to_the_public_address(settings, rf):
    settings.PUBLIC_URL = "https://desk.example:8443"

    assert links.absolute("/x") == "https://desk.example:8443/x"
    assert links.absolute("/x", rf.get("/")) == "https://desk.example:8443/x"
    settings.PUBLIC_URL = ""
    assert links.absolute("/x", rf.get("/")) == "http://testserver/x"


def test_notification_says_lists_and_objects_in_words():
    attributes = {"name": '{"first": "Jo", "last": "B"}', "plan": '{"name": "Pro"}',
                  "mrr": '["1,200", "EUR"]'}  # fmt: skip
    brief = make_brief(customer=make_customer(attributes=attributes, external_id="c-1"))

    _, body = messages.about_brief(brief, {"plan": ["plan"], "value": ["mrr"]})

    assert "Customer: Jo B (c-1)" in body
    assert "Plan: Pro · Value: 1,200, EUR" in body


def test_digest_counts_by_priority_and_names_the_first():
    persona = make_persona(name="Enterprise")
    briefs = [make_brief(persona=persona, priority=p) for p in (4, 4, 3)]

    subject, body = messages.about_briefs(briefs)

    assert subject == "3 new briefs in the last minutes: 2 urgent, 1 high"
    assert "First: Urgent: Unsubscribed · Enterprise" in body
    assert body.splitlines()[-1].startswith("All of them: ")
