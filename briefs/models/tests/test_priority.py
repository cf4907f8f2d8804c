"""The formula of priority: severity, persona and value, and what it says of itself."""

from decimal import Decimal

import pytest

from briefs.models.priority import Bounds, Why, judge
from personas.models import Customer, Persona

BOUNDS = {"USD": Bounds(Decimal(1000), Decimal(100))}


def judged(severity, value, month, bounds=BOUNDS, currency="USD", **kw):
    worth = Customer(
        value_amount=month, value_month=month, value_currency=currency, value_period="month"
    )
    return judge(severity, Persona(name="P", value=value), worth, bounds, is_deleted=False, **kw)


def codes(judgement):
    return [one["code"] for one in judgement.reasons]


@pytest.mark.parametrize(
    ("severity", "value", "month", "label"),
    [
        (3, "standard", 500, "High"),
        (3, "standard", 1000, "Urgent"),  # severe, and in the top tenth
        (3, "high", 1000, "Urgent"),  # one step at most
        (2, "high", 1000, "High"),
        (3, "high", 500, "High"),  # not Urgent without the top tenth
        (3, "high", None, "High"),
        (2, "high", 500, "High"),
        (2, "standard", 99, "Low"),
        (3, "standard", 0, "Medium"),
        (3, "high", 99, "High"),  # one up and one down
        (1, "standard", 0, "Low"),
        (2, "low", None, "Medium"),
        (1, "standard", 1000, "Medium"),
    ],
)
def test_priority_is_the_severity_and_at_most_one_step_either_way(severity, value, month, label):
    month = None if month is None else Decimal(month)

    assert judged(severity, value, month).priority.label == label


@pytest.mark.parametrize("month", [Decimal(0), Decimal(99), Decimal(10**6), None])
@pytest.mark.parametrize(("value", "severity", "label"), [("high", 3, "High"), ("high", 2, "High"),
                                                          ("standard", 3, "High")])  # fmt: skip
def test_without_thresholds_severity_and_persona_decide_alone(month, value, severity, label):
    assert judged(severity, value, month, bounds={}).priority.label == label


def test_without_thresholds_the_reasons_say_so():
    found = judged(3, "high", Decimal(5000), bounds={})

    assert codes(found) == ["severity", "persona_high", "no_thresholds", "not_urgent"]
    assert "no thresholds are set for USD" in found.reasons[2]["words"]


def test_thresholds_of_another_currency_do_not_count():
    found = judged(3, "standard", Decimal(5000), currency="EUR")

    assert (found.priority.label, codes(found)[1]) == ("High", Why.NO_THRESHOLDS)


def test_reasons_name_amounts_and_thresholds():
    found = judged(3, "standard", Decimal(1200))

    assert [one["words"] for one in found.reasons] == [
        "The signal’s severity is high: that is the step.",
        "USD 1,200 a month is in the top tenth, from USD 1,000 a month: one up.",
    ]


def test_unknown_value_is_told_as_unknown():
    assert codes(judged(2, "standard", None)) == ["severity", "value_unknown"]
