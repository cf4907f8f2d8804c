"""What a customer's row knows, and in which order it believes events."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from personas.models import Customer

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize("at", [NOON + timedelta(seconds=1), NOON])
def test_event_that_is_not_older_is_believed(at):
    customer = Customer(is_unsubscribed=False, subscription_changed_at=NOON)

    assert customer.learn_subscription(True, at)

    assert (customer.is_unsubscribed, customer.subscription_changed_at) == (True, at)


@pytest.mark.parametrize("at", [NOON - timedelta(seconds=1), None])
def test_event_that_is_older_or_undated_changes_nothing(at):
    customer = Customer(is_unsubscribed=False, subscription_changed_at=NOON)

    assert not customer.learn_subscription(True, at)

    assert (customer.is_unsubscribed, customer.subscription_changed_at) == (False, NOON)


@pytest.mark.parametrize("at", [NOON, None])
def test_first_event_is_always_believed(at):
    customer = Customer()

    assert customer.learn_subscription(True, at)

    assert (customer.is_unsubscribed, customer.subscription_changed_at) == (True, at)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_newest_event_wins_in_whatever_order_they_arrive(order):
    said = [(True, NOON), (False, NOON + timedelta(hours=1)), (True, NOON + timedelta(hours=2))]
    customer = Customer()

    for number in order:
        customer.learn_subscription(*said[number])

    assert (customer.is_unsubscribed, customer.subscription_changed_at) == said[2]


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ({"first_name": "Ann", "name": "Ann Lee"}, "Ann Lee"),
        ({"name": " ", "full_name": None, "first_name": "Ann"}, "Ann"),
        ({}, ""),
        ({"first_name": "Ann", "last_name": "Lee"}, "Ann Lee"),
        ({"firstName": "Ann", "lastName": "Lee"}, "Ann Lee"),
        ({"First Name": "Ann", "Surname": "Lee"}, "Ann Lee"),
        ({"given_name": "Ann", "family_name": "Lee", "fullName": "Ann B. Lee"}, "Ann B. Lee"),
        ({"fname": "Ann", "lname": "null"}, "Ann"),
        ({"last_name": "Null"}, "Null"),
        ({"name": "None", "first_name": "Ann"}, "Ann"),
        ({"name": '{"first": "Ann", "last": "Lee"}'}, "Ann Lee"),
        ({"name": '{"firstName": "Ann", "full_name": "Ann Lee"}'}, "Ann Lee"),
        ({"name": '["Ann", "Lee"]'}, "Ann, Lee"),
        ({"first": "2026-11-01", "last": "2026-11-28"}, ""),
        ({"name": "\u200b", "first_name": "Ann"}, "Ann"),  # invisible
        ({"name": "\u3164"}, ""),
    ],
)
def test_customer_is_called_by_the_fullest_name(attributes, name):
    assert Customer(attributes=attributes).name == name


@pytest.mark.django_db
def test_stale_are_those_never_looked_up_and_those_looked_up_over_an_hour_ago():
    never = Customer.objects.create(cio_id="never")
    old = Customer.objects.create(cio_id="old", fetched_at=timezone.now() - timedelta(minutes=61))
    Customer.objects.create(cio_id="fresh", fetched_at=timezone.now() - timedelta(minutes=59))

    assert set(Customer.objects.stale()) == {never, old}
