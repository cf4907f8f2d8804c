"""Erasing customers from the admin: a page tells what would go, and asks."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from briefs.forgetting import ordering
from briefs.models import Erasure
from briefs.tests.factories import make_brief, make_customer
from conftest import make_user
from personas.models import Customer

pytestmark = pytest.mark.django_db

LIST = reverse("admin:personas_customer_changelist")


def choose(client, *customers, **sent):
    keys = [customer.pk for customer in customers]
    return client.post(LIST, {"action": "erase", ACTION_CHECKBOX_NAME: keys, **sent}, follow=True)


def test_it_is_told_what_goes_then_ordered_and_noted(client, lead):
    client.force_login(lead)
    customer = make_brief(customer=make_customer(external_id="ann")).customer

    asked = choose(client, customer).content.decode()
    assert "<li>1 brief</li>" in asked
    assert not Erasure.objects.exists()
    done = choose(client, customer, erase="1").content.decode()
    assert "1 customer is erased within a minute or two." in done
    assert ordering.run() == 1

    assert not Customer.objects.filter(is_erased=False).exists()
    page = reverse("admin:briefs_erasure_change", args=[Erasure.objects.get().pk])
    noted = client.get(page).content.decode()
    assert "<p>1 brief</p>" in noted
    assert "ann" not in noted


def test_an_editor_is_not_offered_it(client, django_user_model):
    client.force_login(make_user(django_user_model, "ed", "Editor"))
    customer = make_customer()

    choose(client, customer, erase="1")

    assert "Erase for ever" not in client.get(LIST).content.decode()
    assert not Erasure.objects.exists()


def test_an_erasure_that_fails_is_tried_again(lead, monkeypatch):
    erasure = ordering.order(make_customer(), lead, "admin")
    with monkeypatch.context() as broken:
        broken.setattr(ordering.erasing, "erase", lambda person, erasure: 1 / 0)
        assert ordering.run() == 0

    Erasure.objects.update(lease_until=None)
    assert ordering.run() == 1
    erasure.refresh_from_db()
    assert (erasure.tries, erasure.customer) == (2, None)


def test_nobody_ordered_what_a_look_up_showed(client, lead):
    Erasure.objects.create(way="lookup")
    client.force_login(lead)

    page = client.get(reverse("admin:briefs_erasure_changelist")).content.decode()

    assert '<td class="field-who">Look-up</td>' in page
    assert "the command" not in page


def test_a_table_that_is_gone_is_told_by_its_name(client, lead):
    erasure = Erasure.objects.create(way="command", counts={"briefs.OfBefore": 3})
    client.force_login(lead)

    page = client.get(reverse("admin:briefs_erasure_change", args=[erasure.pk]))

    assert "<p>3 briefs.OfBefore</p>" in page.content.decode()
