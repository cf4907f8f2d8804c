"""The starter rules: whom each persona takes, and what each event is taken for."""

import json
from collections import Counter
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from personas import starter as starter_rules
from personas.models import (
    AttributeName,
    Customer,
    FirstStep,
    Operator,
    Persona,
    PersonaCondition,
    SignalCondition,
    SignalRule,
)
from personas.models.playbooks import sections
from personas.rules.rulebook import Rulebook
from personas.starter.personas import (
    BUSINESS_PLANS,
    ENTERPRISE_PLANS,
    FREE_PLANS,
    PERSONAS,
    PRO_PLANS,
    TRIAL_PLANS,
)

pytestmark = pytest.mark.on_sqlite  # rules and texts: the same in any database
in_database = pytest.mark.usefixtures("starter")
PAYLOADS = Path(__file__).parents[3] / "webhooks/tests/payloads"
PLAYBOOKS = sorted(starter_rules.PLAYBOOKS.glob("*.md"))
PREFERENCES = "cio_subscription_preferences_changed"


@pytest.fixture(scope="module")
def rulebook(django_db_setup, django_db_blocker):
    """Read once and kept, without leaving anything in the database."""
    with django_db_blocker.unblock(), transaction.atomic():
        starter_rules.load_if_empty()
        loaded = Rulebook.load()
        transaction.set_rollback(True)
    return loaded


@pytest.fixture(scope="module")
def persona_of(rulebook):
    def persona_of(**attributes):
        return rulebook.persona_for(Customer(attributes=attributes, fetched_at=timezone.now()))

    return persona_of


@pytest.fixture(scope="module")
def rule_of(rulebook):
    def rule_of(object_type, metric, preferences="", **data):
        match = rulebook.rule_for(object_type, metric, data, preferences=preferences)
        return match.rule if match else None

    return rule_of


# Personas ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Internal and test accounts", {"is_internal": "true", "plan": "enterprise"}),
        ("Already cancelled", {"subscription_status": "canceled", "plan": "enterprise"}),
        (
            "Enterprise, regulated industry",
            {"plan": "Enterprise", "industry": "Health care", "usage_tier": "low"},
        ),
        ("Enterprise, low usage", {"plan": "enterprise", "industry": "retail", "usage": "Low"}),
        ("Enterprise, active", {"plan": "enterprise", "usage_tier": "high"}),
        ("Business or Pro, high usage", {"plan": "business", "usage_tier": "high"}),
        ("Business or Pro, high usage", {"plan": "pro", "usage_tier": "medium"}),
        ("Business, low usage", {"plan": "business", "usage_tier": "low"}),
        ("Pro, low usage", {"plan": "pro", "usage_tier": "low"}),
        ("Trial", {"plan": "free", "subscription_status": "trialing", "usage_tier": "high"}),
        ("Free, heavy use", {"plan": "free", "usage_tier": "high"}),
        ("Everyone else", {"plan": "free", "usage_tier": "low"}),
        ("Profile unknown", {"favourite_colour": "green"}),
    ],
)
def test_each_persona_takes_its_customers(persona_of, name, attributes):
    assert persona_of(**attributes).persona.name == name


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Enterprise, active", {"plan": "enterprise"}),
        ("Business, low usage", {"plan": "business"}),
        ("Business, low usage", {"plan": "team", "usage_tier": "42 sessions"}),
        ("Pro, low usage", {"plan": "pro"}),
        ("Pro, low usage", {"plan": "pro", "usage_tier": " "}),
    ],
)
def test_paid_plan_without_readable_usage_still_has_a_persona_of_high_value(
    persona_of, name, attributes
):
    persona = persona_of(**attributes).persona

    assert persona.name == name
    assert (persona.value, persona.opens_brief) == ("high", True)


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("Enterprise, active", {"plan": "enterprise_2024", "usage_tier": "low"}),
        ("Enterprise, active", {"plan": "New Enterprise EU"}),
        ("Business, low usage", {"plan": "business_2024"}),
        ("Everyone else", {"plan": "gold"}),
        ("Enterprise, low usage", {"planType": "ENTERPRISE  PLUS", "engagementLevel": "dormant"}),
        ("Already cancelled", {"lifecycle_stage": "Former Customer"}),
        ("Internal and test accounts", {"is_test_user": "1"}),
    ],
)
def test_unknown_and_unusual_spellings_land_where_the_rules_say(persona_of, name, attributes):
    assert persona_of(**attributes).persona.name == name


@pytest.mark.parametrize("status", ["past_due", "paused", "cancelling", "active", "unpaid"])
def test_customer_who_can_still_be_kept_is_not_taken_for_cancelled(persona_of, status):
    match = persona_of(plan="pro", subscription_status=status)

    assert match.persona.name == "Pro, low usage"


def test_paid_plan_is_stronger_than_a_status_of_trialing(persona_of):
    assert persona_of(plan="pro", status="trialing").persona.name == "Pro, low usage"


def test_default_persona_says_what_was_seen(persona_of):
    why = persona_of(plan="gold", usage_tier="low").why

    assert why == "persona “Everyone else”: no other persona fits (plan “gold”, usage “low”)"


@pytest.mark.parametrize(
    ("customer", "why"),
    [
        (Customer(), "profile not looked up"),
        (Customer(fetched_at=timezone.now()), "none of the mapped attributes is filled in"),
        (
            Customer(fetched_at=timezone.now(), is_deleted=True, attributes={"plan": "enterprise"}),
            "deleted in Customer.io, or never there",
        ),
    ],
)
def test_customer_of_whom_nothing_is_known_is_unknown_and_not_everyone_else(
    rulebook, customer, why
):
    match = rulebook.persona_for(customer)

    assert match.persona.is_unknown
    assert match.why == f"persona “Profile unknown”: {why}"


@in_database
def test_personas_are_in_the_decided_order_with_the_decided_values():
    rows = Persona.objects.values_list("name", "value", "opens_brief")

    assert list(rows) == [
        ("Internal and test accounts", "low", False),
        ("Already cancelled", "low", False),
        ("Enterprise, regulated industry", "high", True),
        ("Enterprise, low usage", "high", True),
        ("Enterprise, active", "high", True),
        ("Business or Pro, high usage", "high", True),
        ("Business, low usage", "high", True),
        ("Pro, low usage", "high", True),
        ("Trial", "low", True),
        ("Free, heavy use", "low", False),
        ("Everyone else", "standard", False),
        ("Profile unknown", "standard", True),
    ]


@in_database
def test_every_persona_that_buys_research_says_what_to_look_into():
    for persona in Persona.objects.all():
        assert bool(persona.research_focus) == persona.buys_research, persona.name


@in_database
def test_conditions_speak_of_roles_only_and_never_of_a_missing_value():
    roles = set(AttributeName.objects.values_list("role", flat=True))
    for condition in PersonaCondition.objects.all():
        assert condition.field in roles
        assert not Operator(condition.operator).name.startswith("NOT_")


def test_no_plan_is_on_two_lists():
    plans = Counter()
    for listed in (ENTERPRISE_PLANS, BUSINESS_PLANS, PRO_PLANS, FREE_PLANS, TRIAL_PLANS):
        plans.update(plan.strip() for plan in listed.split(","))

    assert [plan for plan, count in plans.items() if count > 1] == []


# Playbooks --------------------------------------------------------------------------------------


def test_every_persona_has_a_playbook_and_every_playbook_a_persona():
    assert [path.stem for path in PLAYBOOKS] == sorted(given["slug"] for given in PERSONAS)


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_playbook_says_what_to_do_over_which_channel_how_far_and_what_not(path):
    playbook = path.read_text(encoding="utf-8")
    found = sections(playbook)

    titles = [section.title for section in found]
    assert titles == ["Before you start", "Channel", "How far an offer may go", "Do not"]
    assert all(section.body for section in found)
    assert "24 hours" not in playbook  # what to do first, and when, depends on the signal


def test_no_paragraph_serves_two_personas():
    paragraphs = Counter(
        paragraph.strip()
        for path in PLAYBOOKS
        for section in sections(path.read_text(encoding="utf-8"))
        for paragraph in section.body.replace("\n- ", "\n\n- ").split("\n\n")
    )

    assert [text for text, count in paragraphs.items() if count > 1] == []


# Signal rules -----------------------------------------------------------------------------------


NOT_SENT = ("failed", "undeliverable", "attempted")
MEANT = {
    "customer_cio_subscription_preferences_changed": "Preferences changed, direction unknown",
    "customer_subscribed": "Subscribed again",
    "customer_unsubscribed": "Unsubscribed",
    "email_unsubscribed": "Unsubscribed through a message",
    "email_spammed": "Spam complaint",
    "email_bounced": "E-mail bounced: cause unclear",
}


def meant(kind):
    metric = kind.split("__")[0].split("_")[-1]
    by_metric = {"converted": "Converted", **dict.fromkeys(NOT_SENT, "Could not be sent")}
    return MEANT.get(kind) or by_metric.get(metric)


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_documented_payload_is_taken_for(rule_of, path):
    payload = json.loads(path.read_text(encoding="utf-8"))

    rule = rule_of(payload["object_type"], payload["metric"], **payload["data"])

    assert (rule.name if rule else None) == meant(path.stem)


@pytest.mark.parametrize(
    ("message", "kind", "effect", "severity"),
    [
        ("550 5.1.1 user unknown", "address_gone", "opens_brief", 2),
        ("550-5.1.1 The email account that you tried to reach does not exist.",
         "address_gone", "opens_brief", 2),
        ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found",
         "address_gone", "opens_brief", 2),
        ("550 Requested action not taken: mailbox unavailable", "address_gone", "opens_brief", 2),
        ("554 delivery error: This user doesn't have an account; No such user",
         "address_gone", "opens_brief", 2),
        ("10.5.7.1 said: 550 5.1.1 rejected", "address_gone", "opens_brief", 2),
        ("452 4.2.2 mailbox full", "mailbox_full", "timeline", 1),
        ("552 5.2.2 The email account that you tried to reach is over quota",
         "mailbox_full", "timeline", 1),
        ("550 Mailbox is full", "mailbox_full", "timeline", 1),
        ("421 4.4.2 Connection timed out", "mailbox_full", "timeline", 1),
        ("421 Timeout waiting for a connection", "mailbox_full", "timeline", 1),
        ("450 mailbox unavailable, try again later", "mailbox_full", "timeline", 1),
        ("550 5.7.1 blocked by policy", "blocked", "notice", 1),
        ("550 5.7.26 Unauthenticated email is not accepted due to DMARC",
         "blocked", "notice", 1),
        ("554 Your address is on our blacklist", "blocked", "notice", 1),
        # Our fault is nobody's leaving.
        ("550 5.1.8 Access refused, bad outbound sender", "blocked", "notice", 1),
        ("553 5.1.8 <a@ours.example>... Domain of sender address a@ours.example does not exist",
         "blocked", "notice", 1),
        ("550 5.1.0 <01@bounces.ours.example> sender rejected, see our mail policy",
         "blocked", "notice", 1),
        ("421 4.7.0 Messages from 192.0.2.9 temporarily deferred due to user complaints",
         "blocked", "notice", 1),
        ("552 5.3.4 Message size exceeds fixed limit", "blocked", "notice", 1),
        # A closed mailbox, and the last status of several.
        ("550 5.2.1 The email account that you tried to reach is disabled",
         "address_gone", "opens_brief", 2),
        ("554 delivery error: this mailbox is disabled (554.30)", "address_gone", "opens_brief", 2),
        ("<mx.example #5.0.0 smtp; 550 5.4.1 [a@example.com]: Recipient address rejected: "
         "Access denied>", "address_gone", "opens_brief", 2),
        ("552 recipient inbox is full", "mailbox_full", "timeline", 1),
        ("450 4.7.1 Greylisted, try again later", "mailbox_full", "timeline", 1),
        ("Connection to 10.5.7.1 lost", "bounced", "opens_brief", 2),
        ("Connection to 5.1.1.7 lost", "bounced", "opens_brief", 2),
        ("Connection to 4.2.2.1 lost", "bounced", "opens_brief", 2),
        ("Something went wrong!", "bounced", "opens_brief", 2),
        ("", "bounced", "opens_brief", 2),
    ],
)  # fmt: skip
def test_bounce_is_told_by_its_message(rule_of, message, kind, effect, severity):
    rule = rule_of("email", "bounced", recipient="a@example.com", failure_message=message)

    assert (rule.kind, rule.effect, rule.severity) == (kind, effect, severity)


def test_bounce_without_a_message_is_unclear(rule_of):
    assert rule_of("email", "bounced", recipient="a@example.com").kind == "bounced"


@pytest.mark.parametrize(
    ("preferences", "kind", "effect", "severity"),
    [
        ("channel off", "channel_opt_out", "opens_brief", 2),
        ("all topics off", "all_topics_off", "opens_brief", 3),
        ("some topics off", "topic_opt_out", "opens_brief", 1),
        ("channel on", "channel_opt_in", "good_news", 1),
        ("topics on", "topic_opt_in", "good_news", 1),
        ("not sent", "other", "ignore", 1),
        ("unreadable", "other", "ignore", 1),
        ("unknown", "other", "ignore", 1),
    ],
)
@pytest.mark.parametrize("metric", [PREFERENCES, "subscription_preferences_changed"])
@pytest.mark.parametrize("object_type", ["customer", "email"])
def test_change_of_preferences_is_told_by_its_direction(
    rule_of, object_type, metric, preferences, kind, effect, severity
):
    rule = rule_of(object_type, metric, preferences, email_address="a@example.com")

    assert (rule.kind, rule.effect, rule.severity) == (kind, effect, severity)


def test_only_what_was_not_sent_says_what_to_turn_on(rule_of):
    notes = {
        word: rule_of("customer", PREFERENCES, word).note
        for word in ("not sent", "unreadable", "unknown")
    }

    assert [word for word, note in notes.items() if "Body Content" in note] == ["not sent"]
    assert "cannot be read" in notes["unreadable"]


@pytest.mark.parametrize("metric", ["spammed", "complained"])
def test_complaint_is_as_severe_as_an_unsubscribe(rule_of, metric):
    complaint, unsubscribe = rule_of("email", metric), rule_of("customer", "unsubscribed")

    assert complaint.effect == unsubscribe.effect == "opens_brief"
    assert complaint.severity == unsubscribe.severity == 3


def test_unsubscribe_through_a_message_is_the_same_signal_on_any_channel(rule_of):
    for object_type in ("email", "sms", "whatsapp", "push"):
        assert rule_of(object_type, "unsubscribed", recipient="x").kind == "unsubscribed"


@pytest.mark.parametrize(
    ("object_type", "metric"),
    [("push", "bounced"), ("sms", "bounced"), ("whatsapp", "bounced"), ("email", "dropped")],
)
@in_database
def test_rule_that_is_switched_off_waits_for_the_team(object_type, metric):
    assert Rulebook.load().rule_for(object_type, metric, {}) is None
    SignalRule.objects.update(is_active=True)

    match = Rulebook.load().rule_for(object_type, metric, {})

    assert match.rule.effect == "opens_brief"


@pytest.mark.parametrize("metric", [*NOT_SENT, "deferred"])
def test_what_could_not_be_sent_is_no_signal(rule_of, metric):
    assert rule_of("email", metric).effect == "ignore"


# Loading ----------------------------------------------------------------------------------------


@in_database
def test_every_row_passes_the_checks_of_the_admin():
    for model in (AttributeName, FirstStep, Persona, PersonaCondition, SignalRule, SignalCondition):
        assert model.objects.exists()
        for row in model.objects.all():
            row.full_clean()


@in_database
def test_loading_twice_changes_nothing():
    Persona.objects.filter(name="Trial").update(value="high")
    SignalRule.objects.filter(name="Converted").delete()
    models = (AttributeName, FirstStep, Persona, PersonaCondition, SignalRule, SignalCondition)
    before = [list(model.objects.order_by("pk").values()) for model in models]

    assert starter_rules.load_if_empty() == 0

    assert [list(model.objects.order_by("pk").values()) for model in models] == before


@in_database
def test_loading_fills_only_what_is_empty():
    SignalRule.objects.all().delete()

    assert starter_rules.load_if_empty() == SignalRule.objects.count() > 0
    assert Persona.objects.count() == 12


@in_database
def test_command_says_what_it_did():
    first, second = StringIO(), StringIO()
    AttributeName.objects.all().delete()

    call_command("load_starter_rules", stdout=first)
    call_command("load_starter_rules", stdout=second)

    assert first.getvalue() == f"{AttributeName.objects.count()} rules loaded.\n"
    assert second.getvalue() == "Rules exist already; nothing was changed.\n"
