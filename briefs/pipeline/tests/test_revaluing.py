"""Values follow look-ups, signals and the team's terms."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from briefs.models import Brief, PersonaMedian
from briefs.pipeline import draining, revaluing
from briefs.tests.factories import make_brief, make_customer, make_event, make_payload, make_persona
from personas.models import AttributeName, Customer, ValueReading
from personas.people import lookups

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("starter")]


def change_terms(**fields):
    AttributeName.objects.filter(role="value").update(**fields)


def worths(model=Customer):
    return set(model.objects.values_list("value_currency", "value_month"))


def test_look_up_keeps_the_value_as_a_number(sandbox):
    customer = Customer.objects.create(external_id="acme-1003")

    lookups.refresh([customer])

    customer.refresh_from_db()
    assert (customer.value_month, customer.value_currency) == (Decimal(9400), "USD")
    assert (customer.plan, customer.company) == ("enterprise", "Northgate Health")
    assert customer.sort_name == "ruth adeyemi"


def test_brief_opens_with_its_customers_value_and_the_reasons_of_its_priority(sandbox):
    make_event(make_payload(data={"identifiers": {"id": "acme-1003"}}))

    draining.drain()

    brief = Brief.objects.get()
    assert (brief.value_month, brief.value_sort) == (Decimal(9400), Decimal(9400))
    assert (brief.plan, brief.value_words) == ("enterprise", "USD 9,400 a month")
    assert [one["code"] for one in brief.priority_reasons] == [
        "severity", "persona_high", "no_thresholds", "not_urgent",
    ]  # fmt: skip


def test_other_terms_are_applied_to_customers_and_briefs():
    brief = make_brief()
    revaluing.catch_up()
    assert worths() == {("USD", Decimal(4200))}

    change_terms(currency="EUR", period="year")
    revaluing.catch_up()

    assert worths() == worths(Brief) == {("EUR", Decimal(350))}
    assert Brief.objects.get().revision > brief.revision


def test_reading_goes_on_where_it_was_stopped(monkeypatch):
    for _ in range(5):
        make_brief()
    monkeypatch.setattr(revaluing, "BATCH", 2)
    monkeypatch.setattr(revaluing, "SECONDS", -1)  # time for nothing
    revaluing.catch_up()
    assert worths() == {("", None)}

    revaluing._next_batch()
    assert Customer.objects.filter(value_month__isnull=False).count() == 2
    assert ValueReading.objects.get().finished_at is None
    monkeypatch.setattr(revaluing, "SECONDS", 60)
    revaluing.catch_up()

    assert worths() == {("USD", Decimal(4200))}
    assert ValueReading.objects.get().finished_at


def test_terms_that_change_on_the_way_begin_anew(monkeypatch):
    make_brief(), make_brief()
    monkeypatch.setattr(revaluing, "BATCH", 1)
    revaluing._next_batch()

    change_terms(currency="EUR")
    revaluing.catch_up()

    assert worths() == {("EUR", Decimal(4200))}


def test_closed_brief_keeps_the_value_of_another_time():
    customer = make_customer(attributes={"mrr": "0"})
    make_brief(customer=customer, state="closed", outcome="churned", closed_at=timezone.now(),
               value_amount=500, value_month=500, value_currency="USD")  # fmt: skip

    revaluing.catch_up()

    assert worths(Brief) == {("USD", Decimal(500))}
    assert worths() == {("USD", Decimal(0))}


def test_open_brief_follows_a_look_up_without_a_signal():
    brief = make_brief()
    revaluing.catch_up()

    Customer.objects.update(value_amount=7, value_month=7)
    revaluing.catch_up()

    brief.refresh_from_db()
    assert (brief.value_month, brief.value_sort) == (7, 7)


def test_plan_of_a_brief_of_unknown_value_follows_a_look_up_too():
    customer = make_customer(attributes={"plan": "enterprise"})
    brief = make_brief(customer=customer, value_month=None)
    revaluing.catch_up()
    Customer.objects.update(plan="pro", fetched_at=timezone.now())

    revaluing.catch_up()

    brief.refresh_from_db()
    assert (brief.plan, brief.value_month) == ("pro", None)


def test_medians_of_nothing_are_not_counted_at_every_sweep(django_assert_max_num_queries):
    make_brief(value_month=None)
    revaluing.count_medians()

    with django_assert_max_num_queries(5):  # savepoints among them
        revaluing.count_medians()


def test_unknown_value_moves_with_the_median_of_its_persona():
    persona = make_persona()
    unknown = make_brief(persona=persona, customer=make_customer(attributes={}))
    for month in ("100", "300", "900"):
        make_brief(persona=persona, customer=make_customer(attributes={"mrr": month}))

    revaluing.catch_up()

    unknown.refresh_from_db()
    assert (unknown.value_month, unknown.value_sort) == (None, Decimal("299.9999"))


def test_medians_are_counted_every_ten_minutes():
    make_brief()
    revaluing.catch_up()
    worth = {"value_amount": 10, "value_month": 10}
    make_brief(persona=Brief.objects.get().persona, customer=make_customer(**worth), **worth)

    revaluing.catch_up()
    assert PersonaMedian.objects.get(persona=None).month == 4200
    ValueReading.objects.update(counted_at=timezone.now() - timedelta(minutes=11))
    revaluing.catch_up()

    assert PersonaMedian.objects.get(persona=None).month == 2105
