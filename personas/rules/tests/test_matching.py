"""Conditions: for which values they hold, why, and what a question may say about them."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from personas.models import Operator, Persona, PersonaCondition, privacy
from personas.models.attributes import CustomerFacts, Found
from personas.models.conditions import number
from personas.rules.matching import Holding, PlainFacts, holding, holds
from personas.rules.rulebook import PersonaMatch

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


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
        ("in", "insurance, banking", '["insurance"]'),
        ("in", "insurance, banking", "['retail', 'Banking']"),
        ("in", "2, 4", "[1, 2]"),
        ("not_in", "insurance", '["banking", "retail"]'),
        ("equals", "insurance", '["banking", "insurance"]'),
        ("equals", '["a"]', '["a"]'),
        ("not_equals", "insurance", "[]"),
        ("contains", "insur", '["retail", "Insurance broker"]'),
        ("contains", '"insurance"', '["insurance", "retail"]'),
        ("not_contains", "trial", '["pro", "team"]'),
        ("gt", "10", "[1, 11]"),
        ("equals", "pro", '{"name": "Pro", "id": 3}'),
        ("in", "pro", '"pro"'),
        ("in", '"Design, Print", banking', "design, print"),
        ("in", "Design, Print\nbanking", "Design, Print"),
        ("in", "Design, Print\nbanking", "banking"),
        ("equals", '"Design, Print"', "Design, Print"),
        ("not_equals", '"Design, Print"', "Design"),
        ("exists", "", "none"),
        ("not_exists", "", "null"),
        ("not_exists", "", "None"),
        ("not_exists", "", "[null]"),
        ("gt", "4.200", "4.200,50"),
        ("equals", "true", "True"),
        ("equals", "true", "yes"),
        ("equals", "true", "1"),
        ("equals", "1", "true"),
        ("equals", "yes", "Y"),
        ("in", "false, unknown", "off"),
        ("equals", "true", "[true]"),
        ("equals", "1", "1"),
        ("not_equals", "true", "no"),
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
        ("in", "insurance, banking", '["insurance broker"]'),
        ("not_in", "insurance", '["retail", "insurance"]'),
        ("equals", "insurance", "insurance, banking"),
        ("in", '"Design, Print", banking', "Print"),
        ("in", "Design, Print\nbanking", "Design"),
        ("equals", "null", "null"),
        ("exists", "", "undefined"),
        ("exists", "", '{"a": null}'),
        ("gt", "0", "null"),
        ("equals", "true", "2"),
        ("equals", "1", "t"),
        ("equals", "f", "n"),
        ("equals", "yes", "yes please"),
        ("contains", "yes", "true"),
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
    assert customer(plan="pro", PLAN="null").find("plan").value == "pro"


def test_rule_for_all_needs_every_condition():
    both = [condition("equals", "pro"), condition("equals", "low", field="usage")]

    assert len(holding(both, "all", customer(plan="pro", usage="low"), NOW)) == 2
    assert holding(both, "all", customer(plan="pro", usage="high"), NOW) is None


def test_rule_for_any_names_only_the_conditions_that_hold():
    either = [condition("equals", "pro"), condition("equals", "low", field="usage")]

    [held] = holding(either, "any", customer(plan="free", usage="low"), NOW)

    assert held.condition is either[1]
    assert holding(either, "any", customer(plan="free", usage="high"), NOW) is None


@pytest.mark.parametrize("match", ["all", "any"])
def test_rule_without_conditions_holds(match):
    assert holding([], match, customer(), NOW) == []


def test_plain_facts_know_no_roles():
    facts = PlainFacts({"recipient": " a@example.com "})

    assert facts.find(" recipient ") == Found("recipient", "a@example.com")
    assert facts.find("subject") == Found("subject", "")


def test_path_finds_what_an_object_holds():
    company = '{"Plan": "Pro", "subs": [{"tier": "a"}, {"tier": "b"}]}'
    facts = customer(company=company)

    assert facts.find("company.plan") == Found("company.plan", "Pro")
    assert holds(condition("in", "b, c"), facts.find("Company.Subs.tier").value)
    assert facts.find("company.seats") == Found("company.seats", "")
    assert facts.find("nobody.plan").value == ""


def test_attribute_with_the_exact_name_goes_before_the_path():
    facts = customer(**{"company": '{"plan": "Pro"}', "company.plan": "Team"})

    assert facts.find("company.plan").value == "Team"


def test_role_may_be_kept_inside_an_object():
    facts = CustomerFacts({"company": '{"plan": "Pro"}', "plan": "null"},
                          {"plan": ["plan", "company.plan"]})  # fmt: skip

    assert facts.find("plan") == Found("company.plan", "Pro")


@pytest.mark.parametrize("nothing", ["null", "None", "[]", "[null]", "{}", "undefined", "-"])
def test_next_name_of_a_role_counts_where_the_first_says_nothing(nothing):
    assert customer(plan=nothing, plan_name="pro").find("plan") == Found("plan_name", "pro")


def only_holding(operator, value, field="plan", **attributes):
    [held] = holding([condition(operator, value, field)], "all", customer(**attributes), NOW)
    return held


@pytest.mark.parametrize(
    ("held", "why"),
    [
        (only_holding("equals", "pro", plan="PRO"), "plan is “PRO”"),
        (only_holding("in", "a, pro", plan_name="Pro"), "plan (attribute plan_name) is “Pro”"),
        (only_holding("not_equals", "pro"), "plan is missing"),
        (only_holding("gt", "5", field="seats", seats="12"), "seats is “12”"),
        (only_holding("in", "b", plan='["a", "b"]'), "plan is “b” (in the list “a, b”)"),
        (only_holding("in", "a", plan='["a"]'), "plan is “a”"),
        (only_holding("not_in", "c", plan='["a", "b"]'), "plan is “a, b”"),
        (only_holding("exists", "", plan='{"seats": 3}'), "plan is “seats: 3”"),
        (only_holding("equals", "pro", plan='{"name": "Pro"}'), "plan is “Pro”"),
        (only_holding("not_equals", "pro", plan="null"), "plan is missing"),
        (only_holding("gt", "1", plan="1,200"), "plan is “1,200” (read as 1,200, not 1.2)"),
        (only_holding("gt", "5", plan='["1.2k", 3]'),
         "plan is “1.2k” (read as 1,200, in the list “1.2k, 3”)"),
        (only_holding("equals", "1,200", plan="1,200"), "plan is “1,200”"),
    ],
)  # fmt: skip
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
        (only_holding("in", "b, a", plan='["zeo", "A", "B"]'), "plan is b"),
        (only_holding("in", "no, true, on", plan="Y"), "plan is true"),
        (only_holding("in", "true, on", plan="ON"), "plan is on"),
        (only_holding("in", '"Design, Print", x', plan="design, print"), "plan is Design, Print"),
        (only_holding("equals", '"Design, Print"', plan="design, print"), "plan is Design, Print"),
        (only_holding("not_in", "a\nDesign, Print"), 'plan is none of a, "Design, Print"'),
        (only_holding("equals", "pro", plan='{"name": "PRO", "owner": "Ann"}'), "plan is pro"),
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


@pytest.mark.parametrize(
    "field",
    ["person.email", "company.name", "owner.name", "name.first", "address.city", "company.owner.id",
     "contacts.Phone Number", "email.domain"],
)  # fmt: skip
def test_question_compares_nothing_with_who_somebody_is_inside_an_object(field):
    held = Holding(condition("equals", "Acme", "owner"), Found(field, "Acme"))

    assert privacy.identifies(field)
    assert held.question_words == ""


def test_question_says_nothing_of_an_object_that_is_compared_by_its_name():
    value = '[{"name": "Ann Lee"}, {"name": "Bo"}]'

    assert only_holding("in", "Bo", field="owners", owners=value).question_words == ""


@pytest.mark.parametrize(
    "field", ["company.plan", "company.size", "plan.name", "account.industry.id"]
)
def test_question_says_what_somebody_is_like_inside_an_object(field):
    assert Holding(condition("in", "big", field), Found(field, "Big")).question_words


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


texts = st.text(max_size=12) | st.sampled_from(
    ["pro", " PRO ", "pro, free", "$1,200", "12", "", "yes", "1", "null", '["pro", "free"]',
     '{"name": "pro"}', '"pro, free"', "pro\nfree"]
)  # fmt: skip
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
        ("in", 'banking, "Design, Print', "does not end with one"),
        ("equals", '"Design, Print', "does not end with one"),
        ("equals", "null", "counts as missing: choose “is missing”"),
        ("in", "None, []", "counts as missing"),
    ],
)
def test_condition_that_cannot_be_compared_is_refused_in_words(operator, value, problem):
    with pytest.raises(ValidationError, match=problem):
        condition(operator, value).clean()


@pytest.mark.parametrize(
    ("operator", "value"),
    [("in", '"Design, Print", banking'), ("contains", '"insurance'), ("in", "none, low"),
     ("equals", '15" screen'), ("gt", "4.200,50")],
)  # fmt: skip
def test_condition_that_can_be_compared_is_kept_as_it_was_typed(operator, value):
    asked = condition(operator, value)

    asked.clean()

    assert asked.value == value


def test_condition_without_a_value_forgets_what_was_typed():
    asked = condition("exists", "left over")

    asked.clean()

    assert asked.value == ""
