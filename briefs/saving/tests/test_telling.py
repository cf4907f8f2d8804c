"""Who has an open brief is in the segment at Customer.io, over HTTP."""

import logging
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string

from briefs.models import Brief, SavingSegment, SegmentMembership
from briefs.models.saving import MAX_TRIES
from briefs.pipeline import merging
from briefs.saving import halving, telling
from briefs.saving.tests.making import (
    calls,
    make_person,
    make_segment,
    names_in,
    postpone_comparing,
    run,
)
from briefs.tests.factories import make_brief, make_cause, make_customer
from personas.models import Customer
from providers import customerio_track, http

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(sandbox):
    return make_segment(sandbox)


def row_of(brief):
    return SegmentMembership.objects.get(customer=brief.customer)


def segment_row():
    return SavingSegment.objects.get()


# Off --------------------------------------------------------------------------------------------


def test_nothing_is_told_until_it_is_turned_on(sandbox, django_assert_num_queries):
    make_person(sandbox, "ann")

    with django_assert_num_queries(1):
        telling.wake_if_due()
    assert not telling.run()

    assert sandbox.requests == []
    assert not SegmentMembership.objects.exists()


def test_nothing_is_told_without_a_key_of_the_track_api(sandbox, segment, settings):
    settings.CIO_TRACK_KEY = ""
    make_person(sandbox, "ann")

    telling.wake_if_due()
    assert not telling.run()

    assert sandbox.requests == []


# Coming and leaving -----------------------------------------------------------------------------


def test_customer_with_an_open_brief_is_put_in_and_leaves_at_closing(sandbox, segment):
    brief = make_person(sandbox, "ann")

    run()
    assert names_in(sandbox, segment) == ["ann"]

    brief.close(Brief.Outcome.RETAINED)
    run()
    assert names_in(sandbox, segment) == []
    assert not SegmentMembership.objects.exists()


@pytest.mark.parametrize("state", ["new", "in_progress", "snoozed"])
def test_open_is_whatever_is_not_closed(sandbox, segment, state):
    brief = make_person(sandbox, "ann")
    Brief.objects.filter(pk=brief.pk).update(state=state, cause=make_cause())

    run()

    assert names_in(sandbox, segment) == ["ann"]


def test_withdrawn_brief_leaves_and_a_reopened_one_comes_back(sandbox, segment):
    brief = make_person(sandbox, "ann")
    run()

    brief.withdraw("nothing to do")
    run()
    assert names_in(sandbox, segment) == []

    brief.reopen("opened it again", get_user_model().objects.create(username="robin"), None)
    run()
    assert names_in(sandbox, segment) == ["ann"]


def test_second_run_tells_nothing_twice(sandbox, segment):
    make_person(sandbox, "ann")
    run()
    sandbox.clear_requests()

    run()

    assert sandbox.requests == []


def test_a_request_names_up_to_1000_people_by_one_kind_of_id(sandbox, segment):
    people = Customer.objects.bulk_create(
        [Customer(cio_id=f"c{number}") for number in range(1001)]
        + [Customer(external_id="by-id"), Customer(email="by@example.com")]
    )
    persona = make_brief(customer=Customer.objects.create(phone="+15550100")).persona
    Brief.objects.bulk_create(
        Brief(customer=one, persona=persona, kind="unsubscribed", priority=2,
              happened_at=timezone.now())
        for one in people
    )  # fmt: skip

    run()

    assert calls(sandbox) == [
        ("add_customers", "cio_id", 1000),
        ("add_customers", "cio_id", 1),
        ("add_customers", "id", 1),
        ("add_customers", "email", 1),
    ]
    assert SegmentMembership.objects.filter(is_member=True).count() == 1003  # nobody by a number


def test_whom_customer_io_deleted_is_not_told(sandbox, segment):
    make_person(sandbox, "ann", is_deleted=True)
    brief = make_person(sandbox, "ben")
    run()
    Customer.objects.update(is_deleted=True)
    brief.close(Brief.Outcome.CHURNED)
    sandbox.clear_requests()

    run()

    assert sandbox.requests == []
    assert not SegmentMembership.objects.exists()


def test_customer_who_was_merged_stays_in_under_the_row_that_is_kept(sandbox, segment):
    older = make_customer(cio_id=None, external_id="ann")
    brief = make_person(sandbox, "ann", external_id=None)
    run()

    merging.merge(older.pk, brief.customer_id)
    run()
    assert names_in(sandbox, segment) == ["ann"]

    Brief.objects.get().close(Brief.Outcome.RETAINED)
    run()
    assert names_in(sandbox, segment) == []


def test_customer_with_new_identifiers_leaves_under_them(sandbox, segment):
    brief = make_person(sandbox, "ann", cio_id=None, external_id=None)
    run()
    assert calls(sandbox) == [("add_customers", "email", 1)]

    cio_id = sandbox.people.find("id", "ann").cio_id
    Customer.objects.update(cio_id=cio_id, email="new@example.com")
    brief.close(Brief.Outcome.RETAINED)
    run()

    assert names_in(sandbox, segment) == []


def test_person_of_two_customers_stays_in_while_one_has_an_open_brief(sandbox, segment):
    """Two workers may create two rows of one address at once."""
    first = make_person(sandbox, "ann", cio_id=None, external_id=None)
    second = make_brief(
        customer=make_customer(cio_id=None, external_id=None, email="ann@example.com")
    )
    run()
    sandbox.clear_requests()

    first.close(Brief.Outcome.RETAINED)
    run()
    assert calls(sandbox) == []
    assert names_in(sandbox, segment) == ["ann"]

    second.close(Brief.Outcome.RETAINED)
    run()
    assert names_in(sandbox, segment) == []


@pytest.mark.parametrize("is_known_closed", [True, False])
def test_whoever_may_be_the_same_person_is_put_in_again(sandbox, segment, is_known_closed):
    known = make_person(sandbox, "ann")
    unknown = make_brief(
        customer=make_customer(cio_id=None, external_id=None, email="ann@example.com")
    )
    run()

    (known if is_known_closed else unknown).close(Brief.Outcome.RETAINED)
    run()
    assert names_in(sandbox, segment) == ["ann"]

    Brief.objects.exclude(state="closed").get().close(Brief.Outcome.RETAINED)
    run()
    assert names_in(sandbox, segment) == []


def test_one_of_two_people_with_one_address_is_told_alone(sandbox, segment):
    ann, ben = make_person(sandbox, "ann"), make_person(sandbox, "ben", email="ann@example.com")
    run()
    sandbox.clear_requests()

    ann.close(Brief.Outcome.RETAINED)
    run()

    assert calls(sandbox) == [("remove_customers", "cio_id", 1)]
    assert row_of(ben).is_member


def test_segment_that_is_emptied_keeps_nobody_of_two_customers(sandbox, segment):
    first = make_person(sandbox, "ann", cio_id=None, external_id=None)
    make_brief(customer=make_customer(cio_id=None, external_id=None, email="ann@example.com"))
    run()
    first.close(Brief.Outcome.RETAINED)

    segment_row().turn_off()
    postpone_comparing()
    run()

    assert names_in(sandbox, segment) == []


# Failures ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "kind"),
    [("500", "away"), ("drop", "away"), ("401", "key"), ("404", "gone"), ("429", "limit")],
)
def test_failure_is_noted_and_the_same_is_told_later(sandbox, segment, fault, kind):
    make_person(sandbox, "ann")
    sandbox.faults.add("segments/add_customers", fault)

    run()
    assert (segment_row().fault, segment_row().failures) == (kind, 1)
    assert not telling.run()  # not before its pause is over
    assert names_in(sandbox, segment) == []

    run()
    assert names_in(sandbox, segment) == ["ann"]
    assert (segment_row().fault, segment_row().failures) == ("", 0)


def test_customer_io_may_say_how_long_to_wait(sandbox, segment):
    make_person(sandbox, "ann")
    sandbox.faults.add("segments/add_customers", "429", retry_after=300)

    run()

    soon = Now() + timedelta(seconds=280), Now() + timedelta(seconds=300)
    assert SavingSegment.objects.filter(retry_at__range=soon).exists()


def test_request_without_an_answer_is_repeated(sandbox, segment, monkeypatch):
    """Customer.io may have carried it out; a brief that closes meanwhile is taken out as well."""
    brief = make_person(sandbox, "ann")
    sandbox.faults.add("segments/add_customers", "hang", seconds=600)
    with monkeypatch.context() as patch:
        patch.setattr(customerio_track, "SECONDS", 0.2)
        run()
    monkeypatch.setattr(customerio_track, "SECONDS", 60.0)
    sandbox.segments.change(segment, "id", ["ann"], is_member=True)  # it was

    brief.close(Brief.Outcome.RETAINED)
    run()

    assert names_in(sandbox, segment) == []


def test_who_comes_back_before_the_answer_is_put_in_again(sandbox, segment, monkeypatch):
    """Customer.io may have taken them out, though its answer was lost."""
    brief = make_person(sandbox, "ann")
    run()
    brief.close(Brief.Outcome.RETAINED)
    sandbox.faults.add("segments/remove_customers", "hang", seconds=600)
    with monkeypatch.context() as patch:
        patch.setattr(customerio_track, "SECONDS", 0.2)
        run()
    monkeypatch.setattr(customerio_track, "SECONDS", 60.0)
    sandbox.segments.change(segment, "id", ["ann"], is_member=False)  # it did

    brief.reopen("opened it again", get_user_model().objects.create(username="robin"), None)
    run()

    assert names_in(sandbox, segment) == ["ann"]
    assert row_of(brief).is_member


def test_who_is_refused_at_leaving_is_still_known_to_be_in(sandbox, segment):
    brief = make_person(sandbox, "ann")
    run()
    brief.close(Brief.Outcome.RETAINED)
    sandbox.refused_ids = {brief.customer.cio_id}

    run()

    assert (row_of(brief).fault, row_of(brief).is_member) == ("refused", True)


def test_one_bad_id_stops_nobody_else(sandbox, segment):
    briefs = [make_person(sandbox, f"p{number}") for number in range(8)]
    sandbox.refused_ids = {briefs[3].customer.cio_id}

    run()

    assert names_in(sandbox, segment) == [f"p{number}" for number in range(8) if number != 3]
    bad = row_of(briefs[3])
    assert (bad.fault, bad.tries, bad.is_member) == ("refused", 1, False)


def test_bad_id_is_tried_a_few_times_and_then_left_alone(sandbox, segment):
    brief = make_person(sandbox, "ann")
    sandbox.refused_ids = {brief.customer.cio_id}

    for _ in range(MAX_TRIES + 2):
        SegmentMembership.objects.update(due_at=None)
        run()
    assert len(calls(sandbox)) == MAX_TRIES

    brief.close(Brief.Outcome.CHURNED)
    sandbox.clear_requests()
    run()
    assert sandbox.requests == []  # never taken: nothing to be said
    assert not SegmentMembership.objects.exists()


def test_where_all_ids_of_a_kind_are_refused_few_requests_find_out(sandbox, segment, monkeypatch):
    monkeypatch.setattr(halving, "MOST_REFUSALS", 6)
    briefs = [make_person(sandbox, f"p{number}") for number in range(20)]
    sandbox.refused_ids = {brief.customer.cio_id for brief in briefs}

    run()

    assert len(calls(sandbox)) == 6
    assert not SegmentMembership.objects.all().to_add().exists()  # the others wait as well


def test_slow_halving_ends_in_time_and_goes_on(sandbox, segment, monkeypatch):
    monkeypatch.setattr(telling, "RUN_SECONDS", 0.0)
    briefs = [make_person(sandbox, f"p{number}") for number in range(8)]
    sandbox.refused_ids = {briefs[3].customer.cio_id}

    run()
    assert names_in(sandbox, segment) == ["p0", "p1"]

    run()
    run()
    assert row_of(briefs[3]).tries == 1


def test_neither_key_nor_id_is_logged(sandbox, segment, caplog):
    brief = make_person(sandbox, "ann")
    sandbox.refused_ids = {brief.customer.cio_id}

    with caplog.at_level(logging.DEBUG):
        run()
        sandbox.track_key = "another"
        SegmentMembership.objects.update(due_at=None)
        run()

    said = caplog.text + segment_row().reason + row_of(brief).reason
    assert "401" in said
    for secret in (sandbox.track_site_id, "sandbox-track-key", brief.customer.cio_id, "ann"):
        assert secret not in said


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_during_a_request(sandbox, segment, monkeypatch):
    def send(*args, **kw):
        assert not connection.in_atomic_block
        return http_send(*args, **kw)

    http_send = http.send
    monkeypatch.setattr(http, "send", send)
    brief = make_person(sandbox, "ann")
    run()
    brief.close(Brief.Outcome.RETAINED)
    make_person(sandbox, "ben")
    SavingSegment.objects.update(compare_at=Now())

    run()

    assert SavingSegment.objects.get().compared_at
    assert names_in(sandbox, segment) == ["ben"]


# One worker at a time ---------------------------------------------------------------------------


def test_while_one_worker_tells_no_other_does(sandbox, segment):
    make_person(sandbox, "ann")
    SavingSegment.claim()

    assert not run()

    SavingSegment.objects.update(lease_until=Now() - timedelta(seconds=1))  # it was killed
    assert run()
    assert names_in(sandbox, segment) == ["ann"]


def test_worker_that_lost_its_lease_notes_nothing(sandbox, segment):
    frozen = SavingSegment.claim()
    SavingSegment.objects.update(lease_until=Now() - timedelta(seconds=1))
    now = SavingSegment.claim()

    frozen.failed(SavingSegment.Fault.AWAY, "it was frozen", timedelta(hours=1))
    frozen.release()

    assert segment_row().lease_token == now.lease_token
    assert segment_row().failures == 0


def test_sweep_wakes_one_worker_only_if_something_is_to_be_told(sandbox, segment, monkeypatch):
    woken = []
    monkeypatch.setattr(telling.waking, "wake", lambda *task: woken.append(task) or True)

    telling.wake_if_due()
    assert woken == []

    make_person(sandbox, "ann")
    telling.wake_if_due()
    telling.wake_if_due()  # the first one is on its way
    assert woken == [("briefs.tasks.segment", "research")]


def test_task_that_is_queued_tells_it(sandbox, segment):
    make_person(sandbox, "ann")

    import_string(telling.TASK)()

    assert names_in(sandbox, segment) == ["ann"]


def test_without_a_broker_the_sweep_tells_it_itself(sandbox, segment, monkeypatch):
    monkeypatch.setattr(telling.waking, "wake", lambda *task: False)
    make_person(sandbox, "ann")

    telling.wake_if_due()

    assert names_in(sandbox, segment) == ["ann"]
