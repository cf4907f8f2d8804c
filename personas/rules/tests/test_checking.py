"""What is said of personas and signal rules by reading them."""

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models import Customer, Persona, PersonaCondition, SignalCondition, SignalRule
from personas.models.attributes import CustomerFacts
from personas.rules import checking, noting
from personas.rules.matching import PlainFacts, holding
from personas.rules.rulebook import Rulebook
from personas.starter import load_if_empty

ROLES = {"plan": ["plan", "plan_name"], "usage": ["usage_tier"]}
KEY = checking.by_role(ROLES)
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def persona(*conditions, name="Paying", match="all"):
    made = Persona(name=name, match=match)
    made.condition_list = [PersonaCondition(field=f, operator=o, value=v) for f, o, v in conditions]
    return made


def rule(*conditions, name="Left", **kw):
    made = SignalRule(name=name, **{"metrics": "unsubscribed", "match": "all", **kw})
    made.condition_list = [SignalCondition(field=f, operator=o, value=v) for f, o, v in conditions]
    return made


def contradictions(*conditions, match="all"):
    return list(checking.contradictions(persona(*conditions, match=match), KEY, "serves"))


def test_condition_that_no_value_meets_is_told():
    assert contradictions(("seen", "newer", "0"), ("plan", "equals", "pro")) == [
        "“seen is less than 0 days ago” never holds, so “Paying” serves nobody."
    ]
    assert contradictions(("seen", "newer", "1")) == contradictions(("seen", "soon", "0")) == []


def test_contradiction_names_both_conditions_and_what_follows():
    assert contradictions(("plan", "equals", "pro"), ("Plan", "not_in", "pro, free")) == [
        "“plan is pro” and “Plan is none of pro, free” never hold together, so “Paying” serves "
        "nobody."
    ]


def test_range_without_numbers_is_met_by_lists_alone():
    assert contradictions(("seats", "gt", "10"), ("seats", "lt", "5")) == [
        "“seats is more than 10” and “seats is less than 5” hold together for no plain value, only "
        "for a list or an object; without such values “Paying” serves nobody."
    ]


def test_three_conditions_that_only_together_exclude_all_are_named():
    (words,) = contradictions(
        ("plan", "in", "pro, free"), ("plan", "not_equals", "pro"), ("plan", "not_equals", "free")
    )

    assert words.startswith("“plan is one of pro, free” and “plan is not pro” and “plan is not")


@pytest.mark.parametrize(
    ("conditions", "match"),
    [
        ([("plan", "equals", "pro"), ("plan", "not_equals", "pro")], "any"),
        ([("plan", "equals", "pro"), ("usage", "not_equals", "pro")], "all"),
        ([("plan", "equals", "pro"), ("plan_name", "not_equals", "pro")], "all"),
        ([("seats", "gt", "10"), ("seats", "younger_than", "5")], "all"),
    ],
)
def test_conditions_that_may_hold_are_not_called_contradictions(conditions, match):
    said = contradictions(*conditions, match=match)

    assert not any("nobody" in words for words in said)


def test_any_of_opposites_takes_everybody():
    (words,) = contradictions(("plan", "equals", "pro"), ("plan", "not_equals", "pro"), match="any")

    assert words.endswith("one of these always holds, so “Paying” serves everybody.")


def shadows(this, *order):
    return list(checking.shadows(this, order, KEY, "serves"))


def test_persona_is_shadowed_by_an_earlier_one_that_takes_more():
    paying = persona(("plan", "in", "pro, team"))
    pro = persona(("plan", "equals", "pro"), ("usage", "equals", "low"), name="Pro, low")

    assert shadows(pro, paying, pro) == [
        "“Pro, low” serves nobody: “Paying” comes before it and takes all that meets its "
        "conditions."
    ]
    assert shadows(paying, paying, pro) == [
        "“Paying” takes all that would come to “Pro, low” after it."
    ]
    assert shadows(pro, pro, paying) == []


def test_persona_without_conditions_takes_all_that_come_after():
    first = persona(name="New")
    later = [persona(("plan", "equals", str(at)), name=f"P{at}") for at in range(5)]

    assert shadows(first, first, *later) == [
        "“New” takes all that would come to “P0”, “P1”, “P2” and 2 more after it."
    ]


def test_what_an_earlier_one_takes_anyway_is_not_blamed_on_a_later_one():
    first, second = persona(name="First"), persona(name="Second")

    assert shadows(second, first, second, persona(name="Third")) == [
        "“Second” serves nobody: “First” comes before it and takes all that meets its conditions."
    ]


@pytest.mark.parametrize(
    ("other", "is_shadowed"),
    [
        ({}, True),
        ({"metrics": "unsubscribed, bounced"}, False),
        ({"metrics": "bounced"}, False),
        ({"object_types": "sms"}, False),
        ({"object_types": "email", "level": "person"}, True),
    ],
)
def test_signal_rule_is_shadowed_only_if_all_its_kinds_of_event_are_covered(other, is_shadowed):
    first = rule(name="First", object_types="email, customer")
    later = rule(("bounce", "equals", "gone"), **{"object_types": "customer", **other})

    assert bool(shadows(later, first, later)) is is_shadowed


def test_fields_of_events_are_told_apart_by_case():
    both = rule(("reply", "equals", "stop"), ("Reply", "not_equals", "stop"))

    assert list(checking.contradictions(both, checking.of_event, "decides")) == []


fields = st.sampled_from(["plan", "Plan", "plan_name", "seats"])
operators = st.sampled_from(
    ["equals", "not_equals", "in", "not_in", "contains", "not_contains", "gt", "lt", "exists",
     "not_exists", "empty", "absent", "older", "newer", "soon", "matches", "not_matches"]
)  # fmt: skip
typed = st.sampled_from(["pro", "free", "pro, free", "5", "10", "p"])
some_conditions = st.lists(st.tuples(fields, operators, typed), max_size=3)
personas = st.builds(
    lambda conditions, match: persona(*conditions, match=match),
    some_conditions,
    st.sampled_from(["all", "any"]),
)
values = [None, "pro", "Free", "profile", "4", "7", "11", "", "null", '["pro", "free"]',
          "2026-11-17"]  # fmt: skip


def everybody():
    """Every customer that has some of these values, or none."""
    for chosen in product(values, repeat=3):
        attributes = dict(zip(("plan", "PLAN_NAME", "seats"), chosen, strict=True))
        given_ones = {name: value for name, value in attributes.items() if value is not None}
        yield CustomerFacts(given_ones, ROLES)


@given(personas, personas)
def test_who_is_called_shadowed_is_never_served(first, later):
    if not checking.takes_all_of(first, later, KEY):
        return
    for facts in everybody():
        if holding(later.condition_list, later.match, facts, NOW) is not None:
            assert holding(first.condition_list, first.match, facts, NOW) is not None


@given(personas)
def test_who_never_matches_by_the_words_never_does(one):
    if any("never hold" in words for words in checking.contradictions(one, KEY, "serves")):
        for facts in everybody():
            assert holding(one.condition_list, one.match, facts, NOW) is None


def unseen(*conditions, attributes=({"plan": "pro", "usage_tier": "low"},), known=("plan",)):
    facts = [CustomerFacts(each, ROLES) for each in attributes]
    return list(checking.unseen(persona(*conditions), facts, known, KEY, "customers"))


def test_misspelt_field_is_pointed_out_with_the_nearest_name():
    assert unseen(("plann", "equals", "pro")) == [
        "None of the 1 customers looked at has “plann”. Did you mean “plan”?"
    ]


@pytest.mark.parametrize(
    ("operator", "value"),
    [("older", "30"), ("before", "2026-11-20"), ("matches", "^p"), ("not_matches", "^p"),
     ("empty", ""), ("absent", "")],
)  # fmt: skip
def test_misspelt_field_is_pointed_out_whatever_is_asked_of_it(operator, value):
    (words,) = unseen(("plann", operator, value))

    assert words.endswith("Did you mean “plan”?")


def test_field_in_which_nobody_has_a_date_is_a_hint():
    attributes = [{"plan": "pro"}] * 20

    assert unseen(("plan", "older", "30"), attributes=attributes) == [
        "“plan is more than 30 days ago”: none of the 20 customers looked at that have one has a "
        "date there."
    ]
    assert unseen(("plan", "older", "30"), attributes=[{"plan": "2026-11-20"}] * 20) == []


def test_dates_that_exclude_each_other_are_told():
    assert contradictions(("signed_up", "older", "30"), ("signed_up", "newer", "7")) == [
        "“signed_up is more than 30 days ago” and “signed_up is less than 7 days ago” hold "
        "together for no plain value, only for a list or an object; without such values “Paying” "
        "serves nobody."
    ]


def test_strange_field_is_pointed_out_only_if_enough_were_looked_at():
    assert unseen(("colour", "equals", "red")) == []
    assert unseen(("colour", "in_segment", ""), attributes=[{"plan": "pro"}] * 20) == []
    assert unseen(("colour", "exists", ""), attributes=[{"plan": "pro"}] * 20) == [
        "None of the 20 customers looked at has “colour”."
    ]


def test_field_that_somebody_has_is_fine_and_so_is_a_known_one():
    attributes = [{"seats": "5"}, {"plan": '{"tier": "pro"}'}]

    said = unseen(("Seats", "gt", "1"), ("plan.tier", "exists", ""), attributes=attributes)

    assert said == []
    assert unseen(("usage", "exists", ""), attributes=[{}], known=("usage",)) == []


def test_value_that_nobody_has_is_a_hint_with_the_nearest_one():
    attributes = [{"plan": "enterprise"}] * 20

    assert unseen(("plan", "in", "entreprise, ent"), attributes=attributes) == [
        "“plan is one of entreprise, ent”: none of the 20 customers looked at that have one has "
        "such a value. Did you mean “enterprise”?"
    ]
    assert unseen(("plan", "gt", "5"), attributes=attributes) == [
        "“plan is more than 5”: none of the 20 customers looked at that have one has a number "
        "there."
    ]
    assert unseen(("plan", "in", "ent, enterprise"), attributes=attributes) == []


def test_hint_never_names_somebody():
    attributes = [{"first_name": "Alexandra"}] * 20

    (words,) = unseen(("first_name", "equals", "Alexandre"), attributes=attributes)

    assert "Alexandra" not in words


def test_unknown_operators_are_passed_over():
    assert unseen(("joined", "younger_than", "3"), attributes=[{}] * 20) == []


def test_fields_of_events_are_looked_for_as_they_are_written():
    made = rule(("Bounce", "equals", "gone"))
    facts = [PlainFacts({"bounce": "gone"})]

    said = list(checking.unseen(made, facts, ["bounce"], checking.of_event, "events"))

    assert said == ["None of the 1 events looked at has “Bounce”. Did you mean “bounce”?"]


@pytest.mark.django_db
def test_starter_rules_have_no_fault():
    load_if_empty()

    assert noting.faults(Rulebook.load()) == []


@pytest.mark.django_db
def test_notes_on_a_stored_persona_look_at_the_stored_customers():
    load_if_empty()
    made = Persona.objects.create(name="New", description="d", playbook="p", position=1)
    PersonaCondition.objects.create(persona=made, field="seat", operator="gt", value="5")
    PersonaCondition.objects.create(persona=made, field="account.plam", operator="exists")
    for number in range(3):
        Customer.objects.create(
            external_id=f"c{number}",
            attributes={"seats": "9", "account": '{"plan": "pro"}'},
            fetched_at="2026-11-01T00:00Z",
        )

    said = list(noting.of_persona(made))

    assert said == [
        "None of the 3 customers looked at has “seat”. Did you mean “seats”?",
        "None of the 3 customers looked at has “account.plam”. Did you mean “account.plan”?",
    ]
