"""The App API client: managing reporting webhooks, and testing the connection and the key."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from providers.customerio import AppApi, BadRequest, LookupFailed, ReportingWebhook
from sandbox.server import Sandbox
from sandbox.wire import json_reply

WEBHOOK = ReportingWebhook(
    name="Savedesk",
    endpoint="https://desk.example.com/webhooks/customerio/",
    events=frozenset({"customer_unsubscribed", "email_bounced"}),
    is_disabled=True,
    full_resolution=True,
    with_content=True,
)


@pytest.fixture
def api(sandbox):
    return AppApi()


def test_saved_webhook_is_listed_with_an_id(api):
    saved = api.save_reporting_webhook(WEBHOOK)

    assert saved == replace(WEBHOOK, id=1)
    assert api.reporting_webhooks() == [saved]


def test_webhook_with_an_id_is_replaced(sandbox, api):
    saved = api.save_reporting_webhook(WEBHOOK)

    api.save_reporting_webhook(replace(saved, is_disabled=False, events=frozenset({"sms_sent"})))

    [webhook] = api.reporting_webhooks()
    assert (webhook.id, webhook.is_disabled, webhook.events) == (1, False, {"sms_sent"})
    assert sandbox.requests[1].method == "PUT"


def test_refused_field_is_a_bad_request_in_their_words(api):
    with pytest.raises(BadRequest) as caught:
        api.save_reporting_webhook(replace(WEBHOOK, events=frozenset({"email_vanished"})))

    assert caught.value.detail.startswith("events has an unknown name: email_vanished")
    assert "vanished" not in str(caught.value)


def test_webhook_that_is_gone_cannot_be_replaced(api):
    with pytest.raises(LookupFailed) as caught:
        api.save_reporting_webhook(replace(WEBHOOK, id=7))

    assert (caught.value.http_status, caught.value.is_permanent) == (404, True)


@pytest.mark.parametrize("body", [{}, {"reporting_webhooks": {}}, []])
def test_listing_of_another_shape_is_a_failure(sandbox, api, body):
    sandbox._listener.answer = lambda request: json_reply(body)

    with pytest.raises(LookupFailed):
        api.reporting_webhooks()


def test_hollow_webhook_of_a_listing_is_one_without_anything(sandbox, api):
    listing = {"reporting_webhooks": [{"id": "x", "events": None, "disabled": 1}, None]}
    sandbox._listener.answer = lambda request: json_reply(listing)

    assert api.reporting_webhooks() == [ReportingWebhook("", "", frozenset())]


# Reaching ---------------------------------------------------------------------------------------


def test_reaching_costs_one_look_up_of_nobody_and_tells_their_time(sandbox, api):
    before = datetime.now(UTC).replace(microsecond=0)

    told = api.reach()

    assert before <= told <= datetime.now(UTC)
    assert [request.path for request in sandbox.requests] == ["/v1/customers/attributes"]


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 23 Nov 2026 18:50:15 -0000"])
def test_odd_date_is_no_failure(sandbox, api, date):
    headers = {"Date": date} if date else {}
    sandbox._listener.answer = lambda request: json_reply({"customers": []}, headers=headers)

    assert (told := api.reach()) is None or told.tzinfo


def test_refused_id_still_proves_that_the_key_is_accepted(sandbox, api):
    sandbox._listener.answer = lambda request: json_reply({"errors": []}, status=400)

    assert api.reach() is None


@pytest.mark.parametrize("status", [401, 403, 500])
def test_reaching_fails_like_a_look_up_and_says_the_status(sandbox, api, status):
    sandbox._listener.answer = lambda request: json_reply({}, status=status)

    with pytest.raises(LookupFailed) as caught:
        api.reach()

    assert caught.value.http_status == status


def test_another_address_can_be_asked(sandbox):
    with Sandbox() as other:
        AppApi(base_url=other.cio_base_url).reach()

        assert (len(other.requests), len(sandbox.requests)) == (1, 0)
