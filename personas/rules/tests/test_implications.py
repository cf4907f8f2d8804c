"""What is said of conditions is so for every value: shown with random conditions and values."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from personas.models import Operator, PersonaCondition
from personas.models.conditions import DAYS
from personas.models.shapes import OPENING
from personas.rules.implications import always_one, for_no_single_value, implies, never_together
from personas.rules.matching import holds

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
DATES = ("2026-11-23", "2026-11-20", "2026-11-20T10:00Z", "2026-11-20T18:00Z", "2026-11-30")
WORDS = (*DATES, "pro", "Pro ", "free", "profile", "1", "true", "yes", "no", "5", "10", "7.5",
         "1,200", "1.5M", "1.5m", "5k", "null", "-", "", "٣")  # fmt: skip
LISTS = ('["pro", "free"]', "[3, 12]", '["1", "no"]', '{"name": "pro", "id": "10"}', '"pro"', "[]",
         '["2026-11-20", "2026-11-30"]')  # fmt: skip
words = st.sampled_from(WORDS)
plain = words | st.integers(-2, 14).map(str) | st.text(max_size=6).filter(
    lambda text: text.strip()[:1] not in OPENING
)  # fmt: skip
few_plain = st.lists(plain, max_size=5).map(lambda few: [*WORDS, *few])
few_values = few_plain.map(lambda few: [*few, *LISTS])


def condition(operator, value="", field="plan"):
    return PersonaCondition(field=field, operator=operator, value=value)


def _typed(operator):
    if operator in ("in", "not_in"):
        return st.lists(words, min_size=1, max_size=3).map(", ".join)
    if operator in ("gt", "gte", "lt", "lte"):
        return st.sampled_from(["5", "10", "7.5", "-1", "1,200", "1.5M"])
    if operator in DAYS:
        return st.sampled_from(["0", "1", "2.7", "3", "7", "-1", "x"])
    if operator in ("before", "after"):
        return st.sampled_from([*DATES, "x"])
    if operator in ("matches", "not_matches"):
        return st.sampled_from(["^p", "o$", "(a", "1"])
    return words


conditions = st.sampled_from(Operator.values).flatmap(
    lambda operator: st.builds(condition, st.just(operator), _typed(operator))
)


@given(conditions, conditions, few_values)
@settings(max_examples=200)
def test_what_follows_holds_wherever_the_first_does(one, other, given_values):
    if implies(one, other):
        for value in given_values:
            assert holds(other, value, NOW) or not holds(one, value, NOW), value


@given(st.lists(conditions, min_size=2, max_size=3), few_values)
@settings(max_examples=200)
def test_what_never_holds_together_is_met_by_no_value(several, given_values):
    if never_together(several):
        for value in given_values:
            assert not all(holds(one, value, NOW) for one in several), value


@given(st.lists(conditions, min_size=2, max_size=3), few_plain)
@settings(max_examples=200)
def test_what_holds_for_no_single_value_is_met_by_no_plain_one(several, given_values):
    if for_no_single_value(several):
        for value in given_values:
            assert not all(holds(one, value, NOW) for one in several), value


@given(st.lists(conditions, min_size=2, max_size=3), few_values)
@settings(max_examples=200)
def test_of_what_always_has_one_every_value_meets_one(several, given_values):
    if always_one(several):
        for value in given_values:
            assert any(holds(one, value, NOW) for one in several), value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("equals", "Pro"), ("in", "free, pro")),
        (("in", "pro, free"), ("in", "free, pro, team")),
        (("in", "pro plus, pro"), ("contains", "pro")),
        (("contains", "enterprise"), ("contains", "enter")),
        (("gt", "10"), ("gte", "10")),
        (("gte", "10.5"), ("gt", "10")),
        (("lt", "5"), ("lt", "6")),
        (("equals", "12"), ("gt", "10")),
        (("gt", "10"), ("exists", "")),
        (("contains", "x"), ("exists", "")),
        (("not_in", "pro, free"), ("not_equals", "free")),
        (("not_contains", "pro"), ("not_equals", "pro plus")),
        (("not_exists", ""), ("not_contains", "pro")),
        (("older", "30"), ("older", "7")),
        (("newer", "7"), ("newer", "30")),
        (("soon", "7"), ("soon", "30")),
        (("before", "2026-11-20"), ("before", "2026-11-23")),
        (("after", "2026-11-23"), ("after", "2026-11-20")),
        (("after", "2026-11-23"), ("exists", "")),
        (("matches", "^p"), ("exists", "")),
        (("empty", ""), ("not_exists", "")),
        (("absent", ""), ("not_equals", "pro")),
    ],
)
def test_one_follows_from_the_other_but_not_the_other_way_round(one, other):
    assert implies(condition(*one), condition(*other))
    assert not implies(condition(*other), condition(*one))


@pytest.mark.parametrize(
    "pair",
    [
        (("equals", "pro"), ("not_equals", "Pro")),
        (("in", "pro, free"), ("not_in", "free, pro, team")),
        (("contains", "enterprise"), ("not_contains", "enter")),
        (("equals", "pro"), ("not_exists", "")),
        (("gt", "10"), ("not_exists", "")),
        (("matches", "^p"), ("not_matches", "^p")),
        (("older", "7"), ("not_exists", "")),
        (("before", "2026-11-20"), ("empty", "")),
        (("equals", "pro"), ("absent", "")),
        (("empty", ""), ("absent", "")),
        (("in_segment", "Trials"), ("not_in_segment", "trials")),
    ],
)
def test_pair_that_never_holds_together(pair):
    assert never_together([condition(*one) for one in pair])


@pytest.mark.parametrize(
    "pair",
    [
        (("gt", "10"), ("lt", "5")),
        (("gt", "10"), ("lte", "10")),
        (("equals", "pro"), ("equals", "free")),
        (("in", "pro, free"), ("contains", "team")),
        (("equals", "4"), ("gt", "10")),
        (("equals", "pro"), ("gt", "10")),
        (("older", "30"), ("newer", "30")),
        (("older", "0"), ("soon", "7")),
        (("before", "2026-11-20"), ("after", "2026-11-20T10:00Z")),
        (("before", "2026-11-20T10:00Z"), ("after", "2026-11-20T10:00Z")),
    ],
)
def test_pair_that_only_a_list_can_meet(pair):
    both = [condition(*one) for one in pair]

    assert for_no_single_value(both)
    assert not never_together(both)


@pytest.mark.parametrize(
    "pair",
    [
        (("gte", "10"), ("lte", "10")),
        (("in", "pro, free"), ("equals", "pro")),
        (("equals", "5k"), ("gt", "4,000")),  # 5K is five thousand
        (("equals", "pro"), ("contains", "p")),
        (("not_equals", "pro"), ("not_equals", "free")),
        (("older", "7"), ("newer", "30")),
        (("newer", "1"), ("soon", "1")),
        (("before", "2026-11-20T18:00Z"), ("after", "2026-11-20T10:00Z")),
        (("before", "2026-11-21"), ("after", "2026-11-19")),
        (("equals", "2026-11-20"), ("before", "2026-11-23")),
        (("equals", "pro"), ("matches", "^x")),
        (("in_segment", "Trials"), ("not_in_segment", "Customers")),
        (("empty", ""), ("not_equals", "pro")),
    ],
)
def test_pair_of_which_nothing_is_said(pair):
    assert not for_no_single_value([condition(*one) for one in pair])


def test_unknown_operator_is_passed_over():
    strange, plain = condition("younger_than", "3"), condition("not_exists")

    assert implies(strange, condition("younger_than", "3"))
    assert not implies(strange, condition("exists"))
    assert not implies(strange, condition("younger_than", "4"))
    assert not for_no_single_value([strange, plain])
    assert not always_one([strange, plain])
