"""Many unsubscribes while Customer.io's App API is down, and what happens to them afterwards."""

from functools import partial

import pytest
from django.utils import timezone

from briefs.models import Brief, Notification, Research
from briefs.notifying import outbox
from briefs.notifying.tests.listener import make_target
from briefs.pipeline import draining, profiles
from briefs.tests.factories import make_customer, make_event, make_payload
from operations import sweeping
from personas.models import AppApiHealth, AppApiPace
from personas.people import lookups
from personas.people.pacing import paced_app_api
from webhooks.models import WebhookEvent

pytestmark = [pytest.mark.django_db, pytest.mark.on_sqlite, pytest.mark.usefixtures("starter")]

BATCH = "customers/attributes"
EACH = 10
KINDS = ["enterprise-retail-low", "pro-design-low", "free-retail-high", "trial-retail-low"]


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    """Time-outs of half a second instead of three, so that a hanging server does not slow tests."""
    monkeypatch.setattr(lookups, "paced_app_api", partial(paced_app_api, budget_seconds=0.5))


@pytest.fixture
def patient(monkeypatch):
    monkeypatch.setattr(lookups, "paced_app_api", paced_app_api)


def unsubscribe(person):
    make_event(make_payload(data={"identifiers": {"id": person}}))


def blast(sandbox, fault="drop", each=EACH):
    """Everybody unsubscribes, and nobody can be looked up."""
    sandbox.faults.add(BATCH, fault, count=None)
    for number in range(each):
        for kind in KINDS:
            unsubscribe(f"{kind}-{number}")
    draining.drain()


def end_of_outage(sandbox):
    sandbox.faults.clear()
    AppApiHealth.objects.update(retry_at=None)


def catch_up():
    """As many sweeps as a busy machine needs; returns how many briefs were decided."""
    decided = 0
    while now := profiles.catch_up():
        decided += now
    return decided


def waiting():
    return Brief.objects.open().filter(is_waiting_for_profile=True)


@pytest.mark.parametrize("fault", ["drop", "503", "hang"])
def test_blast_opens_briefs_that_wait_outside_of_the_inbox(sandbox, fault):
    blast(sandbox, fault)

    assert waiting().count() == len(KINDS) * EACH
    assert not Brief.objects.in_inbox().exists()
    assert not WebhookEvent.objects.filter(status=WebhookEvent.Status.PENDING).exists()


def test_blast_buys_no_research_and_asks_mave_nothing(sandbox):
    blast(sandbox)
    sweeping.sweep()

    assert not Research.objects.exists()
    assert not [request for request in sandbox.requests if "mave" in request.path]


def test_blast_costs_one_look_up_however_many_batches_it_takes(sandbox, monkeypatch):
    monkeypatch.setattr(draining, "BATCH_SIZE", 12)

    blast(sandbox, "hang")
    sweeping.sweep()

    assert waiting().count() == len(KINDS) * EACH
    assert len(sandbox.requests) == 1


def test_blast_tells_nobody(sandbox):
    make_target("json://example.com/")

    blast(sandbox)
    sweeping.sweep()

    assert not Notification.objects.filter(kind=Notification.Kind.BRIEF).exists()


def test_known_customers_are_served_by_what_was_known(sandbox):
    make_customer(
        external_id="old", cio_id=None, fetched_at=timezone.now() - timezone.timedelta(days=3)
    )
    unsubscribe("old")
    blast(sandbox)

    brief = Brief.objects.in_inbox().get()
    assert brief.persona.name == "Enterprise, low usage"


@pytest.mark.usefixtures("patient")
def test_after_the_outage_everybody_is_mapped_or_withdrawn_with_the_reason(sandbox):
    blast(sandbox)
    end_of_outage(sandbox)

    assert catch_up() == len(KINDS) * EACH

    assert not waiting().exists()
    assert Brief.objects.in_inbox().count() == 3 * EACH
    withdrawn = Brief.objects.filter(outcome=Brief.Outcome.WITHDRAWN)
    assert withdrawn.count() == EACH
    assert "“Free, heavy use”: plan is “free”" in withdrawn.first().closing_note
    assert withdrawn.first().activities.last().text.startswith("closed it: Withdrawn · the profile")


@pytest.mark.usefixtures("patient")
def test_after_the_outage_only_distinct_research_is_opened(sandbox):
    blast(sandbox)
    end_of_outage(sandbox)

    catch_up()

    mapped = Brief.objects.in_inbox().filter(research__isnull=False)
    assert mapped.count() == 3 * EACH
    assert Research.objects.count() == mapped.values("research__question_hash").distinct().count()
    assert Research.objects.count() == 3


@pytest.mark.usefixtures("patient")
def test_after_the_outage_a_brief_that_was_taken_is_kept(sandbox, user):
    blast(sandbox)
    taken = waiting().get(customer__external_id="free-retail-high-7")
    taken.assign(user, user)
    end_of_outage(sandbox)

    catch_up()

    taken.refresh_from_db()
    assert (taken.is_open, taken.assignee, taken.persona.name) == (True, user, "Free, heavy use")
    assert taken.research is None


@pytest.mark.usefixtures("patient")
def test_after_the_outage_a_target_is_told_of_all_in_one_digest(sandbox):
    target = make_target("json://example.com/")
    blast(sandbox)
    end_of_outage(sandbox)

    catch_up()

    assert target.notifications.filter(kind="brief").count() == 3 * EACH  # the high ones
    assert outbox.claim_next().kind == Notification.Kind.DIGEST
    assert not Notification.objects.due().filter(kind="brief").exists()


@pytest.mark.usefixtures("patient")
def test_people_are_asked_for_by_the_hundred(sandbox):
    blast(sandbox, each=40)
    end_of_outage(sandbox)
    sandbox.clear_requests()

    catch_up()

    assert len(sandbox.requests) == 3  # 160 people: 50 after the failure, then 100, then 10


def test_blast_that_reaches_our_own_limit_waits_too_and_opens_no_breaker(sandbox):
    AppApiPace.hold_back(60)

    unsubscribe("enterprise-retail-low-1")
    draining.drain()

    assert "look-up failed: Customer.io asked for silence" in waiting().get().persona_why
    assert not AppApiHealth.is_closed()
    assert sandbox.requests == []
