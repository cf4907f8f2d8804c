"""Values: read as amounts by the team's terms; what cannot be read is unknown, never 0."""

from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError

from personas.models import AttributeName, Terms
from personas.models.value import Valued, money

ROLES = {"value": ["mrr", "arr"], "plan": ["plan"], "company": ["company"]}


def read(terms=None, **attributes):
    return Terms(ROLES, **{"currency": "USD", **(terms or {})}).read(attributes)


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("4200", "4200.00", "USD"),
        ("4.200,50 €", "4200.50", "EUR"),
        ("GBP 1,200", "1200.00", "GBP"),
        ("$1.2k", "1200.00", "USD"),
        ("0", "0.00", "USD"),
        ('["99"]', "99.00", "USD"),
    ],
)
def test_amount_is_read_as_people_and_programs_write_it(text, amount, currency):
    found = read(mrr=text)

    assert (found["value_amount"], found["value_currency"]) == (Decimal(amount), currency)


@pytest.mark.parametrize("text", ["gold", "45%", "", "null", "1e30", '["1", "2"]', "12 months"])
def test_what_is_no_amount_is_unknown_and_not_0(text):
    found = read(mrr=text)

    assert (found["value_amount"], found["value_month"], found["value_currency"]) == (
        None,
        None,
        "",
    )


def test_amount_for_a_year_is_compared_by_its_month():
    found = read({"other_period_names": ("arr",)}, arr="12000")

    assert (found["value_amount"], found["value_period"]) == (Decimal("12000.00"), "year")
    assert found["value_month"] == Decimal("1000.00")


def test_first_name_that_is_filled_in_says_which_period_counts():
    found = read({"other_period_names": ("arr",)}, mrr="500", arr="12000")

    assert (found["value_month"], found["value_period"]) == (Decimal("500.00"), "month")


def test_attribute_may_name_the_currency_and_comes_before_what_is_written():
    terms = {"currency_attribute": "currency"}

    assert read(terms, mrr="€ 5", currency="chf")["value_currency"] == "CHF"
    assert read(terms, mrr="€ 5")["value_currency"] == "EUR"
    assert read(terms, mrr="5", currency="francs")["value_amount"] is None


def test_plan_and_company_are_kept_as_they_are_written():
    found = read(plan="Pro\0", company='{"name": "Acme"}')

    assert (found["plan"], found["company"]) == ("Pro", "Acme")


def test_spaces_make_no_other_company():
    assert read(company="  Acme \u00a0 Inc ")["company"] == "Acme Inc"


def test_role_that_is_not_mapped_finds_nothing():
    found = Terms({}).read({"value": "500", "company": "Acme"})

    assert (found["value_amount"], found["company"]) == (None, "")


def test_money_is_told_without_needless_decimals():
    assert money("USD", Decimal("4200.00")) == "USD 4,200"
    assert money("EUR", Decimal("99.50")) == "EUR 99.50"


def test_other_terms_have_another_fingerprint():
    assert Terms(ROLES).fingerprint == Terms(dict(ROLES)).fingerprint
    assert Terms(ROLES).fingerprint != Terms(ROLES, level="person").fingerprint


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"currency": "dollars"}, "three letters"),
        ({"other_period_names": "acv"}, "“acv” is none of the names above"),
    ],
)
def test_terms_that_cannot_be_are_refused_in_words(given, words):
    row = AttributeName(role="value", label="Value", names="mrr\narr", **given)

    with pytest.raises(ValidationError, match=words):
        row.clean()


def test_unknown_value_has_no_words():
    assert Valued._meta.abstract
    assert money("", Decimal("0")) == "0"
