"""Whom an event is about: rows found, created, completed, and recognised as one person."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from personas.models import Customer
from personas.people.identity import absorb, resolve

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def make_customer(cio_id=None, external_id=None, email="", **fields):
    return Customer.objects.create(cio_id=cio_id, external_id=external_id, email=email, **fields)


def customer_of(**identifiers):
    [customer] = resolve([identifiers]).customers
    return customer


def ids_of(customer):
    customer.refresh_from_db()
    return customer.cio_id, customer.external_id, customer.email


def test_new_person_gets_a_row_with_all_identifiers():
    customer = customer_of(cio_id="c1", id="42", email="Ann@Example.com")

    assert ids_of(customer) == ("c1", "42", "ann@example.com")


@pytest.mark.parametrize("identifiers", [{}, {"id": "", "email": " "}, {"phone": "+155512"}])
def test_event_that_names_nobody_has_no_customer(identifiers):
    assert resolve([identifiers]).customers == [None]
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    "identifiers",
    [
        {"cio_id": "c1"},
        {"cio_id": "cio_c1"},
        {"id": "42"},
        {"id": " 42 "},
        {"email": " Ann@example.COM"},
        {"cio_id": "c1", "id": "another", "email": "other@example.com"},
    ],
)
def test_known_person_is_found(identifiers):
    known = make_customer("c1", "42", "ann@example.com")

    assert customer_of(**identifiers) == known
    assert Customer.objects.count() == 1


def test_prefix_of_a_cio_id_is_not_kept():
    assert customer_of(cio_id="cio_c1").cio_id == "c1"


def test_identifiers_are_learned_when_they_first_show():
    known = make_customer(external_id="42")

    customer = customer_of(cio_id="c1", id="42", email="ann@example.com")

    assert customer == known
    assert ids_of(customer) == ("c1", "42", "ann@example.com")


def test_identifiers_that_are_known_are_not_replaced():
    known = make_customer("c1", "42", "ann@example.com")

    customer_of(cio_id="c1", id="43", email="new@example.com")

    assert ids_of(known) == ("c1", "42", "ann@example.com")


# By e-mail --------------------------------------------------------------------------------------


@pytest.mark.parametrize("identifiers", [{"cio_id": "c2"}, {"id": "43"}])
def test_address_finds_nobody_beside_another_identifier(identifiers):
    known = make_customer("c1", "42", "shared@example.com")

    customer = customer_of(**identifiers, email="shared@example.com")

    assert customer != known
    assert customer.email == "shared@example.com"


def test_new_person_with_the_same_address_leaves_no_event_of_the_batch_without_a_customer():
    known = make_customer("c1", email="shared@example.com")

    by_email, other = resolve(
        [{"email": "shared@example.com"}, {"cio_id": "c2", "email": "shared@example.com"}]
    ).customers

    assert ids_of(by_email) == (None, None, "shared@example.com")
    assert other.cio_id == "c2"
    assert known.pk not in (by_email.pk, other.pk)


def test_address_that_several_share_finds_none_of_them():
    make_customer("c1", email="shared@example.com")
    make_customer("c2", email="shared@example.com")

    customer = customer_of(email="shared@example.com")

    assert ids_of(customer) == (None, None, "shared@example.com")
    assert Customer.objects.count() == 3


def test_address_that_several_share_finds_the_row_that_has_nothing_else():
    make_customer("c1", email="shared@example.com")
    make_customer("c2", email="shared@example.com")
    nameless = make_customer(email="shared@example.com")

    assert customer_of(email="shared@example.com") == nameless


# Two identifiers that disagree ------------------------------------------------------------------


def test_conflicting_cio_ids_are_two_people_although_they_share_an_id():
    known = make_customer("c1", "42")

    customer = customer_of(cio_id="c2", id="42")

    assert ids_of(customer) == ("c2", None, "")
    assert ids_of(known) == ("c1", "42", "")


def test_id_that_belongs_to_another_cio_id_is_not_taken_away():
    other = make_customer("c2", "42")
    known = make_customer("c1")

    resolution = resolve([{"cio_id": "c1", "id": "42", "email": "ann@example.com"}])

    assert (resolution.customers, resolution.same) == ([known], [])
    assert ids_of(known)[:2] == ("c1", None)
    assert ids_of(other) == ("c2", "42", "")


@pytest.mark.parametrize("cio_id_first", [True, False])
def test_two_rows_of_one_person_are_reported_and_the_older_one_speaks(cio_id_first):
    older = make_customer("c1") if cio_id_first else make_customer(external_id="42")
    newer = make_customer(external_id="42") if cio_id_first else make_customer("c1")

    resolution = resolve([{"cio_id": "c1", "id": "42"}] * 2)

    assert resolution.customers == [older, older]
    assert resolution.same == [(older, newer)]
    assert Customer.objects.count() == 2


# Batches ----------------------------------------------------------------------------------------


def test_customers_come_in_the_order_they_were_asked_for():
    known = make_customer("c2")

    customers = resolve([{"id": "9"}, {"cio_id": "c2"}, {}, {"email": "a@b.c"}]).customers

    assert [c and (c.cio_id, c.external_id, c.email) for c in customers] == [
        (None, "9", ""),
        ("c2", None, ""),
        None,
        (None, None, "a@b.c"),
    ]
    assert customers[1] == known


@pytest.mark.parametrize(
    "batch",
    [
        [{"cio_id": "c1"}, {"cio_id": "cio_c1"}],
        [{"id": "42"}, {"id": "42", "email": "ann@example.com"}],
        [{"email": "ann@example.com"}, {"email": "ANN@example.com"}],
        [{"cio_id": "c1", "id": "42"}, {"id": "42"}],
        [{"id": "42"}, {"cio_id": "c1", "id": "42"}],
    ],
)
def test_new_person_who_comes_twice_in_a_batch_is_one_person(batch):
    resolution = resolve(batch)

    person = Customer.objects.get()
    assert resolution.customers == [person, person]
    assert resolution.same == []


def test_two_new_rows_that_a_third_event_joins_are_reported_as_one_person():
    resolution = resolve([{"cio_id": "c1"}, {"id": "42"}, {"cio_id": "c1", "id": "42"}])

    older, newer = Customer.objects.order_by("pk")
    assert resolution.customers == [older, newer, older]
    assert resolution.same == [(older, newer)]


def test_two_new_people_with_one_id_in_a_batch_stay_two():
    first, second = resolve([{"cio_id": "c1", "id": "42"}, {"cio_id": "c2", "id": "42"}]).customers

    assert ids_of(first) == ("c1", "42", "")
    assert ids_of(second) == ("c2", None, "")


def test_a_batch_of_known_people_takes_one_query(django_assert_num_queries):
    for number in range(20):
        make_customer(f"c{number}", f"{number}", f"{number}@example.com")
    batch = [{"cio_id": f"c{n}", "id": f"{n}", "email": f"{n}@example.com"} for n in range(20)]

    with django_assert_num_queries(1):
        resolve(batch)


# Merging ----------------------------------------------------------------------------------------


def merged(older, newer):
    with transaction.atomic():
        absorb(older, newer)
    return Customer.objects.get()


def test_merged_row_has_the_identifiers_of_both():
    customer = merged(make_customer("c1"), make_customer(None, "42", "ann@example.com"))

    assert ids_of(customer) == ("c1", "42", "ann@example.com")


@pytest.mark.parametrize("newer_is_later", [True, False])
def test_later_look_up_survives_a_merge(newer_is_later):
    late, early = {"attributes": {"plan": "pro"}, "fetched_at": NOON}, {"attributes": {}}
    older = make_customer("c1", **(early if newer_is_later else late))
    newer = make_customer(external_id="42", **(late if newer_is_later else early))

    customer = merged(older, newer)

    assert (customer.attributes, customer.fetched_at) == ({"plan": "pro"}, NOON)


def test_fresher_look_up_survives_a_merge():
    older = make_customer("c1", attributes={"plan": "free"}, fetched_at=NOON)
    newer = make_customer(
        None, "42", attributes={"plan": "pro"}, fetched_at=NOON + timedelta(days=3)
    )

    assert merged(older, newer).attributes == {"plan": "pro"}


def test_subscription_that_only_a_look_up_knew_survives_a_merge():
    older = make_customer("c1")
    newer = make_customer(None, "42", is_unsubscribed=True, fetched_at=NOON)

    assert merged(older, newer).is_unsubscribed is True


@pytest.mark.parametrize("fetched_at", [None, NOON])
def test_unsubscribe_that_only_the_newer_row_heard_of_survives_a_merge(fetched_at):
    older = make_customer("c1", is_unsubscribed=False, fetched_at=fetched_at)
    newer = make_customer(None, "42", is_unsubscribed=True, subscription_changed_at=NOON)

    customer = merged(older, newer)

    assert (customer.is_unsubscribed, customer.subscription_changed_at) == (True, NOON)


def test_later_word_on_the_subscription_survives_a_merge():
    older = make_customer("c1", is_unsubscribed=True, subscription_changed_at=NOON)
    newer = make_customer(
        None, "42", is_unsubscribed=False, subscription_changed_at=NOON - timedelta(days=1)
    )

    assert merged(older, newer).is_unsubscribed is True
