"""Work that was under way, and what still arrives, does not bring an erased person back."""

import json
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from briefs.forgetting import erasing, ordering, people
from briefs.models import Brief, Erasure, Notification, NotificationTarget, ReprocessingJob
from briefs.pipeline import draining, merging, profiles
from briefs.saving import telling
from briefs.saving.tests.making import make_person, make_segment, names_in
from briefs.tests.factories import make_brief, make_customer, make_event, make_payload
from personas.models import Customer, CustomerSegment, SegmentMember
from personas.people import erased, lookups
from providers.customerio_track import TrackApi
from webhooks import scrubbing
from webhooks.models import Tombstone, WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]

PERSON = {"cio_id": "beef01", "email": "ann@example.com"}


def event_of(identifiers=PERSON, recipient=None, **kw):
    message = {"recipient": recipient} if recipient else {}
    return make_event(make_payload(data={"identifiers": identifiers, **message}), **kw)


def erase(term="ann@example.com"):
    return erasing.erase(people.find(term), Erasure.objects.create(way="command"))


def is_empty(event):
    event.refresh_from_db()
    return (event.status, event.reason_code, event.identifiers, bytes(event.body)) == (
        "ignored", "erased", {}, b"",
    )  # fmt: skip


def test_a_worker_that_had_read_an_event_writes_nothing_of_it(monkeypatch):
    event = event_of()
    claim = WebhookEvent.objects.all().claim_batch(10)
    monkeypatch.setattr(draining.causing, "name", lambda drafts: erase())

    draining.process(claim)

    assert is_empty(event)
    assert not Brief.objects.exists()
    assert not Customer.objects.filter(is_erased=False).exists()


def test_a_worker_that_was_frozen_before_it_looked_who_it_is_creates_nobody(monkeypatch):
    event = event_of()
    claim = WebhookEvent.objects.all().claim_batch(10)
    erase()
    monkeypatch.setattr(scrubbing, "scrub", lambda claim: claim)  # it is past that already

    draining.process(claim)

    assert is_empty(event)
    assert not Customer.objects.filter(is_erased=False).exists()


def test_what_arrives_later_is_emptied_when_it_is_claimed_and_nobody_is_looked_up(monkeypatch):
    event_of()
    erase()
    late, other = event_of(), event_of({"id": "somebody else"})
    read = []
    monkeypatch.setattr(draining, "read", lambda events: read.extend(events) or [])

    draining.process(WebhookEvent.objects.all().claim_batch(10))

    assert is_empty(late)
    assert read == [other]


def test_a_late_event_with_one_identifier_in_another_spelling_is_emptied():
    make_customer(phone="+491715550123", email="zoë@example.com", cio_id="a1b2c3")
    erase("zoë@example.com")
    late = [
        event_of({"email": "ZOË@Example.com"}),
        event_of({"phone": "00491715550123"}),
        event_of({"cio_id": "cio_a1b2c3", "email": "new@example.com"}),
    ]

    draining.drain()

    assert all(map(is_empty, late))


def test_quarantined_events_about_erased_people_are_emptied_by_the_sweep():
    event_of()
    erase()
    body = json.dumps([{"to": "Ann <ann%40example.com>"}]).encode()
    theirs = event_of({}, status="quarantined", body=body)
    other = event_of({}, status="quarantined", body=b"joann@example.com")

    assert scrubbing.sweep() == 1

    assert is_empty(theirs)
    assert not is_empty(other)


def test_a_sweep_goes_on_where_the_last_one_ended(monkeypatch):
    monkeypatch.setattr(scrubbing, "MOST", 1)
    event_of()
    erase()
    body = b"to ann@example.com"
    late = [event_of({}, status="quarantined", body=body) for _ in range(2)]
    for hours, event in zip((3, 2), late, strict=True):
        received = timezone.now() - timedelta(hours=hours)
        WebhookEvent.objects.filter(pk=event.pk).update(received_at=received)

    assert [scrubbing.sweep() for _ in range(3)] == [1, 1, 0]

    assert all(map(is_empty, late))


def test_somebody_who_signs_up_anew_can_be_known_again():
    event_of({"email": "ann@example.com"})
    erase()
    call_command("erase_customer", "ANN@example.com", allow_again=True)

    event_of({"email": "ann@example.com"})
    draining.drain()

    assert Customer.objects.filter(email="ann@example.com").exists()


def test_customer_io_s_list_of_a_segment_does_not_bring_them_back():
    event_of()
    erase()
    segment = CustomerSegment.objects.create(number=7, name="Trials")

    segment.page_read(erased.allowed_members(["beef01", "beef02"]), "next")

    assert list(SegmentMember.objects.values_list("cio_id", flat=True)) == ["beef02"]


@pytest.fixture
def ann_again(sandbox):
    """Ann was erased. In Customer.io she is somebody new, with the address of before."""
    event_of()
    erase()
    attributes = {"plan": "enterprise", "usage_tier": "low", "name": "Ann Example"}
    again = {"cio_id": "beef99", "email": "Ann@Example.com", "attributes": attributes}
    return sandbox.people.add("new", **again)


def test_a_look_up_of_a_new_id_does_not_bring_them_back(ann_again):
    event = event_of({"cio_id": "beef99"}, recipient="ann@example.com")
    other = event_of({"id": "enterprise-retail-low-1"})

    draining.drain()

    assert [brief.customer.external_id for brief in Brief.objects.all()] == [
        "enterprise-retail-low-1"
    ]
    assert not Customer.objects.filter(email="ann@example.com").exists()
    event.refresh_from_db()
    assert "who was erased" in event.status_reason

    ordering.run()

    assert is_empty(event)
    assert not is_empty(other)
    assert not Customer.objects.filter(cio_id="beef99").exists()
    assert list(Erasure.objects.order_by("pk").values_list("way", "customer")) == [
        ("command", None), ("lookup", None),
    ]  # fmt: skip
    late = event_of({"cio_id": "beef99"})
    draining.drain()
    assert is_empty(late)


def test_a_brief_that_waited_for_the_profile_is_erased_with_it(ann_again):
    customer = make_customer(cio_id="beef99", fetched_at=None, attributes={})
    brief = make_brief(customer=customer, is_waiting_for_profile=True)

    profiles.catch_up()
    profiles.catch_up()  # the row is not looked up, so the next sweep asks again
    assert Erasure.objects.filter(way="lookup").count() == 1
    ordering.run()

    brief.refresh_from_db()
    assert (brief.state, brief.customer) == (Brief.State.CLOSED, Customer.erased())


def test_somebody_known_who_has_the_address_by_now_stays_as_they_were(ann_again):
    known = make_customer(cio_id="beef99", email="bea@example.com", attributes={"plan": "pro"})

    assert lookups.refresh([known], force=True) == ""

    known.refresh_from_db()
    assert (known.email, known.attributes) == ("bea@example.com", {"plan": "pro"})
    assert not Erasure.objects.filter(way="lookup").exists()


def test_a_look_up_brings_back_somebody_who_may_be_known_again(ann_again):
    call_command("erase_customer", "ann@example.com", allow_again=True)
    event_of({"cio_id": "beef99"})

    draining.drain()

    assert Brief.objects.get().customer.email == "ann@example.com"


def test_an_id_that_is_their_address_does_not_bring_them_back():
    event_of()
    erase()
    late = event_of({"id": "Ann@example.com"})

    draining.drain()

    assert is_empty(late)


def test_an_address_that_was_their_id_does_not_bring_them_back():
    make_customer(external_id="Ann@example.com", cio_id="beef01", email="")
    erase("beef01")
    late = event_of({"email": "ann@example.com"})

    draining.drain()

    assert is_empty(late)


def test_they_leave_the_segment_of_open_briefs_at_once_or_it_is_told(sandbox):
    segment = make_segment(sandbox)
    for name in ("ann", "bea", "cleo"):
        make_person(sandbox, name)
    telling.run()
    assert names_in(sandbox, segment) == ["ann", "bea", "cleo"]

    assert erase("id:ann").left == []
    sandbox.faults.add("segments/remove_customers", "500")
    [told] = erase("id:bea").left

    assert names_in(sandbox, segment) == ["bea", "cleo"]
    assert "the nightly comparison takes them out" in told


def test_whoever_is_erased_while_they_are_put_in_the_segment_is_taken_out_again(
    sandbox, monkeypatch
):
    segment = make_segment(sandbox)
    for name in ("ann", "bea"):
        make_person(sandbox, name)
    add = TrackApi.add

    def late(api, *told):
        erase("id:ann")
        add(api, *told)

    monkeypatch.setattr(TrackApi, "add", late)
    telling.run()

    assert names_in(sandbox, segment) == ["bea"]


def test_whoever_came_into_the_segment_during_an_erasure_is_taken_out(sandbox, monkeypatch):
    segment = make_segment(sandbox)
    make_person(sandbox, "ann")

    def late(*given):
        telling.run()
        return take(*given)

    take = erasing._take
    monkeypatch.setattr(erasing, "_take", late)
    erase("id:ann")

    assert names_in(sandbox, segment) == []


def test_whoever_shares_the_address_of_somebody_erased_stays_in_the_segment(sandbox):
    segment = make_segment(sandbox)
    make_person(sandbox, "ann")
    make_brief(customer=make_customer(cio_id=None, external_id=None, email="ann@example.com"))
    telling.run()

    erase("id:ann")
    telling.run()

    assert names_in(sandbox, segment) == ["ann"]


def test_a_message_that_is_being_sent_goes_out_and_is_not_written_down():
    brief = make_brief(customer=make_customer(email="ann@example.com"))
    target = NotificationTarget.objects.create(name="#retention", scheme="json")
    message = Notification.objects.create(target=target, brief=brief, dedupe_key="1", kind="brief")
    token = message.claim()
    erase()

    assert not message.sent(token)
    assert not Notification.objects.exists()


@pytest.mark.parametrize(("sqlstate", "is_tried_again"), [("40P01", True), ("57014", False)])
def test_what_postgresql_gave_up_as_a_deadlock_is_tried_again(
    monkeypatch, sqlstate, is_tried_again
):
    make_customer(email="ann@example.com")
    failing = [OperationalError("not now")]
    failing[0].__cause__ = type("Refused", (Exception,), {"sqlstate": sqlstate})()
    take = erasing._take
    monkeypatch.setattr(
        erasing, "_take", lambda *given: raise_it(failing.pop()) if failing else take(*given)
    )

    if is_tried_again:
        erase()
    else:
        with pytest.raises(OperationalError):
            erase()

    assert Customer.objects.filter(is_erased=False).exists() is not is_tried_again


def raise_it(error):
    raise error


def test_an_address_that_was_learned_after_they_were_found_gets_a_tombstone_too():
    customer = make_customer(cio_id="beef01")
    person = people.find("beef01")
    Customer.objects.filter(pk=customer.pk).update(email="ann@example.com")

    erasing.erase(person, Erasure.objects.create(way="command"))

    assert all(Tombstone.objects.all().among([{"email": "ann@example.com"}]))


def test_somebody_who_was_merged_before_the_worker_came_is_erased_all_the_same(lead):
    older = make_customer(cio_id=None, external_id=None, email="ann@example.com")
    newer = make_customer(cio_id="beef01", phone="+49171555001")
    erasure = ordering.order(newer, lead, Erasure.Way.ADMIN)
    merging.merge(older.pk, newer.pk)

    assert ordering.run() == 1

    erasure.refresh_from_db()
    assert erasure.counts["personas.Customer"] == 1
    assert not Customer.objects.filter(is_erased=False).exists()
    assert all(Tombstone.objects.all().among([PERSON, {"phone": "+49171555001"}]))


def test_somebody_who_is_merged_while_they_are_erased_is_erased_as_the_other_row(monkeypatch, lead):
    older = make_customer(cio_id=None, external_id=None, email="ann@example.com")
    newer = make_customer(cio_id="beef01")
    ordering.order(newer, lead, Erasure.Way.ADMIN)
    told = erasing.told

    def merge_first(person):
        merging.merge(older.pk, newer.pk)
        return told(person)

    monkeypatch.setattr(erasing, "told", merge_first)

    assert ordering.run() == 1

    assert not Customer.objects.filter(is_erased=False).exists()
    assert all(Tombstone.objects.all().among([{"email": "ann@example.com"}]))


def test_a_dry_run_under_way_begins_its_batch_anew():
    make_customer(email="ann@example.com")
    ReprocessingJob.objects.create(kind="events", is_dry_run=True)
    job = ReprocessingJob.objects.claim()
    erase()

    assert not job.advance(1, 1, {}, examples=["ann@example.com opened a brief"])
    assert ReprocessingJob.objects.claim() is not None


def test_an_emptied_event_cannot_be_replayed():
    event = event_of(status="ignored")
    erase()
    event.refresh_from_db()

    assert not event.replay()
