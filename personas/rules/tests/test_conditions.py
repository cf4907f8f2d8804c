"""Conditions on dates, patterns, emptiness, members of lists and segments; and all on any facts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from personas.models import Operator, PersonaCondition, SignalCondition
from personas.models.attributes import CustomerFacts
from personas.models.conditions import SEGMENTS, UNFILLED
from personas.models.segments import Membership
from personas.rules.facts import facts as facts_of
from personas.rules.matching import holding, holds, unread

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
ROLES = {"plan": ["plan", "plan_name"], "renewal": ["renews_at", "company.renews_at"]}


def condition(operator, value="", field="plan"):
    return PersonaCondition(field=field, operator=operator, value=value)


def held(one, segments=None, **attributes):
    """The reason for which the condition holds; None if it does not."""
    found = holding([one], "all", CustomerFacts(attributes, ROLES), NOW, segments or {})
    return found[0].why if found else None


# Dates


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("older", "30", "2026-02-12"),
        ("older", "0.5", "2026-03-14T23:00Z"),
        ("older", "30", "1739000000"),
        ("older", "30", "1739000000000"),
        ("newer", "30", "2026-02-14"),
        ("newer", "1", "2026-03-15"),
        ("newer", "1", "2026-03-14T13:01:00+01:00"),
        ("soon", "7", "2026-03-15"),
        ("soon", "7", "2026-03-22"),
        ("soon", "7", "2026-03-22T12:00Z"),
        ("before", "2026-03-04", "3 March 2026"),
        ("before", "2026-03-04T10:00", "2026-03-04T09:59"),
        ("after", "2026-03-04", "03/05/2026"),
        ("after", "4 March 2026", "2026-03-05T00:00Z"),
        ("older", "30", '["2026-03-14", "2020-01-01"]'),
    ],
)
def test_condition_on_a_date_holds(operator, wanted, value):
    assert holds(condition(operator, wanted), value, NOW)


@pytest.mark.parametrize(
    ("operator", "wanted", "value"),
    [
        ("older", "30", "2026-02-13"),  # exactly so many
        ("newer", "30", "2026-02-13"),
        ("older", "30", "2027-01-01"),  # to come
        ("newer", "30", "2026-03-16"),
        ("newer", "30", "2026-03-15T12:01Z"),
        ("soon", "7", "2026-03-14"),
        ("soon", "7", "2026-03-15T11:59Z"),
        ("soon", "7", "2026-03-23"),
        ("before", "2026-03-04", "2026-03-04T00:00"),
        ("after", "2026-03-04", "2026-03-04T23:59"),
        ("older", "30", ""),
        ("older", "30", "never"),
        ("newer", "30", "null"),
        ("soon", "30", "0001-01-01T00:00:00Z"),
        ("before", "soon", "2026-03-04"),  # stored by other code than a form
        ("older", "many", "2020-01-01"),
    ],
)
def test_condition_on_a_date_does_not_hold(operator, wanted, value):
    assert not holds(condition(operator, wanted), value, NOW)


@pytest.mark.parametrize("operator", ["older", "newer", "soon"])
def test_without_a_time_no_condition_counts_days(operator):
    assert not holds(condition(operator, "30"), "2026-03-15")


def test_reason_names_the_date_and_its_reading():
    why = held(condition("older", "9", "signed_up"), signed_up="03/04/2026")

    assert why == "signed_up is “03/04/2026” (read as 4 March 2026, not 3 April 2026)"


def test_reason_names_the_member_of_a_list_that_is_so_long_ago():
    why = held(condition("older", "30", "seen"), seen='["2026-03-14", "2020-01-01"]')

    assert why == "seen is “2020-01-01” (in the list “2026-03-14, 2020-01-01”)"


def test_condition_reads_as_a_sentence():
    assert condition("older", "30").words == "plan is more than 30 days ago"
    assert condition("newer", "1").words == "plan is less than 1 day ago"
    assert condition("soon", "7").words == "plan is within the next 7 days"
    assert condition("in_segment", "Trials").words == "customer is in segment Trials"


@pytest.mark.parametrize(
    ("operator", "value", "problem"),
    [
        ("older", "", "Say what to compare with"),
        ("older", "a month", "Write a number of days"),
        ("soon", "-1", "Write a number of days"),
        ("newer", "99999", "Write a number of days"),
        ("before", "next week", "is not a date"),
        ("matches", "(a", "is not a pattern"),
        ("not_matches", "(?=a)", "is not a pattern"),
        ("in_segment", "", "Say what to compare with"),
    ],
)
def test_value_that_cannot_be_compared_is_refused_in_words(operator, value, problem):
    with pytest.raises(ValidationError, match=problem):
        condition(operator, value).clean()


def test_date_with_two_readings_is_said():
    assert condition("before", "03/04/2026").reading_words.startswith("read as 4 March 2026")
    assert condition("older", "30").reading_words == ""


# Empty, and not there at all


@pytest.mark.parametrize("nothing", ["", " ", "null", "[]", "{}", "-", '""', "[null]"])
def test_attribute_that_is_there_with_nothing_in_it_is_empty(nothing):
    assert held(condition("empty"), plan=nothing) == "plan is empty"
    assert held(condition("not_exists"), plan=nothing) == "plan is missing"
    assert not held(condition("absent"), plan=nothing)


def test_attribute_that_is_not_there_does_not_exist():
    assert held(condition("absent")) == "plan does not exist"
    assert held(condition("absent"), plan=None) == "plan does not exist"
    assert held(condition("not_exists")) == "plan is missing"
    assert not held(condition("empty"))


def test_filled_attribute_is_neither():
    assert not held(condition("empty"), plan="pro")
    assert not held(condition("absent"), plan="pro")


def test_role_is_empty_if_any_of_its_names_is_there():
    assert held(condition("empty"), PLAN_NAME="")
    assert held(condition("empty", field="renewal"), company='{"renews_at": ""}')
    assert held(condition("absent", field="renewal"), company='{"seats": 3}')
    assert held(condition("absent", field="renewal"), company='{"renews_at": null}')


def test_field_of_an_event_may_be_empty_too():
    event = facts_of({"subject": "", "content": {"topics": []}})

    assert holding([condition("empty", field="subject")], "all", event, NOW)
    assert holding([condition("empty", field="content.topics")], "all", event, NOW)
    assert holding([condition("absent", field="recipient")], "all", event, NOW)


# Members of lists

PLANS = '[{"name": "Pro", "items": [{"sku": "A1"}, {"sku": "B2"}]}, {"name": "Team"}]'


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("plans.0.name", "Pro"),
        ("plans.1.name", "Team"),
        ("plans.2.name", ""),
        ("plans.name", '["Pro", "Team"]'),
        ("plans.*.name", '["Pro", "Team"]'),
        ("plans.0.items.1.sku", "B2"),
        ("plans.*.items.*.sku", '["A1", "B2"]'),
        ("plans.items.sku", '["A1", "B2"]'),
        ("tags.0", "new"),
        ("tags.-1", ""),
        ("limits.*.max", '["3", "5"]'),
        ("limits.0", "zero"),  # a name of the object itself
    ],
)
def test_path_leads_to_members_of_lists(field, value):
    attributes = {"plans": PLANS, "tags": '["new", "big"]',
                  "limits": '{"0": "zero", "a": {"max": 3}, "b": {"max": 5}}'}  # fmt: skip

    assert CustomerFacts(attributes, {}).find(field).value == value


def test_path_leads_into_an_event_too():
    event = facts_of({"content": {"topics": [{"id": 3}, {"id": 4}]}, "links": ["a", "b"]})

    assert event.find("content.topics").value == "id=3, id=4"  # as before
    assert event.find("content.topics.1.id").value == "4"
    assert holding([condition("equals", "3", "content.topics.*.id")], "all", event, NOW)
    assert event.find("links.0").value == "a"


# Patterns


def test_pattern_is_compared_with_each_member():
    assert held(condition("matches", "^pro"), plan='["team", "Pro-2024"]') == (
        "plan is “Pro-2024” (in the list “team, Pro-2024”)"
    )
    assert held(condition("not_matches", "^pro"), plan="team")
    assert held(condition("not_matches", "^pro"))  # missing
    assert not held(condition("not_matches", "^pro"), plan="pro")


def test_pattern_that_is_none_is_found_nowhere():
    assert not held(condition("matches", "(a"), plan="(a")
    assert held(condition("not_matches", "(a"), plan="(a")


# Segments

READ_AT = NOW - timedelta(hours=3)
TRIALS = {"trials": Membership("Trials", True, READ_AT), "vip": Membership("VIP", False, READ_AT)}


def test_customer_is_in_a_segment_or_not():
    assert held(condition("in_segment", "Trials"), TRIALS) == (
        "in segment “Trials” (read 3 hours ago)"
    )
    assert held(condition("not_in_segment", " vip "), TRIALS) == (
        "not in segment “VIP” (read 3 hours ago)"
    )
    assert not held(condition("not_in_segment", "Trials"), TRIALS)
    assert not held(condition("in_segment", "VIP"), TRIALS)


@pytest.mark.parametrize("segments", [{}, {"trials": Membership("Trials", None)}])
def test_while_a_segment_was_never_read_neither_condition_holds(segments):
    conditions = [condition("in_segment", "Trials"), condition("not_in_segment", "Trials")]

    assert holding(conditions, "any", CustomerFacts({}, {}), NOW, segments) is None
    assert unread(conditions, segments) == ["Trials", "Trials"]
    assert unread(conditions, TRIALS) == []


def test_condition_on_a_segment_names_no_field():
    asked = condition("in_segment", "Trials", field="")

    asked.clean()

    assert asked.field == "customer"
    with pytest.raises(ValidationError, match="Name the field"):
        condition("equals", "pro", field=" ").clean()


def test_rule_about_an_event_cannot_ask_for_a_segment():
    asked = SignalCondition(field="", operator="in_segment", value="Trials")

    with pytest.raises(ValidationError, match="Only personas can ask for a segment"):
        asked.clean()


# The question


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (condition("older", "30", "seen"), "seen is more than 30 days ago"),
        (condition("matches", "^pro"), "plan matches the pattern ^pro"),
        (condition("in_segment", "Trials"), "customer is in segment Trials"),
        (condition("empty", "", "note"), "note is empty"),
    ],
)
def test_question_says_what_the_team_typed(asked, words):
    facts = CustomerFacts({"seen": "2020-01-01", "plan": "pro-secret", "note": ""}, {})

    [one] = holding([asked], "all", facts, NOW, TRIALS)

    assert one.question_words == words


# Any condition on any facts

words = st.text(max_size=12) | st.sampled_from(
    ["pro", "30", "-1", "1e9", "2026-03-04", "03/04/2026", "1772620200", "1772620200123", "",
     "null", "[]", '["2026-03-04", "pro"]', PLANS, '{"name": "pro"}', "^p", "(a", "(a+)+$",
     "Trials", "12", "\ud800", '"pro', "١٢"]
)  # fmt: skip
fields = st.sampled_from(
    ["plan", "renewal", "plans.0.name", "plans.*.items.*.sku", "", ".", "a..b"]
)
conditions = st.builds(
    PersonaCondition, field=fields, operator=st.sampled_from(Operator.values), value=words
)
attributes = st.dictionaries(
    st.sampled_from(["plan", "plan_name", "renews_at", "company", "plans", ""]),
    words | st.none() | st.integers() | st.booleans(),
)
inside = st.sampled_from([{}, TRIALS, {"trials": Membership("Trials", None)}])
nows = st.datetimes(datetime(1971, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))


matches = st.sampled_from(["all", "any"])


@given(st.lists(conditions, max_size=4), matches, attributes, inside, nows)
def test_matching_is_pure_and_total(asked, match, known, segments, now):
    def answer():
        fresh = [PersonaCondition(field=c.field, operator=c.operator, value=c.value) for c in asked]
        found = holding(fresh, match, CustomerFacts(known, ROLES), now, segments)
        return found and [(one.why, one.question_words) for one in found]

    assert answer() == answer()


NEGATED = [o for o in Operator if o.name.startswith("NOT_") and o not in SEGMENTS]


@given(st.sampled_from(NEGATED), fields, words, attributes)
def test_negation_is_the_exact_opposite(negation, field, value, known):
    facts = CustomerFacts(known, ROLES)
    positive = Operator[negation.name.removeprefix("NOT_")]
    both = [condition(operator, value, field) for operator in (positive, negation)]

    assert len(holding(both, "any", facts, NOW)) == 1


@given(st.sampled_from(["Trials", "VIP", "Other"]), inside)
def test_negation_of_a_known_segment_is_the_exact_opposite(name, segments):
    both = [condition(operator, name) for operator in SEGMENTS]

    found = holding(both, "any", CustomerFacts({}, {}), NOW, segments)

    assert bool(found) is not bool(unread(both, segments))
    assert len(found or [None]) == 1


@given(fields, attributes)
def test_what_is_missing_is_either_empty_or_does_not_exist(field, known):
    facts = CustomerFacts(known, ROLES)

    def number(*operators):
        asked = [condition(operator, "", field) for operator in operators]
        return len(holding(asked, "any", facts, NOW) or [])

    assert number("not_exists") == number(*UNFILLED)
    assert number("exists", *UNFILLED) == 1
