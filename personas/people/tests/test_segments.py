"""Segments that conditions name: read over HTTP, slowly, whole or not at all."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now

from briefs.tests.factories import make_customer, make_persona
from personas.models import (
    AppApiHealth,
    AppApiPace,
    CustomerSegment,
    PersonaCondition,
    SegmentList,
    SegmentMember,
    pace,
)
from personas.models.segments import Overtaken, named, unheard_of
from personas.people import pacing, segments
from personas.people.memberships import Memberships

pytestmark = pytest.mark.django_db

TOMORROW = datetime(2099, 1, 1, 3, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    """The limit of requests is another test's: here there is always room."""
    monkeypatch.setattr(AppApiPace, "leaves_room_for_jobs", lambda *given: True)
    monkeypatch.setattr(AppApiPace, "next_free", lambda self, now, ahead=0.0: now.timestamp())


@pytest.fixture
def trials(sandbox):
    """A segment with five people that a condition names."""
    number = sandbox.segments.create("Trials", kind="dynamic")["id"]
    people = [sandbox.people.add(f"t{n}") for n in range(5)]
    sandbox.segments.change(number, "id", [one.id for one in people], is_member=True)
    name("Trials")
    return number


def name(typed, operator="in_segment"):
    persona = make_persona()
    return PersonaCondition.objects.create(
        persona=persona, field="customer", operator=operator, value=typed
    )


def run():
    """A run of the worker, as if all pauses were over."""
    SegmentList.objects.update(due_at=Now())
    CustomerSegment.objects.exclude(due_at=TOMORROW).update(due_at=Now())
    return segments.run(TOMORROW)


def memberships(*names):
    return Memberships([PersonaCondition(operator="in_segment", value=name) for name in names])


def row(typed="Trials"):
    return CustomerSegment.objects.get(name=typed)


def members(typed="Trials"):
    one = row(typed)
    return set(one.members.filter(reading=one.reading).values_list("cio_id", flat=True))


def is_in(person, typed="Trials"):
    """What a condition would be told of this person of the sandbox."""
    customer = make_customer(cio_id=person.cio_id, external_id=None)
    known = memberships(typed).of(customer)
    return known[typed.casefold()].is_in if known else None


def cio_ids(sandbox, number):
    return {one.cio_id for one in sandbox.segments.members(number)}


def pages_asked(sandbox):
    return [one for one in sandbox.requests if one.path.endswith("/membership")]


def test_segment_that_a_condition_names_is_read(sandbox, trials):
    run()

    assert members() == cio_ids(sandbox, trials)
    assert row().read_at is not None
    assert row().due_at == TOMORROW
    assert is_in(sandbox.people.find("id", "t0")) is True
    assert is_in(sandbox.people.add("else")) is False


def test_segment_is_named_by_its_id_as_well(sandbox, trials):
    PersonaCondition.objects.update(value=str(trials))

    run()

    assert is_in(sandbox.people.find("id", "t0"), str(trials)) is True


def test_segments_that_no_condition_names_are_listed_and_not_read(sandbox, trials):
    run()

    assert row("Everybody").read_at is None
    assert {one.path for one in pages_asked(sandbox)} == {f"/v1/segments/{trials}/membership"}


def test_segment_is_read_page_by_page(sandbox, trials, monkeypatch):
    monkeypatch.setattr(segments, "PAGE", 2)

    run()

    assert [one.query.get("start") for one in pages_asked(sandbox)] == [None, "2", "4"]
    assert members() == cio_ids(sandbox, trials)


def test_reading_goes_on_where_the_last_run_ended(sandbox, trials, monkeypatch):
    monkeypatch.setattr(segments, "PAGE", 2)
    monkeypatch.setattr(segments, "RUN_SECONDS", 0.0)  # each run has time for one step
    run()
    monkeypatch.setattr(segments, "RUN_SECONDS", 60.0)
    sandbox.faults.add("segments/membership", "none")
    sandbox.faults.add("segments/membership", "500")

    run()
    assert row().read_at is None
    assert row().cursor == "2"
    assert "500" in row().trouble
    monkeypatch.setattr(segments, "SMALLER_PAGE", 2)
    sandbox.clear_requests()
    run()

    assert [one.query.get("start") for one in pages_asked(sandbox)] == ["2", "4"]
    assert members() == cio_ids(sandbox, trials)
    assert row().trouble == ""


def read_before(sandbox, trials):
    """A complete reading, after which somebody left and somebody came."""
    run()
    sandbox.segments.change(trials, "id", ["t0"], is_member=False)
    sandbox.people.add("new")
    sandbox.segments.change(trials, "id", ["new"], is_member=True)
    CustomerSegment.objects.update(due_at=Now())


def test_next_reading_replaces_the_last_one(sandbox, trials):
    read_before(sandbox, trials)

    run()

    assert members() == cio_ids(sandbox, trials)
    assert SegmentMember.objects.count() == 5  # the rows of before are gone
    assert is_in(sandbox.people.find("id", "t0")) is False


@pytest.mark.parametrize("fault", ["500", "503", "drop", "html", "truncated", "401", "403"])
def test_reading_that_fails_leaves_the_last_one_in_force(sandbox, trials, monkeypatch, fault):
    read_before(sandbox, trials)
    before = row().read_at
    monkeypatch.setattr(segments, "PAGE", 2)
    sandbox.faults.add("segments/membership", "none")
    sandbox.faults.add("segments/membership", fault, count=None)

    run()

    assert row().read_at == before
    assert row().trouble
    assert is_in(sandbox.people.find("id", "t0")) is True
    assert is_in(sandbox.people.find("id", "new")) is False
    assert not AppApiHealth.is_closed()  # people can be looked up all the same


def test_segment_that_is_being_built_is_not_believed(sandbox, trials):
    sandbox.segments.build(trials, is_finished=False)

    run()

    assert row().read_at is None
    assert "still building" in row().trouble
    assert pages_asked(sandbox) == []


def test_segment_that_is_built_anew_while_it_is_read_is_not_believed(sandbox, trials, monkeypatch):
    real = segments.CustomerSegment.begin

    def begin(self):
        sandbox.segments.build(trials, is_finished=False)
        real(self)

    monkeypatch.setattr(segments.CustomerSegment, "begin", begin)
    run()

    assert row().read_at is None
    assert row().begun_at is None
    assert "anew" in row().trouble


def test_cursor_that_customer_io_refuses_begins_the_reading_anew(sandbox, trials, monkeypatch):
    monkeypatch.setattr(segments, "PAGE", 2)
    monkeypatch.setattr(segments, "SMALLER_PAGE", 40_000)  # which the sandbox refuses with 400
    run()
    CustomerSegment.objects.update(read_at=None, begun_at=Now(), cursor="2", trouble="x",
                                   due_at=Now())  # fmt: skip

    run()

    assert (row().begun_at, row().cursor) == (None, "")


def test_reading_that_takes_longer_than_a_day_begins_anew(sandbox, trials):
    run()
    CustomerSegment.objects.filter(number=trials).update(
        begun_at=Now() - timedelta(days=2), cursor="4", due_at=Now()
    )
    SegmentMember.objects.create(segment=row(), reading=row().reading + 1, cio_id="of-before")
    sandbox.clear_requests()

    run()
    assert pages_asked(sandbox) == []
    run()

    assert [one.query.get("start") for one in pages_asked(sandbox)] == [None]
    assert members() == cio_ids(sandbox, trials)


def test_deleted_segment_keeps_its_people_and_is_not_asked_for(sandbox, trials):
    run()
    sandbox.segments.delete(trials)
    CustomerSegment.objects.update(due_at=Now())

    run()
    run()

    assert not row().is_listed
    assert is_in(sandbox.people.find("id", "t0")) is True
    assert unheard_of(PersonaCondition.objects.all()) == [("Trials", "")]


def test_segment_deleted_while_it_is_read_is_gone(sandbox, trials, monkeypatch):
    monkeypatch.setattr(segments, "PAGE", 2)
    sandbox.faults.add("segments/membership", "404")

    run()

    assert not row().is_listed
    assert row().begun_at is None


def test_renamed_segment_is_known_by_its_former_name_and_told(sandbox, trials):
    run()
    sandbox.segments.rename(trials, "Trial users")

    run()

    assert named(CustomerSegment.objects.all(), "Trials").number == trials
    assert is_in(sandbox.people.find("id", "t0")) is True
    assert unheard_of(PersonaCondition.objects.all()) == [("Trials", "Trial users")]


def test_name_with_a_mistake_is_told_with_the_nearest_one(sandbox, trials):
    name("Trails")

    run()

    assert unheard_of(PersonaCondition.objects.all()) == [("Trails", "Trials")]


def test_people_are_forgotten_when_no_condition_names_the_segment(sandbox, trials):
    run()
    PersonaCondition.objects.all().delete()

    assert segments.is_due()
    run()

    assert SegmentMember.objects.count() == 0
    assert row().read_at is None
    assert not row().is_named


def test_worker_is_woken_for_what_is_due_and_for_nothing_else(sandbox, trials):
    assert segments.is_due()
    segments.run(TOMORROW)
    assert not segments.is_due()

    CustomerSegment.objects.update(due_at=Now())
    assert segments.is_due()


def test_new_name_in_a_condition_is_read_within_minutes(sandbox, trials):
    segments.run(TOMORROW)
    number = sandbox.segments.create("VIP")["id"]
    name("VIP")

    assert not segments.is_due()  # the list was fetched a moment ago
    SegmentList.objects.update(listed_at=Now() - timedelta(minutes=11))
    assert segments.is_due()
    segments.run(TOMORROW)

    assert row("VIP").number == number
    assert row("VIP").read_at is not None


def test_list_is_fetched_once_a_day(sandbox):
    segments.run(TOMORROW)
    sandbox.segments.create("VIP")
    segments.run(TOMORROW)
    assert not CustomerSegment.objects.filter(name="VIP").exists()

    SegmentList.objects.update(due_at=Now())
    segments.run(TOMORROW)
    assert row("VIP")


@pytest.mark.parametrize("fault", ["403", "500", "drop", "html"])
def test_list_that_fails_keeps_what_was_known(sandbox, trials, fault):
    run()
    sandbox.faults.add("segments", fault)

    run()

    assert row().is_listed
    assert SegmentList.known().trouble
    assert not segments.is_due()  # it waits
    run()
    assert SegmentList.known().trouble == ""


def test_nobody_is_asked_without_a_key_or_while_the_app_api_fails(sandbox, trials, settings):
    AppApiHealth.current().failed("it fails", timedelta(minutes=1))
    assert not segments.is_due()

    settings.CIO_APP_KEY = ""
    assert not segments.is_due()
    assert not segments.run(TOMORROW)
    assert sandbox.requests == []


def test_one_worker_at_a_time_reads(sandbox, trials):
    SegmentList.claim()

    assert not run()
    assert not SegmentList.may_wake()


def test_one_wake_up_is_on_its_way_at_a_time():
    assert SegmentList.may_wake()
    assert not SegmentList.may_wake()

    SegmentList.claim().release()
    assert SegmentList.may_wake()


def test_worker_that_was_frozen_writes_nothing(sandbox, trials):
    run()
    one = row()
    one.begin()
    frozen = row()
    one.page_read(["a"], "2")

    with pytest.raises(Overtaken):
        frozen.page_read(["b"], "1")
    with pytest.raises(Overtaken):
        frozen.complete(["b"], TOMORROW)

    assert row().cursor == "2"
    assert not SegmentMember.objects.filter(cio_id="b").exists()


def test_run_ends_where_look_ups_leave_no_room(sandbox, trials, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setattr(pace, "WINDOW", timedelta(minutes=1))
    monkeypatch.setattr(segments, "RUN_SECONDS", 0.0)
    for _ in range(3):
        pacing.SharedPace().wait(2)
    sandbox.clear_requests()

    assert run()

    assert sandbox.requests == []
    assert SegmentList.known().lease_until is None


def test_customers_of_a_batch_are_read_by_one_query(sandbox, trials, django_assert_num_queries):
    run()
    people = [sandbox.people.find("id", f"t{n}") for n in range(3)]
    customers = [make_customer(cio_id=one.cio_id, external_id=None) for one in people]
    known = memberships("Trials")

    with django_assert_num_queries(2):  # the segments, then their people
        known.read(customers)
        assert [known.of(one)["trials"].is_in for one in customers] == [True] * 3


def test_nothing_is_asked_where_no_condition_names_a_segment(django_assert_num_queries):
    customer = make_customer()

    with django_assert_num_queries(0):
        known = memberships()
        known.read([customer])
        assert known.of(customer) == {}


def test_who_has_no_id_of_customer_io_is_neither_in_nor_out(sandbox, trials):
    run()

    known = memberships("Trials").of(make_customer(cio_id=None))

    assert known["trials"].is_in is None


def test_batch_that_began_before_a_reading_ended_sees_whole_readings_only(sandbox, trials):
    run()
    known = memberships("Trials")
    read_before(sandbox, trials)
    run()

    new = make_customer(cio_id=sandbox.people.find("id", "new").cio_id, external_id=None)

    assert known.of(new)["trials"].is_in is True
