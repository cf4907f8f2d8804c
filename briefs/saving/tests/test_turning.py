"""Somebody turns the segment on or off while a run is under way, over HTTP."""

import pytest

from briefs.models import SavingSegment, SegmentMembership
from briefs.saving import telling
from briefs.saving.tests.making import (
    NAME,
    make_person,
    make_segment,
    names_in,
    postpone_comparing,
    run,
)
from personas.models import AppApiPace
from providers.customerio_track import TrackApi

pytestmark = pytest.mark.django_db


@pytest.fixture
def segment(sandbox):
    return make_segment(sandbox)


def during_the_first(call, monkeypatch, act):
    """Let `act` happen once, when Customer.io has carried out this call and nobody noted it yet."""
    real, acts = getattr(TrackApi, call), [act]

    def call_and_act(self, *args):
        real(self, *args)
        if acts:
            acts.pop()()

    monkeypatch.setattr(TrackApi, call, call_and_act)


def test_run_ends_when_the_segment_is_turned_off(sandbox, segment, monkeypatch):
    monkeypatch.setattr(telling, "MOST_IDS", 2)
    for number in range(6):
        make_person(sandbox, f"p{number}")
    during_the_first("add", monkeypatch, SavingSegment.objects.get().turn_off)

    run()
    assert names_in(sandbox, segment) == ["p0", "p1"]

    AppApiPace.objects.all().delete()
    run()
    assert names_in(sandbox, segment) == []
    assert SavingSegment.objects.get().state == "off"


def test_nobody_empties_it_while_the_last_request_is_under_way(sandbox, segment, monkeypatch):
    make_person(sandbox, "ann")
    answers = []

    def turn_off():
        SavingSegment.objects.get().turn_off()
        answers.append(telling.run())

    during_the_first("add", monkeypatch, turn_off)
    run()

    assert answers == [False]
    assert SavingSegment.objects.get().lease_until is None  # the next run need not wait


def test_emptying_ends_when_the_segment_is_turned_on_again(sandbox, segment, monkeypatch):
    make_person(sandbox, "ann")
    run()
    SavingSegment.objects.get().turn_off()

    def turn_on():
        SavingSegment.turn_on(segment, NAME)
        telling.run()

    during_the_first("remove", monkeypatch, turn_on)

    run()
    run()

    assert SavingSegment.objects.get().state == "on"
    assert names_in(sandbox, segment) == ["ann"]


def test_what_is_turned_on_at_the_end_of_an_emptying_stays_on(sandbox, segment):
    make_person(sandbox, "ann")
    SavingSegment.objects.get().turn_off()
    old = SavingSegment.claim()
    SavingSegment.turn_on(segment, NAME)
    SegmentMembership.objects.all().begin(1)

    old.emptied()

    assert SavingSegment.objects.get().state == "on"
    assert SegmentMembership.objects.exists()


def test_who_was_put_into_the_segment_before_is_put_into_the_new_one(sandbox, segment, monkeypatch):
    monkeypatch.setattr(telling, "MOST_IDS", 2)
    for number in range(4):
        make_person(sandbox, f"p{number}")
    other = sandbox.segments.create("other")["id"]
    during_the_first("add", monkeypatch, lambda: SavingSegment.turn_on(other, "other"))

    run()
    postpone_comparing()
    run()

    assert names_in(sandbox, segment) == ["p0", "p1"]
    assert names_in(sandbox, other) == ["p0", "p1", "p2", "p3"]
