"""Keeping attributes fresh: whom to ask, what to keep, and when the App API is not asked."""

import json
import time
from contextlib import ExitStack
from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from personas.models import AppApiHealth, AppApiPace, Customer, Twin
from personas.people import lookups
from sandbox.server import Sandbox
from sandbox.wire import json_reply
from webhooks.tests.clock import clock
from webhooks.tests.threads import at_once

pytestmark = pytest.mark.django_db

BATCH = "customers/attributes"
RUTH = "acme-1003"


def make_customer(external_id=RUTH, **fields):
    return Customer.objects.create(external_id=external_id, **fields)


def hours_ago(hours):
    return timezone.now() - timedelta(hours=hours)


def row(customer):
    return Customer.objects.get(pk=customer.pk)


@pytest.fixture
def serve(settings):
    """Runs another sandbox in the App API's place, for the length of the test."""
    with ExitStack() as running:

        def serve(sandbox):
            running.enter_context(sandbox)
            settings.CIO_APP_BASE_URL = sandbox.cio_base_url
            settings.CIO_APP_KEY = sandbox.cio_key
            return sandbox

        yield serve


# Finding ----------------------------------------------------------------------------------------


def test_person_is_looked_up_and_everything_kept(sandbox):
    customer = make_customer()

    assert lookups.refresh([customer]) == ""

    stored = row(customer)
    assert stored.attributes["plan"] == customer.attributes["plan"] == "enterprise"
    assert stored.preferences["topics"] == {"topic_1": True, "topic_2": False}
    assert stored.devices[0]["platform"] == "android"
    assert stored.is_unsubscribed is False
    assert stored.email == "ruth.adeyemi@example.com"
    assert stored.cio_id == sandbox.people.find("id", RUTH).cio_id
    assert lookups.is_fresh(customer)


def test_person_is_found_by_cio_id_and_their_id_learned(sandbox):
    customer = make_customer(None, cio_id=sandbox.people.find("id", RUTH).cio_id)

    lookups.refresh([customer])

    assert row(customer).external_id == RUTH


def test_fresh_ones_are_not_asked_for(sandbox):
    fresh, stale = make_customer(fetched_at=hours_ago(0.9)), make_customer("acme-1004")

    lookups.refresh([fresh, stale])
    lookups.refresh([fresh, stale])

    [request] = sandbox.requests
    assert json.loads(request.body) == {"ids": ["acme-1004"]}


def test_fresh_ones_are_looked_up_with_force(sandbox):
    customer = make_customer(fetched_at=hours_ago(0.9))

    lookups.refresh([customer], force=True)

    assert row(customer).attributes["plan"] == "enterprise"


def test_people_are_written_in_the_order_of_their_keys(sandbox):
    first, second, third = (make_customer(f"acme-{number}") for number in (1005, 1003, 1004))

    lookups.refresh([third, first, second])

    assert json.loads(sandbox.requests[0].body)["ids"] == ["acme-1005", "acme-1003", "acme-1004"]


def test_two_workers_who_look_up_the_same_people_do_not_deadlock(threaded_db, sandbox):
    for number in range(100):
        make_customer(f"pro-design-low-{number}")
    orders = [list(Customer.objects.order_by(order)) for order in ("pk", "-pk")]

    assert at_once(2, lambda number: lookups.refresh(orders[number])) == ["", ""]


def test_empty_list_of_people_sends_no_request(sandbox):
    assert lookups.refresh([]) == ""
    assert sandbox.requests == []


def test_second_look_up_replaces_the_first(sandbox):
    customer = make_customer()
    lookups.refresh([customer])
    sandbox.people.add(RUTH, cio_id=customer.cio_id, attributes={"plan": "free"})

    clock.set(timezone.now() + timedelta(hours=2))
    lookups.refresh([row(customer)])

    assert row(customer).attributes["plan"] == "free"


def test_many_are_asked_for_by_the_hundred(sandbox):
    customers = [make_customer(f"pro-design-low-{number}") for number in range(150)]

    assert lookups.refresh(customers) == ""

    assert [len(json.loads(request.body)["ids"]) for request in sandbox.requests] == [100, 50]
    assert not Customer.objects.filter(fetched_at=None).exists()


def test_omitted_person_is_deleted_and_keeps_what_was_known(sandbox):
    gone = make_customer("deleted-1", attributes={"plan": "pro"}, fetched_at=hours_ago(2))
    there = make_customer()

    assert lookups.refresh([gone, there]) == ""

    assert (row(gone).is_deleted, row(gone).attributes) == (True, {"plan": "pro"})
    assert (row(there).is_deleted, lookups.is_fresh(gone)) == (False, True)


def test_person_who_is_back_is_no_longer_deleted(sandbox):
    customer = make_customer(is_deleted=True, fetched_at=hours_ago(2))

    lookups.refresh([customer])

    assert not row(customer).is_deleted


def test_identifier_that_another_row_has_is_left_there(sandbox):
    cio_id = sandbox.people.find("id", RUTH).cio_id
    other = make_customer(None, cio_id=cio_id, fetched_at=hours_ago(0))
    customer = make_customer()

    assert lookups.refresh([customer]) == ""

    assert (row(customer).cio_id, row(other).cio_id) == (None, cio_id)
    assert row(customer).attributes["plan"] == "enterprise"


def test_newer_write_of_another_worker_is_not_overwritten(sandbox):
    customer = make_customer(fetched_at=hours_ago(2))
    Customer.objects.update(attributes={"plan": "newer"}, fetched_at=timezone.now())

    lookups.refresh([customer])

    assert row(customer).attributes == customer.attributes == {"plan": "newer"}


def test_first_look_up_of_another_worker_is_not_overwritten(sandbox):
    customer = make_customer()
    Customer.objects.update(attributes={"plan": "newer"}, fetched_at=timezone.now())

    lookups.refresh([customer])

    assert row(customer).attributes == {"plan": "newer"}


def test_attributes_that_a_database_refuses_stop_no_other_look_up(sandbox):
    sandbox.people.add("odd", attributes={"plan": "pro", "note": "a\0b\ud800"})
    odd, ruth = make_customer("odd"), make_customer()

    assert lookups.refresh([odd, ruth]) == ""

    assert (row(odd).attributes["plan"], row(odd).attributes["note"]) == ("pro", "ab\ufffd")
    assert row(ruth).fetched_at


def test_profile_that_the_database_cannot_take_stops_no_other_look_up(sandbox):
    sandbox.people.add("long", email=f"{'x' * 1100}@example.com", attributes={"plan": "pro"})
    long, ruth = make_customer("long"), make_customer()

    assert lookups.refresh([long, ruth]) == ""

    assert lookups.is_fresh(long)
    assert row(ruth).attributes["plan"] == "enterprise"


def test_profiles_that_are_too_large_together_are_asked_for_in_parts(sandbox):
    people = [make_customer(f"large-{number}") for number in range(6)]
    for customer in people:
        sandbox.people.add(customer.external_id, attributes={"plan": "pro", "note": "x" * 10**6})

    assert lookups.refresh(people) == ""

    assert [row(customer).attributes["plan"] for customer in people] == ["pro"] * 6
    assert len(sandbox.requests) == 3


# Identifiers that Customer.io has replaced ------------------------------------------------------


def former(customer):
    return set(customer.aliases.values_list("kind", "value"))


def test_look_up_renews_id_address_and_number_and_keeps_the_former(sandbox):
    sandbox.people.add("new", cio_id="c1", email="New@example.com", phone="+1 555 01-01")
    customer = make_customer("old", cio_id="c1", email="old@example.com", phone="+15550100")

    lookups.refresh([customer])

    assert (customer.external_id, customer.email) == ("new", "new@example.com")
    assert row(customer).phone == "+15550101"
    assert former(customer) == {("id", "old"), ("email", "old@example.com"), ("phone", "+15550100")}


def test_what_a_profile_leaves_out_is_kept(sandbox):
    sandbox.people.add(cio_id="c1", attributes={"phone": "unknown"})
    customer = make_customer("old", cio_id="c1", email="old@example.com", phone="+15550100")

    lookups.refresh([customer])

    assert (customer.external_id, customer.email) == ("old", "old@example.com")
    assert (customer.phone, former(customer)) == ("+15550100", set())


def test_identifier_that_comes_back_is_no_alias_any_more(sandbox):
    customer = make_customer("old", cio_id="c1")
    for name in ("new", "old"):
        sandbox.people.add(name, cio_id="c1")
        lookups.refresh([customer], force=True)

    assert former(customer) == {("id", "new")}


def test_newer_write_of_another_worker_keeps_its_identifiers(sandbox):
    sandbox.people.add("new", cio_id="c1")
    customer = make_customer("old", cio_id="c1", fetched_at=hours_ago(2))
    Customer.objects.update(external_id="newest", fetched_at=timezone.now())

    lookups.refresh([customer])

    assert (row(customer).external_id, former(customer)) == ("newest", set())


def test_id_that_moved_on_is_taken_from_the_person_who_had_it(sandbox):
    sandbox.people.add("42", cio_id="c1")
    sandbox.people.add("43", cio_id="c2")
    first, second = make_customer("41", cio_id="c1"), make_customer("42", cio_id="c2")

    lookups.refresh([first, second])

    assert (row(first).external_id, row(second).external_id) == ("42", "43")
    assert former(second) == {("id", "42")}


def test_two_people_who_swapped_their_ids_have_each_other_s(sandbox):
    sandbox.people.add("42", cio_id="c1")
    sandbox.people.add("41", cio_id="c2")
    first, second = make_customer("41", cio_id="c1"), make_customer("42", cio_id="c2")

    lookups.refresh([first, second])

    assert (row(first).external_id, row(second).external_id) == ("42", "41")


# People who were merged in Customer.io ----------------------------------------------------------


def test_gone_person_whose_address_one_living_person_has_is_that_person(sandbox):
    sandbox.people.add("user", cio_id="bb", email="one@example.com")
    gone = make_customer(None, cio_id="aa", email="one@example.com")
    living = make_customer("user", cio_id="bb", email="one@example.com")

    lookups.refresh([gone])

    assert gone.twin == Twin(living.pk, cio_id="bb", gone="aa")
    assert living.twin is None


def test_person_who_has_lost_the_address_to_one_other_is_that_person(sandbox):
    sandbox.people.add("gone", cio_id="aa")
    sandbox.people.add("user", cio_id="bb", email="one@example.com")
    living = make_customer("user", cio_id="bb")
    stub = make_customer(None, cio_id="aa", email="one@example.com")

    lookups.refresh([stub])

    assert stub.twin
    assert stub.twin.pk == living.pk


def test_gone_person_goes_on_as_the_living_one_whom_no_row_knows(sandbox):
    sandbox.people.add("user", cio_id="bb", email="one@example.com", attributes={"plan": "pro"})
    customer = make_customer("stub", cio_id="aa", email="one@example.com")

    lookups.refresh([customer])

    assert (customer.cio_id, customer.external_id, customer.is_deleted) == ("bb", "user", False)
    assert row(customer).attributes["plan"] == "pro"
    assert former(customer) == {("cio_id", "aa"), ("id", "stub")}


def test_person_who_lost_an_address_does_not_become_somebody_whom_no_row_knows(sandbox):
    sandbox.people.add("anna", cio_id="aa")
    sandbox.people.add("user", cio_id="bb", email="one@example.com")
    customer = make_customer("anna", cio_id="aa", email="one@example.com")

    lookups.refresh([customer])

    assert (row(customer).cio_id, customer.twin) == ("aa", None)


@pytest.mark.parametrize("others", [[], ["bb", "cc"]])
def test_gone_person_whose_address_nobody_or_several_have_is_deleted(sandbox, others):
    for cio_id in others:
        sandbox.people.add(cio_id=cio_id, email="one@example.com")
    gone = make_customer(None, cio_id="aa", email="one@example.com")

    lookups.refresh([gone])

    assert (row(gone).is_deleted, row(gone).cio_id, gone.twin) == (True, "aa", None)


def test_people_who_were_deleted_cost_only_a_few_requests(sandbox):
    gone = [make_customer(None, cio_id=f"gone{n}", email=f"{n}@example.com") for n in range(30)]

    assert lookups.refresh(gone) == ""

    assert len(sandbox.requests) == 1 + lookups.SUCCESSORS
    assert Customer.objects.filter(is_deleted=True).count() == 30


# People with nothing but a number ---------------------------------------------------------------


def test_number_leads_to_the_profile(sandbox):
    sandbox.people.add("ann", cio_id="c1", phone="+15550100", attributes={"plan": "pro"})
    customer = make_customer(None, phone="+15550100")

    lookups.refresh([customer])

    stored = row(customer)
    assert (stored.external_id, stored.cio_id, stored.phone) == ("ann", "c1", "+15550100")
    assert stored.attributes["plan"] == "pro"


def test_number_of_nobody_is_a_deleted_person(sandbox):
    customer = make_customer(None, phone="+15550100")

    lookups.refresh([customer])

    assert row(customer).is_deleted


def test_where_numbers_identify_nobody_the_person_stays_as_known(sandbox):
    sandbox.phone_is_identifier = False
    customer = make_customer(None, phone="+15550100")

    assert lookups.refresh([customer]) == ""

    assert (row(customer).is_deleted, lookups.is_fresh(customer)) == (False, True)
    assert not AppApiHealth.is_closed()


# In the background ------------------------------------------------------------------------------


def test_look_up_in_the_background_waits_for_no_turn(sandbox):
    now = timezone.now().timestamp()
    AppApiPace.objects.create(pk=1, moments=[now + 0.02 * n for n in range(10)])
    customer = make_customer()

    trouble = lookups.refresh([customer], in_background=True)

    assert "used up by other look-ups" in trouble
    assert sandbox.requests == []
    assert not AppApiHealth.is_closed()


# People with nothing but an address -------------------------------------------------------------


def test_address_of_one_person_leads_to_their_profile(sandbox):
    customer = make_customer(None, email="ruth.adeyemi@example.com")

    lookups.refresh([customer])

    assert (row(customer).external_id, row(customer).attributes["plan"]) == (RUTH, "enterprise")


def test_address_of_nobody_is_a_deleted_person(sandbox):
    customer = make_customer(None, email="nobody@example.com")

    lookups.refresh([customer])

    assert row(customer).is_deleted


def test_address_of_several_people_says_nothing_about_any(sandbox):
    sandbox.people.add("one", email="shared@example.com", attributes={"plan": "pro"})
    sandbox.people.add("two", email="shared@example.com", attributes={"plan": "free"})
    customer = make_customer(None, email="shared@example.com")

    assert lookups.refresh([customer]) == ""

    stored = row(customer)
    assert (stored.attributes, stored.is_deleted, stored.external_id) == ({}, False, None)


# Identifiers that Customer.io cannot read -------------------------------------------------------


class Strict(Sandbox):
    """A sandbox that answers 400 to everything that has `malformed` in it."""

    def handle(self, request):
        if "malformed" in f"{request.path}{request.query}{request.body}":
            self._recording.begin(request)
            return json_reply({"errors": [{"detail": "malformed"}]}, status=400)
        return super().handle(request)


@pytest.fixture
def strict(serve):
    return serve(Strict())


def test_malformed_id_does_not_stop_the_others(strict, monkeypatch):
    patient = partial(lookups.paced_app_api, budget_seconds=60)
    monkeypatch.setattr(lookups, "paced_app_api", patient)
    names = [f"pro-design-low-{number}" for number in range(99)]
    customers = [make_customer(name) for name in [*names[:40], "malformed", *names[40:]]]

    assert lookups.refresh(customers) == ""

    found = Customer.objects.filter(attributes__plan="pro")
    assert found.count() == 99
    assert len(strict.requests) < 20


def test_malformed_id_is_not_taken_for_a_deleted_person(strict):
    customer = make_customer("malformed", attributes={"plan": "pro"}, fetched_at=hours_ago(2))

    assert lookups.refresh([customer]) == ""

    assert (row(customer).attributes, row(customer).is_deleted) == ({"plan": "pro"}, False)
    assert lookups.is_fresh(customer)
    assert not AppApiHealth.is_closed()


def test_malformed_address_does_not_stop_the_others(strict):
    malformed = make_customer(None, email="malformed")
    ruth = make_customer(None, email="ruth.adeyemi@example.com")

    assert lookups.refresh([malformed, ruth]) == ""

    assert row(ruth).attributes["plan"] == "enterprise"
    assert (row(malformed).is_deleted, lookups.is_fresh(malformed)) == (False, True)


# Failures and the breaker -----------------------------------------------------------------------


def health():
    return AppApiHealth.objects.get()


def pause():
    return round((health().retry_at - timezone.now()).total_seconds())


def is_about(seconds):
    return pytest.approx(seconds, abs=5)


def pause_is_over():
    AppApiHealth.objects.update(retry_at=timezone.now() - timedelta(seconds=1))


@pytest.mark.parametrize("fault", ["500", "drop", "html", "truncated", "401", "429"])
def test_failure_keeps_what_was_known_and_says_what_is_wrong(sandbox, fault):
    sandbox.faults.add(BATCH, fault, retry_after=30)
    before = hours_ago(3)
    customer = make_customer(attributes={"plan": "pro"}, fetched_at=before)

    trouble = lookups.refresh([customer])

    stored = row(customer)
    assert trouble.startswith("Customer.io")
    assert (stored.attributes, stored.fetched_at) == ({"plan": "pro"}, before)
    assert (stored.is_deleted, customer.attributes) == (False, {"plan": "pro"})


def test_after_a_failure_the_app_api_is_not_asked_for_a_while(sandbox):
    sandbox.faults.add(BATCH, "500")
    trouble = lookups.refresh([make_customer()])

    again = lookups.refresh(Customer.objects.all())

    assert again == trouble == health().reason
    assert len(sandbox.requests) == 1
    assert (health().failures, pause()) == (1, is_about(15))


def test_after_the_pause_it_is_asked_again_and_success_forgets_the_failure(sandbox):
    sandbox.faults.add(BATCH, "500")
    lookups.refresh([make_customer()])
    pause_is_over()

    assert lookups.refresh(Customer.objects.all()) == ""

    state = health()
    assert (state.failures, state.failing_since, state.retry_at, str(state)) == (
        0, None, None, "answers",
    )  # fmt: skip
    assert Customer.objects.get().attributes["plan"] == "enterprise"


def test_pause_doubles_up_to_five_minutes_and_the_first_failure_is_remembered(sandbox):
    sandbox.faults.add(BATCH, "500", count=None)
    customer, pauses, since = make_customer(), [], set()

    for _ in range(7):
        lookups.refresh([customer])
        pauses.append(pause())
        since.add(health().failing_since)
        pause_is_over()

    assert pauses == [is_about(seconds) for seconds in (15, 30, 60, 120, 240, 300, 300)]
    assert len(since) == 1


@pytest.mark.parametrize(("retry_after", "seconds"), [(42, 42), (3600, 300), (None, 15)])
def test_retry_after_is_respected_within_reason(sandbox, retry_after, seconds):
    sandbox.faults.add(BATCH, "429", retry_after=retry_after)

    lookups.refresh([make_customer()])

    assert pause() == is_about(seconds)


def test_refused_key_is_tried_again_after_the_longest_pause(sandbox):
    sandbox.cio_key = "another"

    assert "check CIO_APP_KEY" in lookups.refresh([make_customer()])

    assert pause() == is_about(300)


def test_batches_before_a_failure_are_kept(sandbox):
    customers = [make_customer(f"pro-design-low-{number}") for number in range(101)]
    by_email = make_customer(None, email="ruth.adeyemi@example.com")
    sandbox.faults.add("customers", "500")

    assert lookups.refresh([*customers, by_email])

    assert Customer.objects.filter(fetched_at=None).get() == by_email


def test_look_up_of_many_ends_in_time_and_keeps_whom_it_found(monkeypatch, serve):
    clock, passed = time.monotonic, []
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(passed))

    class Slow(Sandbox):
        def handle(self, request):
            passed.append(14)
            return super().handle(request)

    slow = serve(Slow())
    patient = partial(lookups.paced_app_api, budget_seconds=60)
    monkeypatch.setattr(lookups, "paced_app_api", patient)
    people = [make_customer(None, email=f"{number}@example.com") for number in range(5)]
    for number, customer in enumerate(people):
        slow.people.add(f"person-{number}", email=customer.email, attributes={"plan": "pro"})

    assert lookups.refresh(people)

    assert len(passed) == 4  # of ten
    assert Customer.objects.filter(attributes__plan="pro").count() == 2


def test_key_that_no_header_can_carry_is_told_like_any_failure(sandbox, settings):
    settings.CIO_APP_KEY = "schlüssel–"

    assert "check address and key" in lookups.refresh([make_customer()])

    assert "schlüssel" not in health().reason


def test_without_a_key_nobody_is_asked_and_nothing_is_noted(sandbox, settings):
    settings.CIO_APP_KEY = ""

    assert lookups.refresh([make_customer()]) == "the App API of Customer.io is not connected"

    assert lookups.is_never_possible()
    assert sandbox.requests == []
    assert not AppApiHealth.objects.exists()


def test_without_a_key_fresh_ones_are_no_trouble(settings):
    settings.CIO_APP_KEY = ""

    assert lookups.refresh([make_customer(fetched_at=hours_ago(0.5))]) == ""
