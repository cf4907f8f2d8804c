"""Why a rule or a persona was passed over; and that this never differs from what is decided."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models import Customer, Persona, PersonaCondition, SignalCondition, SignalRule
from personas.models.conditions import SEGMENTS, Operator
from personas.rules.explaining import Event, Outcome, explain
from personas.rules.rulebook import Rulebook

ROLES = {"plan": ["plan", "plan_name"], "usage": ["usage_tier"]}
FETCHED = datetime(2026, 11, 23, tzinfo=UTC)


def make(model, conditions=(), **kw):
    """An unsaved rule or persona with these conditions."""
    condition = PersonaCondition if model is Persona else SignalCondition
    row = model(**kw)
    row.condition_list = [
        condition(field=name, operator=operator, value=value)
        for name, operator, value in conditions
    ]
    return row


def make_rulebook(rules=(), personas=()):
    default = make(Persona, name="Everyone else", is_default=True)
    unknown = make(Persona, name="Profile unknown", is_unknown=True)
    return Rulebook(list(rules), list(personas), default, unknown, ROLES)


def make_rule(name="Rule", conditions=(), **kw):
    return make(SignalRule, conditions, **{"name": name, "metrics": "bounced, dropped", **kw})


def make_persona(name="Persona", *conditions, **kw):
    return make(Persona, conditions, name=name, **kw)


def known(**attributes):
    return Customer(attributes=attributes, fetched_at=FETCHED)


def persona_lines(customer, *personas):
    return explain(make_rulebook(personas=personas), customer=customer).personas


def rule_lines(event, *rules):
    return explain(make_rulebook(rules=rules), event=event).rules


def bounce(**data):
    return Event("email", "bounced", {"recipient": "a@example.com", **data})


# What is said


def test_persona_passed_over_names_the_condition_and_the_value_it_saw():
    persona = make_persona("Big", ("plan", "in", "enterprise, scale"), ("usage", "equals", "low"))

    line, *_ = persona_lines(known(plan_name="pro", usage_tier="low"), persona)

    assert line.outcome is Outcome.FAILS
    assert line.why == (
        "“plan is one of enterprise, scale” does not hold: plan (attribute plan_name) is “pro”"
    )


def test_condition_that_saw_nothing_says_that_it_is_missing():
    persona = make_persona("Big", ("plan", "equals", "enterprise"))

    line, *_ = persona_lines(known(company="Acme"), persona)

    assert line.why == "“plan is enterprise” does not hold: plan is missing"


def test_the_first_condition_that_failed_is_named_and_not_one_that_held():
    persona = make_persona("Big", ("plan", "exists", ""), ("usage", "equals", "low"))

    line, *_ = persona_lines(known(plan="pro", usage_tier="high"), persona)

    assert line.why == "“usage is low” does not hold: usage (attribute usage_tier) is “high”"


def test_of_a_persona_of_which_any_condition_is_enough_none_holds():
    conditions = [("plan", "equals", "enterprise"), ("usage", "equals", "low")]
    persona = make_persona("Big", *conditions, match="any")

    line, *_ = persona_lines(known(plan="pro"), persona)

    assert (
        line.why == "none of its 2 conditions holds; the first, “plan is enterprise”: plan is “pro”"
    )


def test_persona_that_decides_says_what_held_and_one_that_fits_too_says_after_whom():
    big = make_persona("Big", ("plan", "equals", "pro"))
    all_ = make_persona("All")

    first, second, default, unknown = persona_lines(known(plan="pro"), big, all_)

    assert (first.outcome, first.why) == (Outcome.DECIDES, "plan is “pro”")
    assert (second.outcome, second.why) == (Outcome.COMES_LATER, "fits too, but comes after “Big”")
    assert [default.why, unknown.why] == ["not needed", "not needed"]


def test_nobody_asks_the_personas_about_somebody_unknown():
    persona = make_persona("All")

    line, _, unknown = persona_lines(Customer(attributes={"plan": "pro"}), persona)

    assert line.outcome is Outcome.NOT_ASKED
    assert (unknown.decides, unknown.why) == (True, "profile not looked up")


@pytest.mark.parametrize(
    ("rule", "why"),
    [
        ({"metrics": "opened"}, "is about opened"),
        ({"object_types": "sms, push"}, "is about events of sms, push"),
        ({"level": "person"}, "is about events about the person"),
        ({"object_types": "sms", "level": "person"}, "is about events of sms about the person"),
    ],
)
def test_rule_about_other_events_says_about_which(rule, why):
    line, *_ = rule_lines(bounce(), make_rule(**rule))

    assert (line.outcome, line.why) == (Outcome.OTHER_EVENTS, why)


def test_rule_sees_what_is_read_from_the_event_and_what_was_found_out():
    rule = make_rule(
        "Theirs", [("bounce", "equals", "gone"), ("recipient_is", "equals", "their own")]
    )
    data = {"failure_message": "550 5.1.1 user unknown", "recipient": "a@b.co"}
    event = Event("email", "bounced", data, {"recipient_is": "another address"})

    line, *_ = rule_lines(event, rule)

    assert line.why == (
        "“recipient_is is their own” does not hold: recipient_is is “another address”"
    )


def test_passwords_in_an_events_addresses_are_hidden():
    rule = make_rule("By address", [("href", "contains", "elsewhere")])

    line, *_ = rule_lines(bounce(href="https://robin:secret@example.com/"), rule)

    assert "example.com" in line.why
    assert "secret" not in line.why


# It never differs from what is decided

FIELDS = st.sampled_from(["plan", "usage", "mrr", "company.plan", "failure_message", "bounce"])
VALUES = st.sampled_from(["pro", "low", "10", "9.5", "550 5.1.1 gone", '["pro", "low"]', "", "-"])
# Who is in a segment is read from the database.
OPERATORS = st.sampled_from([one for one in Operator.values if one not in SEGMENTS])
CONDITIONS = st.lists(st.tuples(FIELDS, OPERATORS, VALUES.filter(bool)), max_size=3)
MATCHES = st.sampled_from(["all", "any"])


def _rows(**kw):
    return st.lists(st.tuples(CONDITIONS, MATCHES, st.fixed_dictionaries(kw)), max_size=5)


def _rulebook(rules, personas):
    return make_rulebook(
        [make_rule(f"{n}", c, match=m, **kw) for n, (c, m, kw) in enumerate(rules)],
        [make_persona(f"{n}", *c, match=m, **kw) for n, (c, m, kw) in enumerate(personas)],
    )


RULEBOOKS = st.builds(
    _rulebook,
    _rows(
        metrics=st.sampled_from(["bounced", "opened", "bounced, opened"]),
        object_types=st.sampled_from(["", "email", "sms"]),
        level=st.sampled_from(["any", "person", "delivery"]),
    ),
    _rows(opens_brief=st.booleans()),
)


NAMES = st.sampled_from(["plan", "plan_name", "usage_tier", "mrr", "company", "unmapped"])
CUSTOMERS = st.builds(
    Customer,
    attributes=st.dictionaries(NAMES, VALUES),
    fetched_at=st.sampled_from([None, FETCHED, FETCHED]),
    is_deleted=st.sampled_from([False, False, True]),
)
EVENTS = st.builds(
    Event,
    object_type=st.sampled_from(["email", "sms", "customer"]),
    metric=st.sampled_from(["bounced", "opened", "sent"]),
    data=st.dictionaries(st.sampled_from(["failure_message", "recipient", "plan", "mrr"]), VALUES),
    found_out=st.fixed_dictionaries({}, optional={"reached": st.just("again")}),
)


@given(rulebook=RULEBOOKS, customer=CUSTOMERS)
def test_explanation_names_the_persona_that_the_matcher_finds(rulebook, customer):
    explanation = explain(rulebook, customer=customer)

    assert explanation.persona is rulebook.persona_for(customer).persona
    assert sum(line.decides for line in explanation.personas) == 1


@given(rulebook=RULEBOOKS, event=EVENTS)
def test_explanation_names_the_rule_that_the_matcher_finds(rulebook, event):
    explanation = explain(rulebook, event=event)

    found = rulebook.rule_for(event.object_type, event.metric, event.data, **event.found_out)
    assert explanation.rule is (found and found.rule)
    assert [line.row for line in explanation.rules] == rulebook.rules


@given(rulebook=RULEBOOKS, event=EVENTS)
def test_rules_before_the_one_that_decides_say_what_failed(rulebook, event):
    lines = explain(rulebook, event=event).rules

    number = next((n for n, line in enumerate(lines) if line.decides), len(lines))
    assert {line.outcome for line in lines[:number]} <= {Outcome.FAILS, Outcome.OTHER_EVENTS}
    assert Outcome.DECIDES not in {line.outcome for line in lines[number + 1 :]}
