"""Registering reporting webhooks over the App API."""

import pytest

from sandbox.reporting_webhooks import EVENTS
from sandbox.tests.clients import app_api


def make_webhook(**changes):
    return {
        "name": "Savedesk",
        "endpoint": "https://example.com/hook",
        "events": ["customer_unsubscribed", "email_bounced"],
        **changes,
    }


def test_there_are_as_many_events_as_documented():
    assert len(EVENTS) == 72
    assert "customer_subscription_preferences_changed" in EVENTS


def test_a_created_webhook_has_an_id_and_all_switches_off(sandbox):
    reply = app_api(sandbox).post("reporting_webhooks", json=make_webhook())

    assert reply.json() == {
        **make_webhook(),
        "id": 1,
        "type": "webhook",
        "disabled": False,
        "full_resolution": False,
        "with_content": False,
    }


def test_created_webhooks_are_listed(sandbox):
    client = app_api(sandbox)
    client.post("reporting_webhooks", json=make_webhook(name="First"))
    client.post("reporting_webhooks", json=make_webhook(name="Second"))

    listed = client.get("reporting_webhooks").json()["reporting_webhooks"]

    assert [(each["id"], each["name"]) for each in listed] == [(1, "First"), (2, "Second")]


def test_a_webhook_is_read_replaced_and_deleted_by_its_id(sandbox):
    client = app_api(sandbox)
    client.post("reporting_webhooks", json=make_webhook())

    replaced = client.put("reporting_webhooks/1", json=make_webhook(with_content=True))

    assert client.get("reporting_webhooks/1").json() == replaced.json()
    assert replaced.json()["with_content"] is True
    assert client.delete("reporting_webhooks/1").status_code == 204
    assert client.get("reporting_webhooks/1").status_code == 404


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_an_unknown_webhook_is_a_404(sandbox, method):
    reply = app_api(sandbox).request(method, "reporting_webhooks/7", json=make_webhook())

    assert reply.status_code == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"endpoint": "example.com"},
        {"events": []},
        {"events": ["email_vanished"]},
        {"events": "email_bounced"},
        {"with_content": "yes"},
    ],
)
def test_a_bad_field_is_a_400_that_names_it(sandbox, changes):
    reply = app_api(sandbox).post("reporting_webhooks", json=make_webhook(**changes))

    assert reply.status_code == 400
    assert reply.json()["errors"][0]["detail"].startswith(next(iter(changes)))


def test_the_signing_key_is_in_no_answer(sandbox):
    body = make_webhook(signing_key="secret")

    assert "secret" not in app_api(sandbox).post("reporting_webhooks", json=body).text
