"""Regular expressions of the team: what they find, and which are refused."""

import time

import pytest

from personas.models.patterns import BadPattern, compiled


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("^ent", "Enterprise"), ("plus$", "pro PLUS"), (r"pro-20\d\d", "old pro-2024 plan"),
        ("a|b", "xbx"), ("ü", "GRÜN"), ("x", "\ud800x"),
    ],
)  # fmt: skip
def test_pattern_is_found_anywhere_in_any_case(pattern, text):
    assert compiled(pattern).is_in(text)


def test_pattern_that_is_not_there_is_not_found():
    assert not compiled("^ent").is_in("an enterprise")


@pytest.mark.parametrize(
    "pattern", ["[", "(a", "*", "(?=a)", r"(a)\1", "a{5000}", "(a{1000}){1000}", "x" * 501]
)
def test_pattern_that_cannot_be_used_is_refused_in_words(pattern):
    with pytest.raises(BadPattern, match=r"not a pattern|500 characters"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(.*)*x", r"(\w+\s?)*$"])
def test_pattern_that_hangs_other_engines_is_quick(pattern):
    began = time.process_time()

    compiled(pattern).is_in("a" * 50_000 + "!")

    assert time.process_time() - began < 5  # others take longer than the universe exists
