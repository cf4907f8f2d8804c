"""The command that turns the segment on and off, what is told of its troubles, and its limits."""

import io
import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.urls import reverse

from briefs.models import Brief, SavingSegment, SegmentMembership, Signal
from briefs.models.saving import MAX_TRIES
from briefs.pipeline import draining
from briefs.saving import telling
from briefs.saving.switching import NAME
from briefs.saving.tests.making import make_person, names_in, postpone_comparing
from briefs.tests.factories import make_brief, make_customer, make_event, make_payload
from operations import sweeping
from operations.doctor import Verdict, work
from personas.models import Customer
from sandbox.reporting_webhooks import EVENTS

pytestmark = pytest.mark.django_db


def register(**options):
    """Run the command; returns all it printed."""
    said = io.StringIO()
    call_command("register_segment", stdout=said, stderr=said, **options)
    return said.getvalue()


def ours(sandbox):
    [segment] = [one for one in sandbox.segments.listing() if one["name"] == NAME]
    return segment["id"]


def writes(sandbox):
    """All requests that change anything, but for those that look people up by POST."""
    reads = ("/v1/customers/attributes",)
    return {
        (one.method, one.path)
        for one in sandbox.requests
        if one.method != "GET" and one.path not in reads
    }


# On and off -------------------------------------------------------------------------------------


def test_segment_is_made_filled_and_compared(sandbox):
    make_person(sandbox, "ann")

    said = register()

    assert f"Made: “{NAME}”" in said
    assert "In it now: 1 customer" in said
    assert names_in(sandbox, ours(sandbox)) == ["ann"]
    assert SavingSegment.objects.get().compared_at


def test_again_it_is_the_same_segment(sandbox):
    register()
    make_person(sandbox, "ann")

    said = register()

    assert f"Using: “{NAME}”" in said
    assert names_in(sandbox, ours(sandbox)) == ["ann"]


def test_dry_run_changes_nothing(sandbox):
    make_person(sandbox, "ann")
    make_person(sandbox, "deleted", is_deleted=True)
    make_brief(customer=make_customer(cio_id=None, external_id=None, email="", phone="+15550100"))

    said = register(dry_run=True)

    assert f"“{NAME}” would be made, and filled with 1 customer" in said
    assert writes(sandbox) == set()
    assert not SavingSegment.objects.exists()


def test_people_of_another_hand_are_taken_out_only_if_told_so(sandbox):
    number = sandbox.segments.create(NAME)["id"]
    sandbox.people.add("theirs")
    sandbox.segments.change(number, "id", ["theirs"], is_member=True)

    with pytest.raises(CommandError, match="--take-over"):
        register()
    assert names_in(sandbox, number) == ["theirs"]

    register(take_over=True)
    assert names_in(sandbox, number) == []


def test_segment_made_of_conditions_is_refused(sandbox):
    with pytest.raises(CommandError, match="made of conditions"):
        register(name="Everybody")


def test_another_segment_is_filled_from_the_beginning(sandbox):
    make_person(sandbox, "ann")
    register()
    assert f"People would stay in “{NAME}”" in register(name="Being talked to", dry_run=True)

    said = register(name="Being talked to")

    assert f"“{NAME}” (id {ours(sandbox)}) is no longer kept, and whoever is in it stays" in said
    assert names_in(sandbox, ours(sandbox)) == ["ann"]
    other = sandbox.segments.listing()[-1]
    assert (other["name"], names_in(sandbox, other["id"])) == ("Being talked to", ["ann"])


def test_off_empties_the_segment_and_stops(sandbox):
    make_person(sandbox, "ann")
    register()
    sandbox.people.add("by-hand")
    sandbox.segments.change(ours(sandbox), "id", ["by-hand"], is_member=True)

    assert "would be emptied of 1 customer" in register(off=True, dry_run=True)
    assert "Emptied and off" in register(off=True)

    assert names_in(sandbox, ours(sandbox)) == []
    assert not SegmentMembership.objects.exists()
    sandbox.clear_requests()
    telling.wake_if_due()
    assert not telling.run()
    assert sandbox.requests == []
    assert "off already" in register(off=True)


def test_off_goes_on_in_the_background_where_customer_io_does_not_answer(sandbox):
    make_person(sandbox, "ann")
    register()
    sandbox.faults.add("segments/remove_customers", "500")

    with pytest.raises(CommandError, match="tried again by itself"):
        register(off=True)
    SavingSegment.objects.update(retry_at=None)
    telling.run()

    assert SavingSegment.objects.get().state == "off"
    assert names_in(sandbox, ours(sandbox)) == []


def test_off_says_that_a_worker_goes_on_with_it(sandbox):
    register()
    SavingSegment.claim()

    assert "A worker is at it" in register(off=True)

    assert SavingSegment.objects.get().state == "emptying"


def test_off_is_off_though_the_segment_was_deleted(sandbox):
    make_person(sandbox, "ann")
    register()
    sandbox.segments.delete(ours(sandbox))

    register(off=True)

    assert SavingSegment.objects.get().state == "off"


def test_off_is_off_without_a_key(sandbox, settings):
    register()
    settings.CIO_TRACK_KEY = ""

    assert "nobody was taken out" in register(off=True)

    assert work.segment().level == Verdict.OK


def test_off_is_off_without_a_list_though_somebody_failed(sandbox, settings):
    make_person(sandbox, "ann")
    register()
    SegmentMembership.objects.update(tries=MAX_TRIES, is_member=False)
    settings.CIO_APP_KEY = ""

    assert "Emptied and off" in register(off=True)


@pytest.mark.parametrize(
    ("name", "words"), [("CIO_TRACK_KEY", "CIO_TRACK_SITE_ID and"), ("CIO_APP_KEY", "CIO_APP_KEY")]
)
def test_without_a_key_it_says_which(sandbox, settings, name, words):
    setattr(settings, name, "")

    with pytest.raises(CommandError, match=words):
        register()


def test_key_without_the_scope_is_explained(sandbox):
    sandbox.faults.add("segments", "403")

    with pytest.raises(CommandError, match="may not manage segments"):
        register()


# Troubles ---------------------------------------------------------------------------------------


def test_doctor_says_that_it_is_off():
    finding = work.segment()

    assert (finding.level, finding.seen) == (
        Verdict.OK,
        "off: Savedesk writes nothing to Customer.io",
    )


def test_doctor_counts_who_is_in_it(sandbox):
    make_person(sandbox, "ann")
    register()
    make_person(sandbox, "ben")

    assert work.segment().seen == f"“{NAME}”: 1 customer in it, 1 waiting"


@pytest.mark.parametrize(
    ("fault", "cure"),
    [("401", "CIO_TRACK_SITE_ID"), ("403", "CIO_TRACK_KEY"), ("404", "register_segment makes it")],
)
def test_what_only_a_person_can_cure_is_told_at_once(sandbox, signed_in, fault, cure):
    register()
    make_person(sandbox, "ann")
    sandbox.faults.add("segments/add_customers", fault)

    telling.run()

    finding = work.segment()
    assert finding.level == Verdict.FAIL
    assert cure in finding.cure
    assert "is not kept" in signed_in.get("/webhook-health/").content.decode()


def test_key_that_is_removed_is_told(sandbox, settings):
    register()
    settings.CIO_TRACK_SITE_ID = ""

    assert "CIO_TRACK_SITE_ID or CIO_TRACK_KEY is not set" in work.segment().seen
    assert "register_segment --off" in work.segment().cure


def test_fault_that_may_heal_is_told_after_ten_minutes(sandbox):
    register()
    make_person(sandbox, "ann")
    sandbox.faults.add("segments/add_customers", "500", count=None)

    telling.run()
    assert work.segment().level == Verdict.OK

    SavingSegment.objects.update(failing_since=Now() - timedelta(minutes=11))
    assert work.segment().level == Verdict.FAIL


def test_customers_who_failed_on_every_try_are_counted(sandbox, admin_client):
    brief = make_person(sandbox, "ann")
    sandbox.refused_ids = {brief.customer.cio_id}
    register()

    SegmentMembership.objects.update(tries=MAX_TRIES)

    assert "1 customer with an open brief could not be put into" in work.segment().seen
    assert "after the next nightly comparison" in work.segment().cure
    page = admin_client.get("/webhook-health/").content.decode()
    url = reverse("admin:briefs_segmentmembership_changelist")
    assert url in page
    shown = admin_client.get(url, {"standing": "failed"}).content.decode()
    assert f"cio_id:{brief.customer.cio_id}" in shown


def test_list_that_the_key_may_not_read_is_told(sandbox):
    sandbox.faults.add("segments/membership", "403", count=None)
    with pytest.raises(CommandError, match="403"):
        register()

    finding = work.segment()
    assert finding.level == Verdict.WARN
    assert "was not compared with ours yet" in finding.seen


@pytest.mark.parametrize(
    ("key", "why"),
    [("a key", "no comparison came to its end"), ("", "CIO_APP_KEY is not set")],
)
def test_comparison_that_never_ends_is_told(sandbox, settings, key, why):
    register()
    settings.CIO_APP_KEY = key

    begun_at = Now() - timedelta(days=1)
    SavingSegment.objects.update(compare_at=begun_at, comparing_since=begun_at)
    assert work.segment().level == Verdict.OK

    begun_at = Now() - timedelta(days=2)
    SavingSegment.objects.update(compare_at=begun_at, comparing_since=begun_at)
    assert work.segment().level == Verdict.WARN
    assert why in work.segment().seen


# What is written, and what it can cause ---------------------------------------------------------


def test_nothing_but_the_segment_is_ever_written(sandbox, starter):
    """From the event to the closing and to the end, with everything that the sweep does."""
    register()
    sandbox.people.add("ann", attributes={"plan": "enterprise", "industry": "banking"})
    make_event(make_payload(data={"identifiers": {"id": "ann"}}))
    draining.drain()
    sweeping.sweep()
    telling.run()
    assert names_in(sandbox, ours(sandbox)) == ["ann"]
    Brief.objects.get().close(Brief.Outcome.RETAINED)
    telling.run()
    register(off=True)

    number = ours(sandbox)
    assert writes(sandbox) == {
        ("POST", "/v1/segments"),
        ("POST", f"/track/api/v1/segments/{number}/add_customers"),
        ("POST", f"/track/api/v1/segments/{number}/remove_customers"),
    }
    bodies = [json.loads(r.body) for r in sandbox.requests if r.path.startswith("/track/")]
    assert all(body.keys() == {"ids"} for body in bodies)


def test_customer_io_reports_no_event_about_segments():
    assert not [name for name in EVENTS if "segment" in name]


@pytest.mark.parametrize("metric", ["segment_joined", "segment_left", "attribute_changed"])
def test_event_about_our_own_write_would_be_no_signal(sandbox, starter, metric):
    """Were Customer.io to report it one day: no rule is about it, and the brief stays as it is."""
    brief = make_person(sandbox, "ann")
    register()
    identifiers = {"id": "ann", "cio_id": brief.customer.cio_id}
    event = make_event(make_payload(metric=metric, data={"identifiers": identifiers}))

    draining.drain()

    event.refresh_from_db()
    assert event.status == "ignored"
    assert not Signal.objects.exists()
    assert Brief.objects.get().revision == brief.revision
    assert Customer.objects.get().is_unsubscribed is None


def test_sweep_fills_the_segment(sandbox, monkeypatch):
    register()
    postpone_comparing()
    make_person(sandbox, "ann")
    monkeypatch.setattr(telling.waking, "wake", lambda task, cluster: False)

    sweeping.sweep()

    assert names_in(sandbox, ours(sandbox)) == ["ann"]
