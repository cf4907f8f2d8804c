"""Segments by both APIs of Customer.io, over HTTP: what is sent, what is read, and refusals."""

import json

import pytest

from providers import http
from providers.customerio import AppApi, LookupFailed
from providers.customerio_track import Refused, TrackApi, TrackFailed
from providers.segments import Member, Members, Segment, read_members, read_segment


@pytest.fixture
def segment(sandbox):
    return AppApi().create_segment("Saving", "Those who are talked to")


def members(segment):
    return [one.id for one in AppApi().segment_members(segment.id).people]


def test_new_segment_is_manual_empty_and_listed(segment):
    assert segment == Segment(segment.id, "Saving", is_manual=True, is_ready=True)
    assert AppApi().segment(segment.id) == segment
    assert segment in AppApi().segments()
    assert AppApi().segment_members(segment.id) == Members([], "")


def test_people_come_and_leave(segment):
    TrackApi().add(segment.id, "id", ["acme-1003", "nobody"])
    assert members(segment) == ["acme-1003"]

    TrackApi().remove(segment.id, "id", ["acme-1003"])
    assert members(segment) == []


def test_people_are_read_page_by_page(segment):
    ids = [f"pro-design-low-{number}" for number in range(3)]
    TrackApi().add(segment.id, "id", ids)

    first = AppApi().segment_members(segment.id, most=2)
    second = AppApi().segment_members(segment.id, first.next, most=2)

    assert [one.id for one in first.people + second.people] == ids
    assert second.next == ""


@pytest.mark.parametrize(
    "reply", [{}, {"identifiers": "abc"}, {"identifiers": 5}, {"identifiers": [], "next": "7"}]
)
def test_reply_that_is_no_page_is_no_empty_page(segment, monkeypatch, reply):
    answer = http.Reply(200, {}, json.dumps(reply).encode())
    monkeypatch.setattr(http, "send", lambda *args, **kw: answer)

    with pytest.raises(LookupFailed):
        AppApi().segment_members(segment.id, start="7")


def test_segment_that_is_not_there_is_a_404(sandbox):
    with pytest.raises(LookupFailed) as listed:
        AppApi().segment_members(99)
    with pytest.raises(TrackFailed) as told:
        TrackApi().add(99, "id", ["acme-1003"])

    assert (listed.value.http_status, told.value.http_status) == (404, 404)


def test_request_that_is_refused_is_told_from_one_that_failed(sandbox, segment):
    sandbox.refused_ids = {"bad"}
    with pytest.raises(Refused):
        TrackApi().add(segment.id, "id", ["bad"])

    sandbox.faults.add("segments/add_customers", "429", retry_after=7)
    with pytest.raises(TrackFailed) as limited:
        TrackApi().add(segment.id, "id", ["acme-1003"])
    assert not isinstance(limited.value, Refused)
    assert limited.value.retry_after == 7


def test_key_of_the_app_api_is_refused(sandbox, settings, segment):
    settings.CIO_TRACK_KEY = settings.CIO_APP_KEY

    with pytest.raises(TrackFailed) as refused:
        TrackApi().add(segment.id, "id", ["acme-1003"])

    assert refused.value.http_status == 401


def test_what_the_list_leaves_out_is_empty():
    """Workspaces that identify people by id alone have no address; an empty list is null."""
    reply = {"ids": [""], "identifiers": [{"cio_id": "cio_a1", "id": None}, "?"], "next": "b"}

    assert read_members(reply) == Members([Member("a1", "", "")], "b")
    assert read_members({"ids": None, "identifiers": None}) == Members([], "")


@pytest.mark.parametrize("item", [None, {}, {"id": "7"}, []])
def test_item_without_a_number_is_no_segment(item):
    assert read_segment(item) is None


def test_segment_that_is_being_built_is_not_ready():
    assert not read_segment({"id": 7, "type": "manual", "state": "build"}).is_ready
