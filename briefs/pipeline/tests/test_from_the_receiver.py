"""From a signed body to a brief: what the receiver reads decides what the pipeline makes of it."""

import time

import pytest

from briefs.models import Brief, Signal
from briefs.pipeline import draining
from webhooks.models import WebhookEvent
from webhooks.tests.sending import post

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("starter", "sandbox", "threadless_receiver"),
]
PERSON = {"identifiers": {"id": "enterprise-insurance-high-1"}}


def receive(**event):
    body = {"object_type": "customer", "metric": "unsubscribed", "data": PERSON,
            "timestamp": int(time.time()) - 60, **event}  # fmt: skip
    answer = post(body).json()["status"]
    draining.drain()
    return answer


def test_a_real_signal_without_an_event_id_opens_a_brief_and_is_known_as_that():
    assert receive() == "stored"

    assert Brief.objects.count() == 1
    event = WebhookEvent.objects.get()
    assert event.status_reason.startswith("opened a brief")
    assert event.reason_code == WebhookEvent.Reason.NO_EVENT_ID


@pytest.mark.parametrize("empty", [{}, {"email": None}, None])
def test_somebody_named_by_customer_id_alone_gets_a_brief(empty):
    receive(event_id="e1", data={"identifiers": empty, "customer_id": "enterprise-games-low-1"})

    assert Signal.objects.get().customer.external_id == "enterprise-games-low-1"
    assert Brief.objects.count() == 1


def test_a_slack_channel_is_nobody():
    data = {"identifiers": {"id": None, "email": None}, "recipient": "@general", "delivery_id": "d"}

    receive(event_id="e1", object_type="slack", metric="converted", data=data)

    assert not Signal.objects.exists()
    assert "names no person" in WebhookEvent.objects.get().status_reason


@pytest.mark.parametrize("timestamp", [0, "soon", 1_924_992_000, 1_924_992_000_000, "2031-01-01"])
def test_a_signal_of_an_impossible_time_happened_when_it_was_received(timestamp):
    receive(event_id="e1", timestamp=timestamp)

    signal = Signal.objects.get()
    assert signal.happened_at == WebhookEvent.objects.get().received_at
    assert signal.message["stated_time"] == str(timestamp)


@pytest.mark.parametrize("ahead", [200, 10_000_000])
def test_a_subscription_in_the_future_does_not_undo_what_comes_after_it(ahead):
    receive(event_id="e1", metric="subscribed", timestamp=int(time.time()) + ahead)
    time.sleep(0.01)  # by the clock of SQLite, which counts milliseconds

    receive(event_id="e2", timestamp=int(time.time()) + ahead)

    assert Brief.objects.count() == 1
    assert Signal.objects.latest("happened_at").customer.is_unsubscribed


def test_milliseconds_are_the_moment_that_they_name():
    day_ago = int(time.time()) - 86_400

    receive(event_id="e1", timestamp=day_ago * 1000)

    assert Signal.objects.get().happened_at.timestamp() == day_ago


def test_a_password_in_a_failure_is_not_kept_with_the_signal():
    words = "550 5.1.1 unknown, see https://ann:open-sesame@mail.example.com"

    receive(
        event_id="e1",
        object_type="email",
        metric="bounced",
        data={**PERSON, "recipient": "ann@example.com", "failure_message": words},
    )

    assert Signal.objects.get().message["failure_message"].endswith("https://…@mail.example.com")
