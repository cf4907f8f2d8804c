"""Erasing a customer through the API: counted first, ordered, and carried out by a worker."""

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.forgetting import ordering
from briefs.models import Erasure
from briefs.tests.factories import make_brief, make_customer
from conftest import make_user
from personas.models import Customer

pytestmark = pytest.mark.django_db


@pytest.fixture
def customer():
    return make_brief(customer=make_customer(email="ann@example.com")).customer


def post(client, user, customer, role=Role.LEAD, **sent):
    program = Program(client, user, role)
    path = f"/api/v1/customers/{customer.pk}/erase/"
    return client.post(path, sent, content_type="application/json", headers=program.header)


def test_a_dry_run_counts_and_orders_nothing(client, lead, customer):
    answer = post(client, lead, customer, dry_run=True)

    assert answer.status_code == 200
    assert answer.json()["counts"]["briefs.Brief"] == 1
    assert answer.json()["id"] is None
    assert not Erasure.objects.exists()


def test_what_is_ordered_is_carried_out_by_a_worker_and_can_be_asked_for(client, lead, customer):
    ordered = post(client, lead, customer).json()
    assert ordered["ended_at"] is None
    assert ordered["by"] == "lee"

    assert ordering.run() == 1

    told = Program(client, lead, Role.LEAD).get(f"erasures/{ordered['id']}/").json()
    assert told["ended_at"]
    assert told["counts"]["personas.Customer"] == 1
    assert not Customer.objects.filter(is_erased=False).exists()


def test_only_a_lead_may(client, lead, customer, django_user_model):
    agent = make_user(django_user_model, "ada", "Agent")

    refused = [post(client, one, customer, Role.AGENT) for one in (agent, lead)]

    assert [one.status_code for one in refused] == [403, 403]
    assert "personas.erase_customer" in refused[0].json()["detail"]
    assert not Erasure.objects.exists()


def test_nobody_and_an_unknown_field_are_refused(client, lead, customer):
    assert post(client, lead, Customer.erased()).status_code == 404
    assert post(client, lead, customer, dryrun=True).status_code == 400
