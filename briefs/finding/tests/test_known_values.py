"""Known values: which thresholds they suggest, and what a list is worth."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from briefs.finding.known_values import suggest, suggestions, value_behind
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_customer, make_persona
from personas.models import Customer

amounts = st.lists(st.decimals(0, 10_000, places=2), min_size=100, max_size=300)


def valued(month, company="", level="company", currency="USD", **kw):
    month = None if month is None else Decimal(month)
    return make_brief(
        value_amount=month, value_month=month, value_currency=currency if month is not None else "",
        value_period="month", value_level=level if month is not None else "", company=company, **kw,
    )  # fmt: skip


def sums(briefs=None):
    briefs = Brief.objects.all() if briefs is None else briefs
    return [one.words for one in value_behind(briefs, briefs.count()).sums]


@given(amounts)
def test_suggestion_puts_at_most_a_tenth_on_top(months):
    found = suggest("USD", months)

    if found.top_from is not None:
        assert 10 * sum(month >= found.top_from for month in months) <= len(months)
        assert 0 < found.low_below <= found.top_from


def test_where_all_pay_the_same_nothing_is_on_top():
    found = suggest("USD", [Decimal(99)] * 200)

    assert found.top_from > 99


def test_hundred_values_one_a_customer_make_a_suggestion(db):
    customer, persona = make_customer(), make_persona()
    for number in range(101):
        closed = {"state": "closed", "outcome": "retained", "closed_at": "2026-01-01T00:00Z"}
        who = customer if number < 2 else make_customer()
        valued(number, customer=who, persona=persona, **closed)

    [found] = suggestions()

    assert (found.known, found.is_enough) == (100, True)


@pytest.mark.django_db
def test_company_counts_once_however_it_is_written():
    valued(500, "Acme"), valued(700, "ACME"), valued(100, "Bolt")

    assert sums() == ["USD 800 a month"]


@pytest.mark.django_db
def test_company_counts_once_in_any_alphabet():
    valued(500, "Ünal"), valued(700, "ÜNAL"), valued(100, "Яндекс"), valued(100, "ЯНДЕКС")

    assert sums() == ["USD 800 a month"]


@pytest.mark.django_db
def test_persons_and_companies_without_a_name_count_each_by_itself():
    valued(500), valued(500), valued(50, "Acme", "person"), valued(50, "Acme", "person")

    found = value_behind(Brief.objects.all(), 4)

    assert [one.words for one in found.sums] == ["USD 1,100 a month"]
    assert found.alone == 2


@pytest.mark.django_db
def test_each_currency_has_a_sum_of_its_own_and_unknown_is_none():
    valued(500, "A"), valued(20, "B", currency="EUR"), valued(None)

    found = value_behind(Brief.objects.all(), 3)

    assert [one.words for one in found.sums] == ["USD 500 a month", "EUR 20 a month"]
    assert found.unknown == 1


@pytest.mark.django_db
def test_cents_are_added_up_exactly():
    valued("0.10"), valued("0.20"), valued("0.30", "Acme")

    assert sums() == ["USD 0.60 a month"]


@pytest.mark.django_db
def test_list_of_nothing_is_worth_nothing():
    assert not value_behind(Brief.objects.none(), 0)


@pytest.mark.django_db
def test_customers_of_one_company_are_worth_what_the_company_pays():
    for month in (500, 700):
        make_customer(
            company="Acme", value_level="company", value_currency="USD", value_month=month
        )

    found = value_behind(Customer.objects.all(), 2)

    assert [one.words for one in found.sums] == ["USD 700 a month"]
