"""What is written of a person while another worker writes of the same one."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from briefs.models import Brief, Signal
from briefs.pipeline import recording, understanding
from briefs.tests.factories import make_customer, make_event, make_payload
from personas import starter
from personas.models import Customer
from personas.rules.rulebook import Rulebook
from webhooks.models import WebhookEvent
from webhooks.tests.threads import Aside

needs_postgres = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite has one writer at a time"
)


def record_one(data, **event):
    """Record one event of the person with the id 42 in a transaction of its own."""
    make_event(make_payload(data={"identifiers": {"id": "42"}, **data}, **event))
    drafts = understanding.understand(WebhookEvent.objects.order_by("-pk")[:1], Rulebook.load())
    return lambda: recording.record(drafts)


@pytest.mark.django_db
@pytest.mark.parametrize(("ahead", "briefs"), [(timedelta(days=900), 1), (timedelta(minutes=1), 0)])
def test_subscription_of_the_far_future_undoes_no_unsubscribe_of_today(ahead, briefs):
    """An earlier version believed such times. The clocks of two hosts may differ a little."""
    starter.load_if_empty()
    person = make_customer(cio_id=None, external_id="42", is_unsubscribed=False)
    at = timezone.now() + ahead
    Customer.objects.filter(pk=person.pk).update(subscription_changed_at=at)

    record_one({"email_address": "x@example.com"})()

    assert Brief.objects.count() == briefs
    person.refresh_from_db()
    assert person.is_unsubscribed is bool(briefs)
    assert (person.subscription_changed_at < at) is bool(briefs)


@needs_postgres
def test_two_reports_of_one_act_that_come_at_once_are_one_entry(threaded_db):
    starter.load_if_empty()
    make_customer(cio_id=None, external_id="42")
    person = record_one({"email_address": "x@example.com"})
    delivery = record_one({"recipient": "x@example.com"}, object_type="email")

    def record_later():
        with transaction.atomic():
            delivery()

    with transaction.atomic():
        person()
        other = Aside(record_later)
        other.wait_until_blocked()
    assert other.result is None

    first, echo = Signal.objects.order_by("pk")
    assert echo.same_act_as == first
    assert Brief.objects.get().activities.count() == 1
