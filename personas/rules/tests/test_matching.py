"""Conditions: for which values they hold, why, and what a question may say about them."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from personas.models import Operator, Persona, PersonaCondition, privacy
from personas.models.conditions import number
from personas.rules.matching import CustomerFacts, Found, Holding, PlainFacts, holding, holds
from personas.rules.rulebook import PersonaMatch


def condition(operator, value="", field="plan"):
    return PersonaCondition(field=field, operator=operator, value=value)


def customer(**attributes):
    roles = {"plan": ["plan", "plan_name", "planType"], "usage": ["usage_tier", "usage"]}
    return CustomerFacts(attributes, roles)


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("equals", "Enterprise", "enterprise"),
        ("equals", " enterprise  plus ", "ENTERPRISE PLUS"),
        ("equals", "straße", "STRASSE"),
        ("equals", "a, b", "a, b"),
        ("not_equals", "pro", "free"),
        ("not_equals", "pro", ""),
        ("in", "pro, Business ,free", "business"),
        ("in", "pro,, free", "FREE"),
        ("not_in", "pro, business", "free"),
        ("not_in", "pro, business", ""),
        ("contains", "enter", "Big ENTERPRISE plan"),
        ("not_contains", "trial", "pro"),
        ("not_contains", "trial", ""),
        ("gt", "1,000", "$1,000.01"),
        ("gte", "1000", "1,000"),
        ("lt", "-1", "-2"),
        ("lte", "$99", "99.0"),
        ("exists", "", "0"),
        ("not_exists", "", ""),
        ("not_exists", "", " \t\n"),
    ],
)
def test_condition_holds(operator, wanted, value):
    assert holds(condition(operator, wanted), value)


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("equals", "pro", "pro plus"),
        ("equals", "pro", ""),
        ("not_equals", "pro", " PRO "),
        ("in", "pro plus, business", "pro"),
        ("in", "pro, business", "pro, business"),
        ("in", "pro, business", ""),
        ("not_in", "pro, business", "Pro"),
        ("contains", "trial", "pro"),
        ("contains", "trial", ""),
        ("not_contains", "trial", "Pro Trial"),
        ("gt", "1000", "1,000"),
        ("gte", "1000", "999.99"),
        ("lt", "99", "$99"),
        ("lte", "99", "99.01"),
        ("exists", "", "  "),
        ("not_exists", "", "0"),
    ],
)
def test_condition_does_not_hold(operator, wanted, value):
    assert not holds(condition(operator, wanted), value)


@pytest.mark.parametrize("operator", ["gt", "gte", "lt", "lte"])
@pytest.mark.parametrize("value", ["", "many", "nan", "inf", "12 seats"])
def test_what_is_not_a_number_is_neither_more_nor_less(operator, value):
    assert not holds(condition(operator, "10"), value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12", 12),
        (" 1,200.50 ", 1200.5),
        ("$99", 99),
        ("€ 1 200", 1200),
        ("£0", 0),
        ("-3", -3),
        ("", None),
        ("high", None),
        ("1.2.3", None),
        ("nan", None),
        ("-inf", None),
        ("1e999", None),
    ],
)
def test_number_is_read_with_currency_and_separators(text, expected):
    assert number(text) == expected


def test_first_filled_attribute_of_a_role_counts():
    facts = customer(plan="  ", plan_name="pro", usage="high", usage_tier="low")

    assert facts.find("plan") == Found("plan_name", "pro")
    assert facts.find("usage") == Found("usage_tier", "low")


def test_role_without_a_value_is_missing_under_its_first_name():
    assert customer(plan=None).find("usage") == Found("usage_tier", "")


@pytest.mark.parametrize("field", ["plan", "Plan", " PLAN "])
@pytest.mark.parametrize("name", ["plan_name", "Plan_Name", "planType", "plantype"])
def test_case_matters_neither_in_roles_nor_in_attribute_names(field, name):
    assert customer(**{name: "pro"}).find(field) == Found(name, "pro")


@pytest.mark.parametrize("field", ["seats", " Seats "])
def test_attribute_without_a_role_is_reached_by_its_own_name(field):
    assert customer(sEATS=" 12 ").find(field) == Found("sEATS", "12")


def test_empty_spelling_of_an_attribute_does_not_hide_the_filled_one():
    assert customer(plan="pro", PLAN="").find("plan").value == "pro"


def test_rule_for_all_needs_every_condition():
    both = [condition("equals", "pro"), condition("equals", "low", field="usage")]

    assert len(holding(both, "all", customer(plan="pro", usage="low"))) == 2
    assert holding(both, "all", customer(plan="pro", usage="high")) is None


def test_rule_for_any_names_only_the_conditions_that_hold():
    either = [condition("equals", "pro"), condition("equals", "low", field="usage")]

    [held] = holding(either, "any", customer(plan="free", usage="low"))

    assert held.condition is either[1]
    assert holding(either, "any", customer(plan="free", usage="high")) is None


@pytest.mark.parametrize("match", ["all", "any"])
def test_rule_without_conditions_holds(match):
    assert holding([], match, customer()) == []


def test_plain_facts_know_no_roles():
    facts = PlainFacts({"recipient": " a@example.com "})

    assert facts.find(" recipient ") == Found("recipient", "a@example.com")
    assert facts.find("subject") == Found("subject", "")


def only_holding(operator, value, field="plan", **attributes):
    [held] = holding([condition(operator, value, field)], "all", customer(**attributes))
    return held


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (only_holding("equals", "pro", plan="PRO"), "plan is “PRO”"),
        (only_holding("in", "a, pro", plan_name="Pro"), "plan (attribute plan_name) is “Pro”"),
        (only_holding("not_equals", "pro"), "plan is missing"),
        (only_holding("gt", "5", field="seats", seats="12"), "seats is “12”"),
    ],
)
def test_why_names_field_attribute_and_value(held, why):
    assert held.why == why


def test_why_shortens_a_very_long_value():
    assert len(only_holding("exists", "", plan="x" * 5000).why) < 150


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (only_holding("equals", "Pro", plan="PRO"), "plan is Pro"),
        (only_holding("in", "free, Pro ", plan=" PRO "), "plan is Pro"),
        (only_holding("not_in", "free, team", plan="secret"), "plan is none of free, team"),
        (only_holding("contains", "enter", plan="enterprise of Ann"), "plan contains enter"),
        (only_holding("gt", "5", field="seats", seats="12"), "seats is more than 5"),
        (only_holding("exists", "left over", plan="secret"), "plan is filled in"),
        (only_holding("not_exists", ""), "plan is missing"),
    ],
)
def test_question_says_it_in_the_words_of_the_team(held, words):
    assert held.question_words == words


@pytest.mark.parametrize(
    "held",
    [
        only_holding("equals", "ann@example.com", plan="ann@example.com"),
        only_holding("in", "pro, ann@example.com", plan="ANN@example.com"),
        only_holding("not_in", "pro, ann\uff20example.com", plan="team"),
        only_holding("contains", "Ann <a\u200bnn@example.com>", plan="Ann <a\u200bnn@example.com>"),
        only_holding("exists", "", field="ann@example.com", **{"ann@example.com": "x"}),
    ],
)
def test_question_says_nothing_of_a_condition_with_an_address(held):
    assert held.question_words == ""


def test_facts_of_a_question_leave_out_what_holds_an_address():
    held = [only_holding("equals", "ann@example.com", field="email", email="ann@example.com"),
            only_holding("equals", "pro", plan="pro")]  # fmt: skip

    assert PersonaMatch(Persona(name="Pro"), held).question_facts == ["plan is pro"]


@pytest.mark.parametrize("field", ["name", "First Name", "companyName", "id", "cio_id", "e-mail"])
def test_question_compares_nothing_with_who_somebody_is(field):
    value = "Zoe Quartz, Acme"
    held = Holding(condition("in", value, field), Found(field, "Acme"))

    assert held.question_words == ""
    assert Holding(condition("exists", "", field), Found(field, "x")).question_words


def test_question_says_nothing_of_a_role_that_a_name_plays():
    assert (
        Holding(condition("in", "Acme", "owner"), Found("full_name", "Acme")).question_words == ""
    )


@pytest.mark.parametrize("field", ["plan", "company_size", "named_account", "team", "status"])
def test_question_says_what_somebody_is_like(field):
    assert Holding(condition("in", "big", field), Found(field, "Big")).question_words


@pytest.mark.parametrize(
    "text",
    ['"ann b"@x.example', "ann\ufe0f@x.example", "ann @ x.example", "ann%40x.example",
     "ann(at)x.example", "ann [AT] x.example", "ann\uff20x.example"],
)  # fmt: skip
def test_addresses_in_disguise_are_found(text):
    assert privacy.found(f"write to {text} today")


def test_question_says_a_member_beside_an_address_and_a_bare_domain():
    assert only_holding("in", "pro, ann@example.com", plan="pro").question_words == "plan is pro"
    ours = only_holding("contains", "@example.com", plan="ann@example.com")
    assert ours.question_words == "plan contains @example.com"


texts = st.text(max_size=12) | st.sampled_from(["pro", " PRO ", "pro, free", "$1,200", "12", ""])
pairs = st.tuples(texts, texts) | texts.map(lambda text: (text, f" {text.upper()} "))


@given(st.sampled_from(["EQUALS", "IN", "CONTAINS", "EXISTS"]), pairs)
def test_negation_is_always_the_exact_opposite(name, pair):
    wanted, value = pair

    positive = holds(condition(Operator[name], wanted), value)
    negative = holds(condition(Operator[f"NOT_{name}"], wanted), value)

    assert positive is not negative


@given(st.sampled_from(list(Operator)), pairs)
def test_question_never_holds_a_value_that_the_team_did_not_type(operator, pair):
    wanted, value = pair
    asked = condition(operator, wanted)
    held = Holding(asked, Found("plan", value.strip()))

    if holds(asked, value):
        said = {asked.words, "", *(f"plan is {each}" for each in asked.values)}
        assert held.question_words in said


@pytest.mark.parametrize(
    ("operator", "value", "problem"),
    [
        ("equals", " ", "Say what to compare with"),
        ("in", " , ,", "Say what to compare with"),
        ("gt", "many", "“many” is not a number"),
    ],
)
def test_condition_that_cannot_be_compared_is_refused_in_words(operator, value, problem):
    with pytest.raises(ValidationError, match=problem):
        condition(operator, value).clean()


def test_condition_without_a_value_forgets_what_was_typed():
    asked = condition("exists", "left over")

    asked.clean()

    assert asked.value == ""
