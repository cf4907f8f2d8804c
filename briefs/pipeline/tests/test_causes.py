"""Briefs of one message and kind within a day share a cause; too many of them are an incident."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief, Cause, Notification, NotificationTarget
from briefs.models.causes import most_usual
from briefs.notifying import outbox
from briefs.pipeline import causing, draining
from briefs.tests.factories import make_brief, make_event, make_payload
from webhooks.models import WebhookEvent
from webhooks.tests.threads import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter", "sandbox")]

NEWSLETTER = {"newsletter_id": 5, "newsletter_name": "Spring sale", "subject": "Spring is here"}


@pytest.fixture(autouse=True)
def customers(sandbox):
    profile = {"plan": "enterprise", "industry": "insurance", "usage_tier": "high"}
    for number in range(40):
        sandbox.people.add(
            f"p{number}", email=f"p{number}@company-{number}.example", attributes=profile
        )


@pytest.fixture
def target():
    target = NotificationTarget(name="Team", minimum_priority=1)
    target.address = "json://localhost:9/"
    target.save()
    return target


def unsubscribe(person, ago=60, message=NEWSLETTER, object_type="email", **kw):
    data = {"identifiers": {"id": f"p{person}"}, **message}
    if object_type == "email":
        data["recipient"] = f"p{person}@company-{person}.example"
    payload = make_payload(object_type=object_type, metric="unsubscribed", data=data)
    return make_event(payload, occurred_at=timezone.now() - timedelta(seconds=ago), **kw)


def unsubscribe_all(people, **kw):
    for person in people:
        unsubscribe(person, **kw)
    draining.drain()


def test_briefs_of_one_message_share_a_cause():
    unsubscribe_all(range(3))

    cause = Cause.objects.get()
    assert (cause.message, cause.kind, cause.name) == (
        "newsletter:5",
        "unsubscribed",
        "Spring sale",
    )
    assert set(Brief.objects.values_list("cause", flat=True)) == {cause.pk}
    assert not cause.is_incident


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"newsletter_id": 5}, {"newsletter_id": 6}),
        ({"campaign_id": 7, "action_id": 1}, {"campaign_id": 7, "action_id": 2}),
        ({"campaign_id": 7, "action_id": 1}, {"broadcast_id": 7, "action_id": 1}),
    ],
)
def test_other_messages_have_other_causes(one, other):
    unsubscribe(1, message=one)
    unsubscribe_all([2], message=other)

    assert Cause.objects.count() == 2


def test_brief_without_a_message_has_no_cause():
    unsubscribe_all([1], message={"newsletter_id": "  ", "campaign_id": True})

    assert Brief.objects.get().cause is None


@pytest.mark.parametrize("given", ["5\0", "\ud800", "9" * 41, "\U0001f600", ["5"], 5.5])
def test_no_id_whatever_it_holds_stops_an_event(given):
    event = unsubscribe(1, message={"newsletter_id": given, "newsletter_name": given})

    draining.drain()

    event.refresh_from_db()
    assert (event.status, Brief.objects.count()) == ("processed", 1)


def test_second_report_of_an_act_names_the_message():
    event = unsubscribe(1, message={}, object_type="customer")
    draining.drain()
    assert Brief.objects.get().cause is None

    unsubscribe(1, ago=60)
    WebhookEvent.objects.exclude(pk=event.pk).update(occurred_at=event.occurred_at)
    draining.drain()

    assert Brief.objects.get().cause.name == "Spring sale"


def test_second_report_in_the_same_batch_names_the_message():
    unsubscribe(1, ago=61, message={}, object_type="customer")
    unsubscribe_all([1])

    assert Brief.objects.get().cause.name == "Spring sale"


def test_next_day_has_a_cause_of_its_own():
    unsubscribe_all([1, 2], ago=25 * 3600)
    unsubscribe_all([3])

    first, second = Cause.objects.order_by("pk")
    assert (first.briefs.count(), first.ended_at is None) == (2, False)
    assert Brief.objects.get(customer__external_id="p3").cause == second


def test_days_that_arrive_in_one_batch_are_told_apart():
    unsubscribe(1, ago=50 * 3600)
    unsubscribe(2, ago=25 * 3600)
    unsubscribe_all([3])

    assert Cause.objects.count() == 3


def test_what_happened_long_before_its_cause_began_is_no_part_of_it():
    unsubscribe_all([1])
    unsubscribe_all([2], ago=3 * 24 * 3600)

    assert Brief.objects.get(customer__external_id="p2").cause is None


def test_report_that_is_late_may_be_the_first_act_of_its_cause():
    unsubscribe_all([1], ago=30 * 3600)
    unsubscribe_all([2], ago=32 * 3600)

    cause = Cause.objects.get()
    first = Brief.objects.get(customer__external_id="p2")
    assert (cause.briefs.count(), cause.first_at) == (2, first.happened_at)

    unsubscribe_all([3], ago=7 * 3600)  # a day after the act that was told first, but not the first

    assert Brief.objects.get(customer__external_id="p3").cause != cause


def test_briefs_of_a_cause_are_never_more_than_a_day_apart():
    unsubscribe_all([1], ago=10 * 3600)
    unsubscribe_all([2], ago=3600)
    unsubscribe(3, ago=30 * 3600)
    unsubscribe_all([4], ago=24 * 3600)

    shared = Cause.objects.get().briefs.values_list("customer__external_id", flat=True)
    assert set(shared) == {"p1", "p2", "p4"}


def test_what_is_reported_after_its_cause_ended_is_still_a_part_of_it():
    unsubscribe_all([1], ago=50 * 3600)
    unsubscribe_all([2])

    unsubscribe(3, ago=49 * 3600)
    unsubscribe_all([4], ago=80 * 3600)  # of no cause's day

    first, second = Cause.objects.order_by("pk")
    causes = dict(Brief.objects.values_list("customer__external_id", "cause"))
    assert causes == {"p1": first.pk, "p2": second.pk, "p3": first.pk, "p4": None}
    assert not first.is_incident


@pytest.mark.parametrize(("ago", "is_first"), [(20, True), (33, False)])
def test_incident_takes_what_is_late_and_begins_with_it_if_that_is_of_its_day(ago, is_first):
    unsubscribe_all(range(20), ago=10 * 3600)
    unsubscribe_all([20])  # of a minute ago

    unsubscribe_all([30], ago=ago * 3600)

    cause = Cause.objects.incidents().get()
    late = Brief.objects.get(customer__external_id="p30")
    assert late.cause == cause
    assert (cause.first_at == late.happened_at) == is_first


def test_incident_begins_with_the_twenty_first_brief_and_is_told_once(target):
    unsubscribe_all(range(20))
    assert not Cause.objects.incidents()

    unsubscribe_all(range(20, 22))
    unsubscribe_all(range(22, 24))

    incident = Cause.objects.incidents().get()
    assert incident.briefs.count() == 24
    told = Notification.objects.get(kind="incident")
    assert told.subject.startswith("Incident: 22 people within")
    assert "Spring sale" in told.subject
    assert "p1@" not in told.body


def test_briefs_of_an_incident_are_not_told_one_by_one(target):
    unsubscribe_all(range(22))
    unsubscribe_all([30])
    Notification.objects.update(available_at=None)  # what was held

    while claimed := outbox.claim_next():
        claimed.sent(claimed.lease_token)

    sent = Notification.objects.filter(status="sent")
    assert list(sent.values_list("kind", flat=True)) == ["incident"]


def test_incident_that_nobody_closes_silences_its_message_for_a_day_only(target):
    unsubscribe_all(range(22))
    Notification.objects.all().delete()
    Cause.objects.update(incident_at=timezone.now() - timedelta(hours=25))
    unsubscribe_all([30])
    Notification.objects.update(available_at=None)  # what was held

    told = outbox.claim_next()

    assert (told.kind, told.brief.customer.external_id) == ("brief", "p30")
    assert told.brief.cause.is_open


def test_brief_of_a_message_is_told_after_some_seconds(target):
    unsubscribe_all([1])
    assert outbox.claim_next() is None

    Notification.objects.update(available_at=timezone.now() - timedelta(seconds=1))

    assert outbox.claim_next().kind == "brief"


def test_message_that_was_held_is_fetched_by_whoever_watches(target, monkeypatch):
    woken = []
    monkeypatch.setattr(outbox, "wake", lambda: woken.append(1))
    unsubscribe_all([1])
    outbox.wake_for_held()
    assert not woken

    Notification.objects.update(available_at=timezone.now() - timedelta(seconds=1))
    outbox.wake_for_held()

    assert woken


def test_what_a_worker_left_behind_is_noticed_by_the_sweep(target, monkeypatch):
    with monkeypatch.context() as ended:
        ended.setattr(causing, "notice", lambda drafts: None)
        unsubscribe_all(range(21))
    assert not Cause.objects.incidents()

    causing.sweep()

    assert Cause.objects.incidents().exists()
    assert Notification.objects.filter(kind="incident").count() == 1


def test_sweep_ends_causes_of_yesterday_and_forgets_those_without_a_brief():
    yesterday = timezone.now() - timedelta(hours=25)
    fields = {"kind": "unsubscribed", "first_at": yesterday, "most": 20}
    with_brief = Cause.objects.create(message="newsletter:1", **fields)
    make_brief(cause=with_brief)
    Cause.objects.create(message="newsletter:2", **fields)
    Cause.objects.update(created_at=yesterday)

    causing.sweep()

    assert Cause.objects.get().message == "newsletter:1"
    assert not Cause.objects.current()


def test_sweep_leaves_what_a_batch_has_just_begun():
    yesterday = timezone.now() - timedelta(hours=25)
    Cause.objects.create(message="newsletter:1", kind="unsubscribed", first_at=yesterday, most=20)

    causing.sweep()

    assert Cause.objects.current().exists()


def test_backlog_of_days_ago_that_arrives_slowly_has_one_cause():
    unsubscribe_all([1], ago=50 * 3600)

    causing.sweep()
    unsubscribe_all([2], ago=49 * 3600)

    assert Cause.objects.get().briefs.count() == 2


def test_open_incident_takes_what_happens_days_later():
    unsubscribe_all(range(21), ago=30 * 3600)

    unsubscribe_all([30])

    assert Brief.objects.get(customer__external_id="p30").cause.is_open


def test_message_with_a_history_is_measured_by_it():
    for day in range(2, 6):
        cause = Cause.objects.create(
            message="newsletter:5", kind="unsubscribed", most=20,
            first_at=timezone.now() - timedelta(days=day), ended_at=timezone.now(),
        )  # fmt: skip
        make_brief(cause=cause)
        make_brief(cause=cause)

    unsubscribe_all(range(7))
    assert not Cause.objects.incidents()
    unsubscribe_all([8])

    assert Cause.objects.incidents().get().usual == 2


@pytest.mark.parametrize(
    ("sizes", "most"),
    [([], 20), ([3, 3], 20), ([1, 1, 1], 4), ([2, 2, 2], 7), ([100, 100, 100], 130)],
)
def test_most_that_is_usual(sizes, most):
    assert most_usual(sizes)[1] == most


@pytest.mark.on_postgresql
def test_workers_at_the_same_time_make_one_incident_and_tell_once(threaded_db, target):
    for person in range(40):
        unsubscribe(person)

    done = at_once(4, lambda _: draining.process(WebhookEvent.objects.all().claim_batch(10)))

    assert sum(done) == 40
    assert Cause.objects.get().briefs.count() == 40
    assert Notification.objects.filter(kind="incident").count() == 1
