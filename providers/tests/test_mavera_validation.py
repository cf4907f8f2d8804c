import pytest

from providers import mavera_validation


@pytest.mark.parametrize(
    ("said", "per_cent"),
    [
        ({"confidence_score": 0.86}, 86),
        ({"confidence": 0.5}, 50),
        ({"confidence_score": 86}, 86),
        ({"confidence_score": 1}, 100),
        ({"confidence_score": 0}, 0),
        ({"confidence_score": "high", "confidence": 0.7}, 70),
        ({"confidence_score": 0.9, "confidence": 0.1}, 90),
        ({"confidence_score": "0.87"}, 87),
        ({"confidence_score": "0,87"}, 87),
        ({"confidence": "87 %"}, 87),
        ({"confidence": "87.4%"}, 87),
        ({"confidence": " 1 % "}, 1),
        ({"confidence": "87 per cent"}, 87),
    ],
)
def test_confidence_is_read_in_either_scale(said, per_cent):
    assert mavera_validation.read(said).confidence == per_cent


@pytest.mark.parametrize(
    "value",
    [-0.1, 101, 1e9, pytest.param(10**400, id="400 digits"), "1e400", "101", "-1", "9" * 500,
     "high", "about 90", "٣", True, None, [], {}, float("nan"), float("inf")],
)  # fmt: skip
def test_confidence_that_is_no_share_is_never_a_number(value):
    assert mavera_validation.read({"confidence_score": value}).confidence is None


def test_risk_is_lower_case_short_and_one_line():
    assert mavera_validation.read({"hallucination_risk": " Low\u202e\n"}).risk == "low"
    assert len(mavera_validation.read({"hallucination_risk": "x" * 500}).risk) == 40


@pytest.mark.parametrize("value", [3, None, ["low"], {"a": 1}, True])
def test_risk_that_is_no_text_is_not_given(value):
    assert mavera_validation.read({"hallucination_risk": value}).risk == ""


@pytest.mark.parametrize(
    "risk",
    ["high", "HIGH", "very-high", "medium-high", "high, not low", "severe", "elevated", "higher",
     "highly likely", "very likely", "significant", "serious"],
)  # fmt: skip
def test_a_risk_is_high_in_many_words(risk):
    assert mavera_validation.read({"hallucination_risk": risk}).is_risky


@pytest.mark.parametrize(
    "risk",
    ["low", "medium", "not high", "not very high", "no high risk", "isn't elevated", "unlikely",
     "highly unlikely", "less likely", "low (high confidence)", "", 3],
)  # fmt: skip
def test_other_risks_are_not(risk):
    assert not mavera_validation.read({"hallucination_risk": risk}).is_risky


@pytest.mark.parametrize(
    ("value", "claims"),
    [
        (["A.", " ", 3, None, {"claim": "B."}, {"text": "C."}], ("A.", "B.", "C.")),
        ("One claim.", ("One claim.",)),
        (None, ()),
        ({}, ()),
    ],
)
def test_unsupported_claims_are_read_in_several_shapes(value, claims):
    assert mavera_validation.read({"unsupported_claims": value}).unsupported_claims == claims


@pytest.mark.parametrize("said", [None, [], "low", {}, {"confidence": "?"}])
def test_nothing_readable_is_no_validation(said):
    assert not mavera_validation.read(said).is_given
