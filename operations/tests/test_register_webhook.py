"""Which events the rules need, and the command that registers them, over HTTP."""

import io
from dataclasses import replace

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django_q.models import Schedule

from operations import registration
from operations.registration import BadAddress, checked_endpoint, events_of, needed_events
from personas.models import SignalRule
from providers.customerio import AppApi, ReportingWebhook
from sandbox.reporting_webhooks import EVENTS
from sandbox.wire import json_reply
from webhooks.models import Bell

URL = "https://localhost/webhooks/customerio/"
ELSEWHERE = "https://old.example.com/webhooks/customerio/"
STARTER_EVENTS = {
    "customer_unsubscribed", "customer_subscribed", "customer_subscription_preferences_changed",
    "email_unsubscribed", "email_spammed", "email_bounced", "email_clicked", "sms_replied",
    "whatsapp_replied", "email_converted", "sms_converted",
    "whatsapp_converted", "push_converted", "in_app_converted", "slack_converted",
    "webhook_converted",
}  # fmt: skip


def register(url=URL, **options):
    """Run the command; returns all it printed."""
    said = io.StringIO()
    call_command("register_webhook", url=url, stdout=said, stderr=said, **options)
    return said.getvalue()


def registered():
    return AppApi().reporting_webhooks()


def make_webhook(**kw):
    given = ReportingWebhook("Savedesk", URL, frozenset({"email_bounced", "email_opened"}))
    return AppApi().save_reporting_webhook(replace(given, **kw))


# What the rules need ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "events"),
    [
        ({"metrics": "unsubscribed"}, {"customer_unsubscribed", "email_unsubscribed"}),
        ({"metrics": "unsubscribed", "level": "person"}, {"customer_unsubscribed"}),
        ({"metrics": "unsubscribed", "level": "delivery"}, {"email_unsubscribed"}),
        # A person's change carries the type of the channel that triggered it.
        ({"metrics": "subscribed", "object_types": "SMS"}, {"customer_subscribed"}),
        ({"metrics": "Bounced", "object_types": "email, sms"}, {"email_bounced", "sms_bounced"}),
        ({"metrics": "bounced", "object_types": "in_app"}, set()),
        ({"metrics": "spammed, complained"}, {"email_spammed"}),
        ({"metrics": "complained"}, set()),
        (
            {"metrics": "cio_subscription_preferences_changed", "object_types": "email"},
            {"customer_subscription_preferences_changed"},
        ),
    ],
)  # fmt: skip
def test_rule_needs_the_combinations_that_exist(rule, events):
    assert events_of(SignalRule(**rule)) == events


def test_all_known_events_are_those_of_the_documentation():
    known = {f"{kind}_{m}" for kind, ms in registration.METRICS.items() for m in ms.split()}

    assert known == EVENTS


def test_starter_rules_need_these_events(starter):
    assert needed_events() == STARTER_EVENTS


def test_rule_that_is_off_or_ignores_needs_nothing(starter):
    SignalRule.objects.filter(metrics="converted").update(is_active=False)
    SignalRule.objects.filter(metrics="subscribed").update(effect="ignore")

    assert needed_events() == {
        name
        for name in STARTER_EVENTS
        if not name.endswith("_converted") and name != "customer_subscribed"
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://desk.example.com/webhooks/customerio/", "https://"),
        ("https://desk.example.com/", "must end in /webhooks/customerio/"),
        ("https://desk.example.com/webhooks/customerio/?a=b", "must end in"),
        ("desk.example.com/webhooks/customerio/", "whole address"),
        ("ftp://desk.example.com/webhooks/customerio/", "whole address"),
        ("https:///webhooks/customerio/", "whole address"),
        ("https://desk.example.com:x/webhooks/customerio/", "not an address"),
    ],
)
def test_bad_address_is_refused_in_words(url, words):
    with pytest.raises(BadAddress, match=words):
        checked_endpoint(url)


def test_address_is_registered_with_its_final_slash():
    assert checked_endpoint(" https://a.example/webhooks/customerio") == (
        "https://a.example/webhooks/customerio/"
    )


# The command ------------------------------------------------------------------------------------


def test_new_webhook_is_disabled_and_has_what_the_rules_need(sandbox, starter):
    said = register()

    [webhook] = registered()
    assert webhook == ReportingWebhook(
        "Savedesk", URL, frozenset(STARTER_EVENTS), True, True, True, id=1
    )
    assert "  + email_spammed" in said
    assert "Copy signing key" in said


def test_deliveries_stay_where_somebody_ticked_them(sandbox, starter):
    make_webhook(events=frozenset({"email_delivered", "email_opened"}))

    register()

    [webhook] = registered()
    assert webhook.events == STARTER_EVENTS | {"email_delivered"}


def test_second_run_changes_nothing(sandbox, starter):
    register()

    said = register()

    assert "Unchanged" in said
    assert [r.method for r in sandbox.requests if "webhooks" in r.path] == ["GET", "POST", "GET"]


def test_enabled_webhook_of_this_address_is_updated_and_stays_enabled(sandbox, starter):
    make_webhook(name="Named by hand", endpoint=URL.rstrip("/"))

    said = register()

    [webhook] = registered()
    assert (webhook.name, webhook.is_disabled) == ("Named by hand", False)
    assert webhook.events == STARTER_EVENTS
    assert "  - email_opened" in said
    assert "+ email_bounced" not in said


def test_disabled_webhook_of_the_name_is_moved_here(sandbox, starter):
    make_webhook(endpoint=ELSEWHERE, is_disabled=True)

    said = register()

    [webhook] = registered()
    assert (webhook.id, webhook.endpoint, webhook.is_disabled) == (1, URL, True)
    assert f"moved from {ELSEWHERE}" in said


def test_enabled_webhook_of_another_address_is_moved_only_with_the_option(sandbox, starter):
    before = make_webhook(endpoint=ELSEWHERE)

    with pytest.raises(CommandError, match="--move"):
        register()
    assert registered() == [before]
    register(name="Savedesk staging")
    assert [webhook.endpoint for webhook in registered()] == [ELSEWHERE, URL]


def test_moved_webhook_is_disabled_first(sandbox, starter):
    make_webhook(endpoint=ELSEWHERE)

    register(move=True)

    assert [(w.endpoint, w.is_disabled) for w in registered()] == [(URL, True)]


def test_dry_run_prints_the_request_and_sends_none(sandbox, starter):
    said = register(dry_run=True)

    assert "POST /reporting_webhooks" in said
    assert '"disabled": true' in said
    assert "Nothing was changed." in said
    assert registered() == []


def test_password_in_the_address_is_kept_and_not_printed(sandbox, starter):
    make_webhook(endpoint=URL.replace("localhost", "cio:hunter2@localhost"))

    said = register() + register(dry_run=True)

    assert "hunter2" not in said
    assert "hunter2" in registered()[0].endpoint


def test_rule_without_any_event_is_a_warning(sandbox, starter):
    SignalRule.objects.create(name="Complaints", metrics="complained", kind="other")

    assert "no event for the rule “Complaints”" in register()


def test_without_any_rule_nothing_is_registered(sandbox, db):
    with pytest.raises(CommandError, match="No active signal rule"):
        register()


def test_host_that_is_not_allowed_is_a_warning(sandbox, starter):
    assert "not among ALLOWED_HOSTS" in register(ELSEWHERE)
    assert "ALLOWED_HOSTS" not in register()


# What goes wrong --------------------------------------------------------------------------------


def failure(**options):
    with pytest.raises(CommandError) as caught:
        register(**options)
    return str(caught.value)


def test_missing_key_says_where_to_make_one(sandbox, starter, settings):
    settings.CIO_APP_KEY = ""

    assert "Create a key" in failure()


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (401, "not a Track or Pipelines key"),
        (403, "may not manage reporting webhooks"),
        (400, "Customer.io refuses this: endpoint is blocked"),
        (500, "run it again"),
    ],
)
def test_refusal_says_what_to_do(sandbox, starter, status, words):
    reply = json_reply({"errors": [{"detail": "endpoint is blocked"}]}, status=status)
    sandbox._listener.answer = lambda request: reply

    said = failure()

    assert words in said
    assert sandbox.cio_key not in said


def test_bad_address_ends_it_before_anything_is_sent(sandbox, starter):
    assert "https://" in failure(url="http://desk.example.com/webhooks/customerio/")
    assert sandbox.requests == []


# Enabling ---------------------------------------------------------------------------------------


@pytest.fixture
def working(sandbox, live_server, starter, settings):
    """An installation whose workers run; returns its receiver's address."""
    settings.CIO_WEBHOOK_SECRETS = ["a-signing-key-of-some-length"]
    Bell.objects.create(pk=1, silenced_at=timezone.now())
    Schedule.objects.update_or_create(
        func="briefs.tasks.sweep",
        defaults={
            "schedule_type": "I",
            "minutes": 1,
            "repeats": -1,
            "cluster": "default",
            "next_run": timezone.now(),
        },
    )
    return f"{live_server.url}/webhooks/customerio/"


def test_enabling_checks_first_and_then_enables(working):
    said = register(working, enable=True)

    assert said.rstrip().endswith("Enabled: Customer.io sends from now on.")
    assert [webhook.is_disabled for webhook in registered()] == [False]


def test_nothing_is_enabled_while_no_worker_sweeps(working):
    Bell.objects.update(silenced_at=timezone.now() - timezone.timedelta(minutes=4))

    said = failure(url=working, enable=True)

    assert "Not enabled: 1 check failed" in said
    assert [webhook.is_disabled for webhook in registered()] == [True]


def test_nothing_is_enabled_where_the_receiver_does_not_answer(working):
    unanswered = "http://127.0.0.1:9/webhooks/customerio/"

    assert "Not enabled" in failure(url=unanswered, enable=True)
    assert [webhook.is_disabled for webhook in registered()] == [True]
