"""Somebody who was to be erased and is not is a trouble until they are."""

from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.desk.tests.pages import text
from briefs.forgetting import erasing, ordering, people
from briefs.models import Erasure
from briefs.tests.factories import make_customer
from operations import troubles
from operations.troubles import Kind

pytestmark = pytest.mark.django_db


def found():
    return troubles.look(kinds=[Kind.NOT_ERASED])


def test_erasure_that_fails_on_every_try_is_told_without_the_person(monkeypatch, signed_in):
    customer = make_customer(email="ann@example.com")
    Erasure.objects.create(way="admin", customer=customer.pk)
    monkeypatch.setattr(erasing, "erase", lambda person, erasure: 1 / 0)
    for _ in range(5):
        assert found() == []
        ordering.run()
        Erasure.objects.update(lease_until=None)

    (trouble,) = found()

    assert trouble.level == "problem"
    assert f"Customer {customer.pk} was to be erased" in trouble.text
    assert f"erase_customer customer:{customer.pk}" in trouble.cure
    assert "is still here" in text(signed_in.get("/webhook-health/"))


def test_erasure_that_nobody_takes_is_told_after_an_hour():
    ordered = Erasure.objects.create(way="api", customer=make_customer().pk)
    for minutes, is_told in ((59, False), (61, True)):
        Erasure.objects.update(begun_at=timezone.now() - timedelta(minutes=minutes))

        assert bool(found()) is is_told

    ordered.end({}, [])
    assert found() == []


def test_whom_another_order_erased_is_told_no_more():
    customer = make_customer()
    Erasure.objects.create(way="admin", customer=customer.pk, tries=5)
    assert found()

    erasing.erase(people.gather(customer), Erasure.objects.create(way="command"))

    assert found() == []
