"""What happens to a brief when the profile arrives for which it waited."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from briefs.models import Brief, Priority
from briefs.notifying.tests.listener import make_target
from briefs.pipeline import draining, profiles
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_signal,
    make_threshold,
)
from personas.models import AppApiHealth, Customer, Persona
from personas.people import lookups
from providers.customerio import AppApi, LookupFailed

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter", "sandbox")]


@pytest.fixture
def waiting():
    """A brief of an enterprise customer whose profile could not be looked up."""
    return make_brief(
        customer=make_customer(
            external_id="enterprise-retail-low-1", cio_id=None, fetched_at=None, attributes={}
        ),
        persona=Persona.objects.get(is_unknown=True),
        is_waiting_for_profile=True,
        priority=Priority.MEDIUM,
    )


def decided(brief):
    assert profiles.catch_up() == 1
    brief.refresh_from_db()
    assert not brief.is_waiting_for_profile
    assert brief.persona.name == "Enterprise, low usage"
    return brief


def test_most_severe_signal_decides_the_priority(waiting):
    make_threshold()
    make_signal(brief=waiting, severity=1)
    make_signal(brief=waiting, severity=3)

    assert decided(waiting).priority == Priority.URGENT


def test_signal_that_opens_no_brief_does_not_change_the_priority(waiting):
    make_signal(brief=waiting, severity=1)
    make_signal(brief=waiting, severity=3, effect="timeline", kind="mailbox_full")

    assert decided(waiting).priority == Priority.MEDIUM  # low, one step up for high value


def test_brief_whose_signals_are_gone_is_decided_too(waiting):
    assert decided(waiting).priority == Priority.HIGH


# Many at once -------------------------------------------------------------------------------------


@pytest.fixture
def wait():
    """Opens a brief that waits for the profile of the customer with these fields."""

    def wait(**fields):
        fields = {"cio_id": None, "external_id": None, "email": "", **fields}
        return make_brief(
            customer=make_customer(fetched_at=None, attributes={}, **fields),
            persona=Persona.objects.get(is_unknown=True),
            is_waiting_for_profile=True,
        )

    return wait


def is_waiting(brief):
    brief.refresh_from_db()
    return brief.is_open and brief.is_waiting_for_profile


def test_further_batch_costs_no_more_statements_than_its_own(wait, django_assert_max_num_queries):
    for number in range(100):
        wait(external_id=f"enterprise-retail-low-{number}")

    with django_assert_max_num_queries(100 + 100 + 80):  # a row each for customer and brief
        assert profiles.catch_up() == 100


def test_deleted_person_ends_with_a_low_brief_and_no_research(wait):
    brief = wait(external_id="deleted-1")

    profiles.catch_up()

    assert not is_waiting(brief)
    assert (brief.priority, brief.research) == (Priority.LOW, None)
    assert "deleted in Customer.io" in brief.persona_why


def test_customer_who_was_found_is_decided_when_others_could_not_be_found(wait, sandbox):
    found = wait(external_id="enterprise-retail-low-1")
    by_address = wait(email="ruth.adeyemi@example.com")
    sandbox.faults.add("customers", "500")

    assert profiles.catch_up() == 1

    assert (is_waiting(found), is_waiting(by_address)) == (False, True)


def test_each_customer_is_tried_once_a_sweep(wait, monkeypatch):
    briefs = [wait(external_id=f"enterprise-retail-low-{number}") for number in range(150)]
    tried = []
    monkeypatch.setattr(profiles.lookups, "refresh", lambda customers: tried.extend(customers))

    assert profiles.catch_up() == 0

    assert sorted(customer.pk for customer in tried) == [brief.customer_id for brief in briefs]


def test_time_that_is_used_up_leaves_the_rest_to_the_next_sweep(wait, monkeypatch):
    monkeypatch.setattr(profiles, "SECONDS", 0)
    for number in range(150):
        wait(external_id=f"enterprise-retail-low-{number}")

    assert [profiles.catch_up(), profiles.catch_up(), profiles.catch_up()] in (
        [100, 50, 0], [50, 100, 0],
    )  # fmt: skip


def test_profile_that_an_earlier_look_up_found_is_decided_during_an_outage(wait, sandbox):
    found, unknown = wait(external_id="enterprise-retail-low-1"), wait(external_id="acme-1003")
    lookups.refresh([found.customer])
    AppApiHealth.current().failed("it answered 500", timedelta(minutes=5))
    sandbox.clear_requests()

    assert profiles.catch_up() == 1

    assert (is_waiting(found), is_waiting(unknown), sandbox.requests) == (False, True, [])


def test_one_brief_that_the_database_refuses_does_not_stop_the_others(wait, monkeypatch):
    briefs = [wait(external_id=f"enterprise-retail-low-{number}") for number in range(3)]
    attach = profiles.sharing.attach

    def refuse_the_second(wanted):
        if briefs[1] in wanted:
            raise DatabaseError("refused")
        return attach(wanted)

    monkeypatch.setattr(profiles.sharing, "attach", refuse_the_second)

    assert profiles.catch_up() == 2
    assert [is_waiting(brief) for brief in briefs] == [False, True, False]


def test_customer_who_was_erased_meanwhile_stops_nobody(wait, monkeypatch):
    erased, other = (wait(external_id=f"enterprise-retail-low-{number}") for number in range(2))
    find = lookups._find

    def erase_and_find(*args):
        erased.customer.delete()
        return find(*args)

    monkeypatch.setattr(lookups, "_find", erase_and_find)

    assert profiles.catch_up() == 1
    assert not is_waiting(other)


def test_person_on_whom_the_app_api_fails_keeps_nobody_else_waiting(wait, monkeypatch):
    briefs = [wait(external_id=f"enterprise-retail-low-{number}") for number in range(20)]
    find = lookups._find

    def fail_on_the_first(api, id_type, ids):
        if briefs[0].customer.external_id in ids:
            raise LookupFailed("Customer.io's App API answered 500")
        return find(api, id_type, ids)

    monkeypatch.setattr(lookups, "_find", fail_on_the_first)
    for _ in range(60):  # an hour of sweeps; ten are usual
        AppApiHealth.objects.update(retry_at=None)
        profiles.catch_up()

    assert [brief for brief in briefs if is_waiting(brief)] == briefs[:1]


def test_outage_costs_one_request_a_sweep_however_many_wait(wait, sandbox):
    for number in range(30):
        wait(external_id=f"enterprise-retail-low-{number}")
        wait(email=f"person-{number}@example.com")
    for endpoint in ("customers", "customers/attributes"):
        sandbox.faults.add(endpoint, "503", count=None)

    for _ in range(12):
        AppApiHealth.objects.update(retry_at=None)
        profiles.catch_up()

    assert len(sandbox.requests) == 12


def test_person_with_an_id_who_cannot_be_found_does_not_block_those_with_an_address(
    wait, monkeypatch
):
    by_id = wait(external_id="enterprise-retail-low-1")
    by_address = wait(email="ruth.adeyemi@example.com")
    profiles_of = AppApi.profiles

    def fail_on_ids(self, id_type, ids):
        if id_type == "id":
            raise LookupFailed("Customer.io's App API answered 500")
        return profiles_of(self, id_type, ids)

    monkeypatch.setattr(AppApi, "profiles", fail_on_ids)
    for _ in range(60):
        AppApiHealth.objects.update(retry_at=None)
        profiles.catch_up()

    assert (is_waiting(by_id), is_waiting(by_address)) == (True, False)


def test_few_who_were_found_are_decided_among_many_who_were_not(wait, monkeypatch):
    monkeypatch.setattr(profiles, "BATCH_SIZE", 1)
    found = wait(external_id="enterprise-retail-low-0")
    lookups.refresh([found.customer])
    for number in range(1, 60):
        wait(external_id=f"enterprise-retail-low-{number}")
    AppApiHealth.current().failed("it answered 500", timedelta(minutes=5))

    assert profiles.catch_up() == 1

    assert not is_waiting(found)


# Without a key ------------------------------------------------------------------------------------


def test_briefs_that_wait_are_shown_once_the_key_is_gone(wait, settings):
    target = make_target("json://example.com/", minimum_priority=Priority.MEDIUM)
    brief = wait(external_id="enterprise-retail-low-1")
    settings.CIO_APP_KEY = ""

    profiles.catch_up()

    assert brief in Brief.objects.in_inbox()
    why = "the App API of Customer.io is not connected"
    assert brief.activities.get().text == f"no longer waits for the profile: {why}"
    assert target.notifications.get().brief == brief


def test_profile_that_was_found_before_the_key_went_decides(wait, settings):
    brief, _ = (wait(external_id=f"enterprise-retail-low-{number}") for number in range(2))
    lookups.refresh([brief.customer])
    settings.CIO_APP_KEY = ""

    assert profiles.catch_up() == 1

    brief.refresh_from_db()
    assert brief.persona.name == "Enterprise, low usage"


# Two rows of one person ---------------------------------------------------------------------------


def test_address_whose_look_up_reveals_a_known_person_is_merged_with_them(wait, sandbox):
    cio_id = sandbox.people.find("id", "acme-1003").cio_id
    known = make_brief(customer=make_customer(cio_id=cio_id, external_id="acme-1003"))
    by_address = wait(email="ruth.adeyemi@example.com")
    signal = make_signal(brief=by_address)

    profiles.catch_up()

    assert list(Customer.objects.all()) == [known.customer]
    assert Brief.objects.open().get() == known
    assert list(known.signals.all()) == [signal]
    assert not is_waiting(by_address)


def test_event_with_nothing_but_the_address_joins_the_brief_of_the_known_person(sandbox):
    cio_id = sandbox.people.find("id", "acme-1003").cio_id
    known = make_brief(customer=make_customer(cio_id=cio_id, email="", external_id="acme-1003"))
    make_event(make_payload(data={"identifiers": {"email": "ruth.adeyemi@example.com"}}))

    draining.drain()

    assert Customer.objects.get() == known.customer
    assert Brief.objects.get().signals.count() == 1


def test_rows_with_a_cio_id_each_are_two_people_although_the_id_of_one_moved_on(sandbox):
    sandbox.people.add("42", cio_id="c1", attributes={"plan": "pro"})
    former = make_customer(cio_id="c2", external_id="42")
    customer = make_customer(cio_id="c1", external_id=None, fetched_at=None)

    lookups.refresh([customer])

    assert (customer.twin, customer.external_id) == (None, "42")
    assert customer.attributes["plan"] == "pro"
    former.refresh_from_db()
    assert former.external_id is None
    assert former.aliases.get().value == "42"
