"""The list of values that somebody typed into a condition."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models import PersonaCondition, listing

SERVICES = "Professional, Scientific, and Technical Services"


@pytest.mark.parametrize(
    ("typed", "values"),
    [
        ("a, b ,c", ["a", "b", "c"]),
        ("a,, b,", ["a", "b"]),
        (f'"{SERVICES}", banking', [SERVICES, "banking"]),
        (f'banking,"{SERVICES}"', ["banking", SERVICES]),
        (f"\u201c{SERVICES}\u201d, banking", [SERVICES, "banking"]),
        (f"\u201e{SERVICES}\u201c, banking", [SERVICES, "banking"]),
        ('"5"" screen, large", small', ['5" screen, large', "small"]),
        ('15" screen, 17" screen', ['15" screen', '17" screen']),
        ('"", a', ["a"]),
        (f"{SERVICES}\nbanking", [SERVICES, "banking"]),
        (f"banking\r\n\r\n  {SERVICES}  \n", ["banking", SERVICES]),
        (f'"{SERVICES}"\nbanking, retail', [SERVICES, "banking, retail"]),
        (f'"{SERVICES}", legal\nbanking', [SERVICES, "legal", "banking"]),
        ("banking,\ninsurance, legal,\nretail", ["banking", "insurance", "legal", "retail"]),
        (f'banking,\n"{SERVICES}"', ["banking", SERVICES]),
        ("", []),
        (" , ", []),
    ],
)
def test_values_are_separated_by_commas_quotes_or_lines(typed, values):
    assert listing.read(typed) == values


@pytest.mark.parametrize("typed", ['"a, b', 'a, "b', '"a" b, c', 'a\n"b, c', '"a""', "\u201ca, b"])
def test_quotation_marks_that_do_not_match_are_refused_in_words(typed):
    with pytest.raises(listing.UnbalancedQuotes, match="does not end with one"):
        listing.read(typed)


def test_rule_that_was_stored_with_odd_marks_keeps_its_meaning():
    stored = PersonaCondition(field="plan", operator="in", value='"pro" plan, team')

    assert stored.values == ['"pro" plan', "team"]


VALUE = st.text(alphabet='ab ,"\u201c', min_size=1).map(str.strip).filter(bool)


@given(st.lists(VALUE))
def test_what_is_written_is_read_back(values):
    assert listing.read(listing.written(values)) == values
