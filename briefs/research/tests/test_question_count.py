"""How many different questions the rules can ask, counted without any customer."""

from itertools import product

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from briefs.models.wording import Wording
from briefs.research.counting import count, count_at_present
from briefs.research.questions import built_in
from briefs.research.variants import variants
from personas.models import Customer, Persona, PersonaCondition, SignalRule
from personas.rules.rulebook import Rulebook

ROLES = {"plan": ["plan", "plan_name"], "usage": ["usage_tier"], "tier": ["plan_name", "tier"]}


def facts(*conditions, match="all", roles=ROLES):
    made = [PersonaCondition(field=f, operator=op, value=value) for f, op, value in conditions]
    return variants(made, match, roles)


def number(*conditions, **kw):
    found = facts(*conditions, **kw)
    return found.number, found.is_exact


# One attribute


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("equals", "pro", 1),
        ("not_equals", "pro", 1),
        ("in", "pro, premium, team", 3),
        ("in", "pro, PRO, pro ,  p r o, P  R O", 2),
        ("not_in", "pro, premium", 1),
        ("contains", "pro", 1),
        ("not_contains", "pro", 1),
        ("gt", "10", 1),
        ("lte", "-1,000.5", 1),
        ("exists", "", 1),
        ("not_exists", "", 1),
    ],
)
def test_one_condition_has_one_variant_for_each_thing_it_can_say(operator, value, expected):
    assert number(("plan", operator, value)) == (expected, True)
    assert number(("plan", operator, value), match="any") == (expected, True)


@pytest.mark.parametrize(
    ("operator", "value"),
    [("older", "30"), ("before", "2026-03-04"), ("matches", "^p"), ("empty", ""), ("absent", ""),
     ("in_segment", "Trials")],
)  # fmt: skip
def test_condition_of_which_no_value_can_be_made_up_is_counted_at_most(operator, value):
    assert number(("plan", operator, value)) == (1, False)


def test_each_segment_is_counted_by_itself():
    both = [("customer", "in_segment", "Trials"), ("customer", "not_in_segment", "VIP")]

    assert number(*both) == (1, False)
    assert number(*both, match="any") == (3, False)


def test_no_conditions_have_one_variant_without_facts():
    assert number() == number(match="any") == (1, True)
    assert facts().example == []


def test_conditions_on_one_value_say_only_the_first():
    both = [("plan", "contains", "ent"), ("plan", "in", "ent, ent plus, big")]

    assert number(*both, match="any") == (2, True)  # contains ent; is big
    assert number(*both, match="all") == (1, True)


def test_list_narrowed_by_another_condition_counts_what_is_left():
    assert number(("plan", "in", "pro, team, ent"), ("plan", "not_equals", "TEAM")) == (2, True)


def test_conditions_that_contradict_each_other_ask_nothing():
    found = facts(("plan", "equals", "pro"), ("plan", "equals", "team"))

    assert (found.number, found.is_exact, found.example) == (0, True, [])


def test_numbers_are_told_apart_at_their_limits():
    assert number(("seats", "gt", "10"), ("seats", "lt", "10"), match="any") == (2, True)
    assert number(("seats", "gte", "10"), ("seats", "lte", "10")) == (1, True)
    assert number(("seats", "gt", "10"), ("seats", "lt", "10")) == (0, True)


def test_condition_with_an_address_is_never_said_so_the_count_is_an_upper_bound():
    found = facts(("plan", "equals", "pro"), ("usage", "in", "ann@example.com, bob@example.com"))

    assert (found.number, found.is_exact) == (1, False)
    assert found.example == found.longest == ["plan is pro"]


def test_words_that_say_the_same_are_counted_as_they_can_be_said():
    assert number(("plan", "in", "true, yes")) == (2, True)
    assert number(("plan", "in", "a, 1"), ("plan", "not_equals", "true")) == (1, True)


# Several attributes


def test_lists_multiply_where_all_conditions_hold():
    assert number(("plan", "in", "a, b, c"), ("usage", "in", "low, none")) == (6, True)


def test_any_counts_each_attribute_alone_and_with_the_other():
    conditions = [("plan", "in", "a, b, c"), ("usage", "in", "low, none")]

    assert number(*conditions, match="any") == (3 + 2 + 6, True)


def test_negation_holds_also_for_what_is_missing_so_it_is_always_said_or_not():
    conditions = [("plan", "in", "a, b"), ("usage", "not_equals", "low")]

    assert number(*conditions, match="any") == (1 + 2 + 2, True)


def test_same_facts_in_another_order_are_another_question():
    conditions = [("plan", "contains", "x"), ("usage", "equals", "low"), ("plan", "contains", "y")]

    # x; y; low; x low; low x (where the value has y as well); low y
    assert number(*conditions, match="any") == (6, True)


def test_role_spelled_in_capitals_is_the_same_attribute():
    assert number(("plan", "equals", "a"), (" PLAN ", "equals", "a")) == (1, True)


# Bounds


def test_fields_that_may_be_one_attribute_are_bounded():
    count, is_exact = number(("plan", "in", "a, b"), ("tier", "in", "a, c"))

    assert (count, is_exact) == (2 * 2 + 1, False)  # apart; or one attribute, which is a


def test_numbers_mixed_with_parts_of_words_are_bounded():
    count, is_exact = number(("plan", "contains", "5"), ("plan", "gt", "3"), match="any")

    assert not is_exact
    assert count >= 2


def test_very_many_parts_of_words_are_bounded_and_quick():
    conditions = [("plan", "contains", f"word {letter}") for letter in "abcdefghijklmnop"]

    assert number(*conditions, match="any") == (16, False)
    assert number(*conditions, match="all") == (1, False)


# Against every customer that can be made of a few words

WORDS = ["", "a", "b", "ab", "b a", "a x b", "x", "a b", "x a", "x b", "x ab", "b x ab", "x ab b a",
         "b a x", "1", "y", "true", "2", "3", "$2", "2.0", "1.5", "2.5", "A"]  # fmt: skip
FIELDS = st.sampled_from(["plan", "usage", "other"])
WORDED = ["equals", "not_equals", "contains", "not_contains", "exists", "not_exists"]
SIMPLE = st.tuples(FIELDS, st.sampled_from(WORDED), st.sampled_from(["a", "b", "ab"])) | st.tuples(
    FIELDS,
    st.sampled_from(["in", "not_in"]),
    st.sampled_from(["a, b", "ab, A, b a", "2, a", "1, a, true"]),
)
FIGURES = st.tuples(
    st.just("seats"),
    st.sampled_from(["gt", "gte", "lt", "lte", "equals", "in", "not_exists", "not_in"]),
    st.sampled_from(["2", "2.0"]),
)


def seen(conditions, match, names):
    """Every list of facts of every customer whose attributes are made of the words above."""
    persona = Persona(pk=1, name="x", match=match)
    made = [PersonaCondition(persona=persona, field=f, operator=o, value=v)
            for f, o, v in conditions]  # fmt: skip
    persona._prefetched_objects_cache = {"conditions": made}
    book = Rulebook([], [persona], Persona(pk=2, name="d"), Persona(pk=3, name="u"), ROLES)
    found = set()
    for values in product(WORDS, repeat=len(names)):
        attributes = dict(zip(names, values, strict=True))
        answer = book.persona_for(Customer(attributes=attributes, fetched_at=timezone.now()))
        if answer.persona is persona:
            found.add(tuple(answer.question_facts))
    return found


@given(st.lists(SIMPLE | FIGURES, min_size=1, max_size=4), st.sampled_from(["all", "any"]))
def test_as_many_are_counted_as_customers_can_cause(conditions, match):
    names = {"plan": "plan", "usage": "usage_tier", "other": "other", "seats": "seats"}
    fields = sorted({field for field, _, _ in conditions})[:2]
    conditions = [one for one in conditions if one[0] in fields]

    found = facts(*conditions, match=match)
    caused = seen(conditions, match, [names[field] for field in fields])

    assert found.is_exact
    assert found.number == len(caused)
    assert not caused or {tuple(found.example), tuple(found.longest)} <= caused
    assert len("; ".join(found.longest)) == max((len("; ".join(one)) for one in caused), default=0)


OPERATORS = ["equals", "in", "not_in", "contains", "gt", "not_exists", "matches", "not_matches",
             "older", "after", "empty", "absent"]  # fmt: skip


@hypothesis_settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["plan", "plan_name", "tier"]),
            st.sampled_from(
                [
                    "equals",
                    "in",
                    "not_in",
                    "contains",
                    "gt",
                    "not_exists",
                    "matches",
                    "not_matches",
                    "older",
                    "after",
                    "empty",
                    "absent",
                ]
            ),
            st.sampled_from(["1", "2, a", "a"]),
        ),
        min_size=1,
        max_size=4,
    ),
    st.sampled_from(["all", "any"]),
)
def test_bound_is_never_below_what_customers_can_cause(conditions, match):
    found = facts(*conditions, match=match)
    caused = seen(conditions, match, ["plan", "plan_name"])

    assert found.number >= len(caused)
    assert len("; ".join(found.longest)) >= max((len("; ".join(one)) for one in caused), default=0)


# All personas


def persona(name="Pro", *conditions, **kw):
    made = Persona(pk=1, name=name, **kw)
    made._prefetched_objects_cache = {
        "conditions": [PersonaCondition(field=f, operator=o, value=v) for f, o, v in conditions]
    }
    return made


def test_questions_are_signals_times_facts_over_the_personas_that_buy_research():
    personas = [
        persona("Pro", ("plan", "in", "pro, premium")),
        persona("Free", ("plan", "in", "free, hobby"), opens_brief=False),
        persona("Everyone else", is_default=True),
        persona("Unknown", is_unknown=True),
    ]

    counted = count(personas, ["unsubscribed", "bounced", "unsubscribed"], ROLES)

    assert [(row.persona.name, row.signals, row.facts, row.questions) for row in counted.personas] \
        == [("Pro", 2, 2, 4), ("Everyone else", 2, 1, 2)]  # fmt: skip
    assert (counted.questions, counted.least_credits, counted.most_credits) == (6, 60, 450)
    assert counted.signals == ["Unsubscribed", "Bounced, cause unclear"]


def test_channel_opt_out_is_counted_with_each_channel_that_a_question_names():
    counted = count([persona("Pro", ("plan", "equals", "pro"))], ["channel_opt_out"], ROLES)

    assert counted.signals == ["Channel opt-out"] + [
        f"Channel opt-out: {name}" for name in ("E-mail", "SMS", "WhatsApp", "Push", "In-app")
    ]
    assert counted.questions == 6


def test_wording_without_facts_asks_one_question_for_a_signal():
    pro = persona("Pro", ("plan", "in", "pro, premium"), ("plan_name", "in", "a, b"))

    [row] = count([pro], ["unsubscribed"], ROLES, says_facts=False).personas

    assert (row.facts, row.is_exact) == (1, True)


@pytest.mark.django_db
def test_starter_rules_are_counted_in_four_queries(starter, django_assert_num_queries):
    with django_assert_num_queries(4):
        counted = count_at_present(built_in())

    assert {row.persona.name: row.facts for row in counted.personas} == {
        "Enterprise, regulated industry": 416, "Enterprise, low usage": 208,
        "Enterprise, active": 6, "Business or Pro, high usage": 580, "Business, low usage": 6,
        "Pro, low usage": 13, "Trial": 164,
    }  # fmt: skip
    assert counted.questions == sum(row.questions for row in counted.personas)


@pytest.mark.django_db
def test_only_active_rules_that_open_a_brief_count(starter):
    SignalRule.objects.exclude(kind="unsubscribed").update(is_active=False)

    assert count_at_present(built_in()).signals == ["Unsubscribed"]
    SignalRule.objects.update(effect="good_news")
    assert count_at_present(built_in()).questions == 0


@pytest.mark.django_db
def test_present_count_depends_on_whether_the_wording_says_facts(starter):
    plain = count_at_present(Wording("", "{segment} {signal}"))

    assert plain.questions == len(plain.signals) * len(plain.personas)
