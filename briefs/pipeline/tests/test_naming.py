"""What people are called is renewed, and who was merged in Customer.io is merged here."""

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from briefs.models import Brief, Signal
from briefs.pipeline import draining, naming
from briefs.tests.factories import make_brief, make_customer, make_event, make_payload, make_signal
from personas.models import AppApiPace, Customer

pytestmark = pytest.mark.django_db

FORMER = {"plan": "enterprise", "industry": "insurance", "usage_tier": "high", "mrr": "5000"}
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
_deliveries = itertools.count(1)


def arrives(metric="unsubscribed", at=None, object_type="customer", **identifiers):
    """One event of a person, processed at once; returns its signal."""
    event = make_event(
        make_payload(
            object_type=object_type,
            metric=metric,
            timestamp=int((at or timezone.now()).timestamp()),
            data={"identifiers": identifiers, "delivery_id": f"d{next(_deliveries)}"},
        )
    )
    draining.drain()
    event.refresh_from_db()
    assert event.status == "processed", event.status_reason
    return Signal.objects.select_related("customer").get(event=event)


def complains(at=None, **identifiers):
    return arrives("spammed", at, object_type="email", **identifiers)


def names(customer):
    customer = Customer.objects.get(pk=customer.pk)
    return customer.cio_id, customer.external_id, customer.email


def aliases(customer):
    return set(customer.aliases.values_list("kind", "value"))


# Renewed identifiers ------------------------------------------------------------------------------


def test_new_id_and_address_of_a_known_cio_id_are_taken_over(starter, sandbox):
    old = {"id": "old-1", "email": "old@example.com", "cio_id": "ab12cd"}
    new = {"id": "new-1", "email": "new@example.com", "cio_id": "ab12cd"}
    now = timezone.now()
    sandbox.people.add(**old, attributes=FORMER)
    first = arrives(at=now, **old)
    sandbox.people.add(**new, attributes=FORMER)

    second = complains(at=now, **new)

    assert second.customer == first.customer
    assert names(second.customer) == ("ab12cd", "new-1", "new@example.com")
    assert aliases(second.customer) == {("id", "old-1"), ("email", "old@example.com")}
    assert Brief.objects.get().signals.count() == 2


def test_without_a_key_the_event_itself_renews_the_identifiers(starter):
    first = arrives(at=NOON, id="old-1", email="old@example.com", cio_id="c1")

    arrives(at=NOON + timedelta(days=1), id="new-1", email="new@example.com", cio_id="c1")

    assert names(first.customer) == ("c1", "new-1", "new@example.com")


def test_event_of_before_undoes_no_newer_identifier(starter):
    person = make_customer(cio_id="c1", external_id="first", email="a@example.com", fetched_at=None)
    complains(at=NOON, id="second", email="b@example.com", cio_id="c1")

    complains(at=NOON - timedelta(hours=1), id="first", email="a@example.com", cio_id="c1")

    assert names(person) == ("c1", "second", "b@example.com")


def test_late_event_undoes_nothing_although_its_identifiers_were_never_seen(starter):
    signal = complains(at=NOON, id="second", email="b@example.com", cio_id="c1")

    complains(at=NOON - timedelta(hours=1), id="first", email="a@example.com", cio_id="c1")

    assert names(signal.customer) == ("c1", "second", "b@example.com")
    assert aliases(signal.customer) == {("id", "first"), ("email", "a@example.com")}


def test_late_event_in_the_same_batch_undoes_nothing(starter):
    for hours, name in ((0, "second"), (-1, "first")):
        make_event(
            make_payload(
                timestamp=int((NOON + timedelta(hours=hours)).timestamp()),
                data={"identifiers": {"id": name, "cio_id": "c1", "email": f"{name}@example.com"}},
            )
        )

    draining.drain()

    assert names(Customer.objects.get()) == ("c1", "second", "second@example.com")


def test_late_event_after_a_look_up_asks_again_and_changes_nothing(starter, sandbox):
    sandbox.people.add("second", cio_id="c1", email="b@example.com", attributes=FORMER)
    signal = complains(id="second", email="b@example.com", cio_id="c1")
    sandbox.clear_requests()

    late = timezone.now() - timedelta(hours=1)
    complains(at=late, id="first", email="a@example.com", cio_id="c1")

    assert names(signal.customer) == ("c1", "second", "b@example.com")
    assert len(sandbox.requests) == 1


@pytest.mark.parametrize("former", [{"id": "old-1"}, {"email": "old@example.com"}])
def test_event_that_carries_only_what_was_replaced_finds_the_person(starter, former):
    person = arrives(at=NOON, id="old-1", email="old@example.com", cio_id="c1").customer
    arrives(at=NOON + timedelta(days=1), id="new-1", email="new@example.com", cio_id="c1")

    late = complains(at=NOON + timedelta(days=2), **former)

    assert late.customer == person
    assert names(person) == ("c1", "new-1", "new@example.com")


def test_person_with_nothing_but_a_number_gets_a_brief(starter, sandbox):
    signal = arrives(id=None, email=None, phone="+1555ab12")

    assert (signal.customer.phone, str(signal.customer)) == ("+1555ab12", "+1555ab12")
    assert Brief.objects.open().get().customer == signal.customer


# People who were merged in Customer.io ------------------------------------------------------------


@pytest.fixture
def stub(starter, sandbox):
    """The signal of a person of whom only an address is known."""
    sandbox.people.add("stub-of-aa11", cio_id="aa11", email="one@example.com", attributes=FORMER)
    return arrives(cio_id="aa11", email="one@example.com")


def loses_its_address(sandbox):
    sandbox.people.add("gone-1", cio_id="aa11", attributes=FORMER)
    sandbox.people.add("user-1", cio_id="bb22", email="one@example.com", attributes=FORMER)


def is_gone(sandbox):
    sandbox.people.remove("stub-of-aa11")
    sandbox.people.add("user-1", cio_id="bb22", email="one@example.com", attributes=FORMER)


def of_user():
    return complains(id="user-1", cio_id="bb22", email="one@example.com")


@pytest.mark.parametrize("merge_there", [loses_its_address, is_gone])
def test_stub_and_the_user_it_was_merged_into_have_one_brief(stub, sandbox, merge_there):
    merge_there(sandbox)

    signal = of_user()

    assert Brief.objects.open().count() == 1
    person = Customer.objects.get()
    assert signal.customer == person == stub.customer
    assert names(person) == ("bb22", "user-1", "one@example.com")
    assert ("cio_id", "aa11") in aliases(person)
    assert not person.is_deleted
    assert set(Brief.objects.get().signals.all()) == {stub, signal}


def test_both_events_in_one_batch_have_one_brief(starter, sandbox):
    loses_its_address(sandbox)
    for name in ({"cio_id": "aa11"}, {"cio_id": "bb22", "id": "user-1"}):
        data = {"identifiers": {**name, "email": "one@example.com"}, "delivery_id": str(name)}
        make_event(make_payload(data=data))

    draining.drain()

    assert Customer.objects.get().cio_id == "bb22"
    assert Brief.objects.open().get().signals.count() == 2


@pytest.mark.parametrize("merge_there", [loses_its_address, is_gone])
def test_late_event_of_the_stub_joins_the_brief_of_the_user(starter, sandbox, merge_there):
    merge_there(sandbox)
    user = of_user()

    late = arrives(cio_id="aa11", email="one@example.com")

    assert late.customer == user.customer == Customer.objects.get()
    assert names(user.customer) == ("bb22", "user-1", "one@example.com")
    assert Brief.objects.open().get().persona.name != "Profile unknown"


def test_event_under_the_former_cio_id_finds_the_person(stub, sandbox):
    loses_its_address(sandbox)
    of_user()

    again = complains(cio_id="aa11")

    assert again.customer == Customer.objects.get()
    assert again.customer.cio_id == "bb22"


def test_stub_whose_user_is_not_known_here_goes_on_under_the_new_cio_id(stub, sandbox):
    is_gone(sandbox)
    Customer.objects.update(fetched_at=timezone.now() - timedelta(hours=2))

    complains(cio_id="aa11", email="one@example.com")

    person = Customer.objects.get()
    assert names(person) == ("bb22", "user-1", "one@example.com")
    assert aliases(person) == {("cio_id", "aa11"), ("id", "stub-of-aa11")}
    assert not person.is_deleted


@pytest.mark.parametrize("named", [{"cio_id": "aa11"}, {}])
def test_stub_that_customer_io_never_showed_is_the_one_person_with_its_address(
    starter, sandbox, named
):
    stub = arrives(email="one@example.com", **named)
    assert stub.customer.is_deleted
    sandbox.people.add("user-1", cio_id="bb22", email="one@example.com", attributes=FORMER)

    of_user()

    assert Brief.objects.open().count() == 1
    assert names(stub.customer) == ("bb22", "user-1", "one@example.com")


def test_person_known_by_a_number_is_the_one_whom_it_names(starter, sandbox):
    stub = arrives(phone="+15550100")
    sandbox.people.add("user-1", cio_id="bb22", phone="+15550100", attributes=FORMER)

    complains(id="user-1", cio_id="bb22", phone="+1 555 0100")

    assert Brief.objects.open().count() == 1
    assert names(stub.customer) == ("bb22", "user-1", "")


def test_id_of_a_row_without_a_cio_id_becomes_that_of_the_person_with_it(starter):
    person = make_customer(cio_id="c1", external_id="41", fetched_at=None)
    make_customer(cio_id=None, external_id="42", fetched_at=None)

    complains(cio_id="c1", id="42")

    assert names(person)[:2] == ("c1", "42")
    assert ("id", "41") in aliases(person)


def test_two_living_people_who_share_an_address_stay_two(stub, sandbox):
    sandbox.people.add("user-1", cio_id="bb22", email="one@example.com", attributes=FORMER)

    of_user()

    assert Customer.objects.count() == Brief.objects.open().count() == 2


def test_person_with_a_new_address_is_not_who_has_the_old_one_now(stub, sandbox):
    sandbox.people.add("anna", cio_id="aa11", email="anna@example.com", attributes=FORMER)
    sandbox.people.add("user-1", cio_id="bb22", email="one@example.com", attributes=FORMER)

    of_user()

    assert Customer.objects.count() == Brief.objects.open().count() == 2
    assert names(stub.customer) == ("aa11", "anna", "anna@example.com")


def test_gone_person_whose_address_two_others_have_is_nobody_else(stub, sandbox):
    is_gone(sandbox)
    sandbox.people.add("user-2", cio_id="cc33", email="one@example.com", attributes=FORMER)

    of_user()

    assert Customer.objects.count() == 2
    assert Customer.objects.get(cio_id="aa11").is_deleted


def test_two_stubs_of_one_user_become_one_with_it(starter, sandbox):
    is_gone(sandbox)
    for cio_id in ("aa11", "cc33"):
        make_brief(customer=make_customer(cio_id=cio_id, email="one@example.com"))

    of_user()

    assert Customer.objects.get().cio_id == "bb22"
    assert Brief.objects.open().count() == 1


def test_while_nobody_can_be_looked_up_nothing_is_merged(stub, sandbox):
    is_gone(sandbox)
    sandbox.faults.add("customers/attributes", "500", count=10)

    of_user()

    assert Customer.objects.count() == 2


def test_people_with_addresses_of_their_own_cost_no_further_request(stub, sandbox):
    sandbox.clear_requests()
    sandbox.people.add("other", cio_id="dd44", email="other@example.com", attributes=FORMER)

    complains(cio_id="dd44", id="other", email="other@example.com")

    assert len(sandbox.requests) == 1


# The daily check ----------------------------------------------------------------------------------


def yesterday():
    return timezone.now() - timedelta(hours=25)


def test_check_merges_two_open_briefs_without_any_event(starter, sandbox, user):
    is_gone(sandbox)
    stub = make_customer(cio_id="aa11", email="one@example.com", fetched_at=yesterday())
    known = make_customer(cio_id="bb22", external_id="user-1", email="one@example.com")
    taken, other = make_brief(customer=stub), make_brief(customer=known)
    taken.assign(user, user)
    make_signal(brief=other)

    assert naming.check_open() == 1

    assert Customer.objects.get().cio_id == "bb22"
    assert Brief.objects.open().get() == taken
    assert taken.signals.count() == 1


def test_check_renews_identifiers_and_marks_who_is_deleted(starter, sandbox):
    sandbox.people.add("new-1", cio_id="c1", email="new@example.com", attributes=FORMER)
    renamed = make_customer(cio_id="c1", external_id="old-1", fetched_at=yesterday())
    gone = make_customer(cio_id="nobody", email="", fetched_at=yesterday())
    for customer in (renamed, gone):
        make_brief(customer=customer)

    assert naming.check_open() == 2

    assert names(renamed) == ("c1", "new-1", "new@example.com")
    gone.refresh_from_db()
    assert gone.is_deleted


def test_check_asks_for_nobody_without_an_open_brief_or_looked_up_today(starter, sandbox):
    make_brief(customer=make_customer(fetched_at=yesterday())).close("retained")
    make_brief(customer=make_customer())

    assert naming.check_open() == 0
    assert sandbox.requests == []


def test_check_takes_a_hundred_at_a_time_the_longest_unasked_first(starter, sandbox):
    for hours in range(101):
        make_brief(
            customer=make_customer(fetched_at=yesterday() - timedelta(hours=hours), email="")
        )

    assert naming.check_open() == 100
    assert naming.check_open() == 1
    assert len(sandbox.requests) == 2


def test_check_leaves_the_pace_to_others(starter, sandbox):
    make_brief(customer=make_customer(fetched_at=yesterday()))
    now = timezone.now().timestamp()
    AppApiPace.objects.create(pk=1, moments=[now + 0.05 * n for n in range(10)])

    assert naming.check_open() == 0
    assert sandbox.requests == []


def test_check_without_a_key_does_nothing(starter):
    make_brief(customer=make_customer(fetched_at=yesterday()))

    assert naming.check_open() == 0
