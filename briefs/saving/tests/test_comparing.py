"""Once a night Customer.io's list of the segment is compared with our rows, over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F
from django.db.models.functions import Now

from briefs.models import Brief, SavingSegment, SegmentMembership
from briefs.models.saving import MAX_TRIES
from briefs.saving import comparing, halving, telling
from briefs.saving.tests.making import calls, make_person, make_segment, names_in, run
from briefs.tests.factories import make_brief, make_customer
from personas.models import AppApiPace, Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(sandbox):
    return make_segment(sandbox)


def a_night_passes():
    """What was told is told for long, and the comparison is due."""
    SegmentMembership.objects.update(told_at=F("told_at") - timedelta(days=1), due_at=None)
    SavingSegment.objects.update(compare_at=Now())
    AppApiPace.objects.all().delete()
    run()


def test_who_was_lost_at_customer_io_is_told_again(sandbox, segment):
    brief = make_person(sandbox, "ann")
    run()
    sandbox.segments.change(segment, "id", ["ann"], is_member=False)

    a_night_passes()
    assert names_in(sandbox, segment) == []
    SegmentMembership.objects.update(due_at=None)
    run()

    assert names_in(sandbox, segment) == ["ann"]
    assert SegmentMembership.objects.get(customer=brief.customer).fault == "not taken"

    a_night_passes()
    assert SegmentMembership.objects.get().tries == 0  # listed: forgotten


def test_whom_another_hand_put_in_is_told_when_they_are_lost(sandbox, segment):
    brief = make_person(sandbox, "ann")
    sandbox.segments.change(segment, "id", ["ann"], is_member=True)
    sandbox.refused_ids = {brief.customer.cio_id}
    run()
    a_night_passes()
    assert SegmentMembership.objects.filter(is_member=True, told_at=None).exists()
    sandbox.refused_ids = set()
    sandbox.segments.change(segment, "id", ["ann"], is_member=False)

    a_night_passes()
    run()

    assert names_in(sandbox, segment) == ["ann"]


def test_who_has_no_open_brief_is_taken_out_whoever_put_them_in(sandbox, segment):
    make_person(sandbox, "ann")
    run()
    sandbox.people.add("by-hand")
    sandbox.segments.change(segment, "id", ["by-hand"], is_member=True)

    a_night_passes()

    assert names_in(sandbox, segment) == ["ann"]


def test_erased_customer_is_taken_out_by_the_night_at_the_latest(sandbox, segment):
    brief = make_person(sandbox, "ann")
    run()
    customer = brief.customer
    brief.delete()
    customer.delete()
    run()

    a_night_passes()

    assert names_in(sandbox, segment) == []


def test_customers_are_recognised_however_they_are_named(sandbox, segment):
    make_person(sandbox, "ann")
    make_person(sandbox, "ben", cio_id=None)
    make_person(sandbox, "cid", cio_id=None, external_id=None, email="cid@example.com")
    sandbox.people.add("cid", email="Cid@Example.com")
    run()
    sandbox.clear_requests()

    a_night_passes()

    assert names_in(sandbox, segment) == ["ann", "ben", "cid"]
    assert calls(sandbox) == []
    assert SegmentMembership.objects.exclude(seen_at=None).count() == 3


def two_rows_of_ann(sandbox):
    """Two open briefs of one person, whom no look-up has brought together yet."""
    by_cio_id = make_person(sandbox, "ann", external_id=None, email="")
    by_id = make_brief(customer=make_customer(cio_id=None, external_id="ann", email=""))
    return by_cio_id, by_id


def test_person_with_two_rows_is_found_by_both(sandbox, segment):
    two_rows_of_ann(sandbox)
    run()
    sandbox.clear_requests()

    a_night_passes()

    assert SegmentMembership.objects.exclude(seen_at=None).count() == 2
    assert not SegmentMembership.objects.filter(tries__gt=0).exists()


@pytest.mark.parametrize("which", [0, 1])
def test_person_with_two_rows_stays_in_while_one_brief_is_open(sandbox, segment, which):
    closed = two_rows_of_ann(sandbox)[which]
    run()
    # Refused on every try to take them out: their row is there for the comparison.
    SegmentMembership.objects.filter(customer=closed.customer).update(tries=MAX_TRIES)
    closed.close(Brief.Outcome.RETAINED)

    a_night_passes()

    assert names_in(sandbox, segment) == ["ann"]
    assert SegmentMembership.objects.exclude(customer=closed.customer).get().tries == 0


def test_somebody_else_with_the_same_address_is_not_kept(sandbox, segment):
    sandbox.people.add("twin", email="ann@example.com")
    make_person(sandbox, "ann")
    run()
    sandbox.segments.change(segment, "id", ["twin"], is_member=True)

    a_night_passes()

    assert names_in(sandbox, segment) == ["ann"]


def test_whom_customer_io_never_lists_is_not_told_for_ever(sandbox, segment):
    """Nobody there has this id: the request is accepted, and they are passed over."""
    make_person(sandbox, "ann")
    Customer.objects.update(cio_id="nobody", external_id=None)

    for _ in range(MAX_TRIES + 2):
        SegmentMembership.objects.update(due_at=None)
        run()
        a_night_passes()

    assert len(calls(sandbox)) == MAX_TRIES
    assert SegmentMembership.objects.all().failed().count() == 1


def test_new_identifier_is_tried_though_the_one_before_failed(sandbox, segment):
    make_person(sandbox, "ann", cio_id="nobody")
    run()
    SegmentMembership.objects.update(tries=MAX_TRIES - 1)
    a_night_passes()
    assert SegmentMembership.objects.get().named == "cio_id:nobody"

    Customer.objects.update(cio_id=sandbox.people.find("id", "ann").cio_id)
    a_night_passes()
    run()

    assert names_in(sandbox, segment) == ["ann"]


def test_id_that_is_refused_at_leaving_leaves_by_the_list(sandbox, segment):
    brief = make_person(sandbox, "ann", cio_id=None)
    run()
    sandbox.refused_ids = {"ann"}
    brief.close(Brief.Outcome.RETAINED)
    run()
    assert names_in(sandbox, segment) == ["ann"]

    SavingSegment.objects.update(compare_at=Now())
    run()

    assert names_in(sandbox, segment) == []
    assert not SegmentMembership.objects.exists()


def test_one_who_cannot_be_taken_out_stops_nobody_else(sandbox, segment):
    make_person(sandbox, "ann")
    run()
    refused = sandbox.people.add("refused")
    sandbox.people.add("by-hand")
    sandbox.segments.change(segment, "id", ["refused", "by-hand"], is_member=True)
    sandbox.refused_ids = {refused.cio_id}

    a_night_passes()

    assert names_in(sandbox, segment) == ["ann", "refused"]
    row = SavingSegment.objects.get()
    assert row.compared_at
    assert (row.fault, row.failures) == ("", 0)


def test_off_is_off_though_one_cannot_be_taken_out(sandbox, segment):
    refused = sandbox.people.add("refused")
    sandbox.segments.change(segment, "id", ["refused"], is_member=True)
    sandbox.refused_ids = {refused.cio_id}
    SavingSegment.objects.get().turn_off()

    run()

    assert SavingSegment.objects.get().state == "off"


def test_off_comes_after_those_who_were_put_off_because_of_another(
    sandbox, segment, eight, monkeypatch
):
    monkeypatch.setattr(comparing, "PAGE", 8)
    monkeypatch.setattr(halving, "MOST_REFUSALS", 3)
    members = sandbox.segments.members(segment)
    sandbox.refused_ids = {sorted(one.cio_id for one in members)[4]}
    SavingSegment.objects.get().turn_off()

    monkeypatch.setattr(comparing.random, "shuffle", lambda some: some.sort())
    run()
    assert len(names_in(sandbox, segment)) == 4
    assert SavingSegment.objects.get().state == "emptying"

    monkeypatch.setattr(comparing.random, "shuffle", lambda some: some.sort(reverse=True))
    a_night_passes()
    assert len(names_in(sandbox, segment)) == 1
    assert SavingSegment.objects.get().state == "off"


@pytest.fixture
def eight(sandbox, segment, monkeypatch):
    """Eight people whom somebody put in by hand, on pages of two."""
    monkeypatch.setattr(comparing, "PAGE", 2)
    monkeypatch.setattr(telling, "RUN_SECONDS", 60.0)
    names = [f"s{number}" for number in range(8)]
    for name in names:
        sandbox.people.add(name)
    sandbox.segments.change(segment, "id", names, is_member=True)
    return names


def test_nobody_is_passed_over_where_others_leave_the_list(sandbox, segment, eight):
    a_night_passes()

    assert names_in(sandbox, segment) == []
    assert SavingSegment.objects.get().compared_at


def test_off_is_said_after_nobody_is_listed(sandbox, segment, eight):
    SavingSegment.objects.get().turn_off()

    run()

    assert names_in(sandbox, segment) == []
    assert SavingSegment.objects.get().state == "off"


def test_emptying_goes_on_while_customer_io_lists_whom_it_took_out(
    sandbox, segment, eight, monkeypatch
):
    SavingSegment.objects.get().turn_off()
    with monkeypatch.context() as patch:
        patch.setattr(sandbox.segments, "change", lambda *args, **kw: None)  # later
        run()

    row = SavingSegment.objects.get()
    assert (row.state, row.compare_reason) == ("emptying", "")
    assert len(calls(sandbox)) == 4  # nobody twice

    a_night_passes()
    assert SavingSegment.objects.get().state == "off"
    assert names_in(sandbox, segment) == []


def test_comparison_ends_though_somebody_else_puts_people_in(sandbox, segment, monkeypatch):
    """Another installation fills the same segment."""
    monkeypatch.setattr(comparing, "AGAIN_FOR", timedelta(seconds=-1))
    sandbox.people.add("theirs")
    sandbox.segments.change(segment, "id", ["theirs"], is_member=True)

    a_night_passes()

    assert SavingSegment.objects.get().compared_at
    assert len([one for one in sandbox.requests if "membership" in one.path]) == 1


def test_who_leaves_between_two_pages_hides_nobody(sandbox, segment, monkeypatch):
    monkeypatch.setattr(comparing, "PAGE", 2)
    briefs = [make_person(sandbox, f"p{number}") for number in range(4)]
    run()
    SavingSegment.objects.update(compare_at=Now(), comparing_since=Now(), cursor="2")
    briefs[0].close(Brief.Outcome.RETAINED)

    a_night_passes()

    assert SegmentMembership.objects.exclude(seen_at=None).count() == 3


def test_list_is_read_page_by_page_over_several_runs(sandbox, segment, monkeypatch):
    monkeypatch.setattr(comparing, "PAGE", 2)
    for number in range(5):
        make_person(sandbox, f"p{number}")
    run()
    sandbox.faults.add("segments/membership", "500")

    a_night_passes()
    assert "500" in SavingSegment.objects.get().compare_reason
    monkeypatch.setattr(telling, "RUN_SECONDS", 0.0)  # none is left after the people
    a_night_passes()
    assert SavingSegment.objects.get().compared_at is None
    monkeypatch.setattr(telling, "RUN_SECONDS", 60.0)
    a_night_passes()

    row = SavingSegment.objects.get()
    assert row.compared_at
    assert (row.cursor, row.comparing_since, row.compare_reason) == ("", None, "")
    assert SegmentMembership.objects.filter(seen_at__gte=Now() - timedelta(minutes=1)).count() == 5


def test_live_look_ups_go_first(sandbox, segment, monkeypatch):
    make_person(sandbox, "ann")
    run()
    monkeypatch.setattr(telling, "RUN_SECONDS", 0.5)
    SavingSegment.objects.update(compare_at=Now())
    AppApiPace.hold_back(60)

    run()

    row = SavingSegment.objects.get()
    assert (row.compared_at, row.compare_reason, row.failures) == (None, "", 0)


def test_segment_that_is_being_built_is_compared_later(sandbox, segment):
    sandbox.segments.get(segment)["state"] = "build"
    make_person(sandbox, "ann")
    run()

    a_night_passes()

    assert "still building" in SavingSegment.objects.get().compare_reason


def test_segment_that_was_deleted_at_customer_io_is_noticed(sandbox, segment):
    sandbox.segments.delete(segment)

    a_night_passes()

    assert SavingSegment.objects.get().fault == "gone"


def test_next_comparison_is_at_night_in_the_team_s_zone(segment):
    make_customer()
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)

    assert comparing.next_night(noon) == datetime(2026, 11, 24, 3, tzinfo=UTC)
