"""The part of an answer that tells what to do within a day is found, and told once."""

import pytest

from briefs.reading import answer

REST = "## Why\n\nToo much mail."


def read(text):
    return answer.read(text, [])


@pytest.mark.parametrize(
    "heading",
    ["First 24 hours", "**First 24 hours**", "1. First 24 hours:", "Within the first 24 hours",
     "The next 24 hours: what to do", "Actions for the first day", "First twenty-four hours",
     "What to do in the first 24h"],
)  # fmt: skip
def test_part_is_taken_out_of_the_answer(heading):
    found = read(f"{REST}\n\n## {heading}\n\n1. Call them.\n\n## Later\n\nWrite.")

    assert "Call them." in found.first_day
    assert "Call them." not in found.html
    assert "24" not in found.html
    for words in ("Too much mail.", "Write."):
        assert words in found.html
        assert words not in found.first_day


@pytest.mark.parametrize(
    "heading", ["Why the first 24 hours decide", "Never in the first day", "Day one", "Timeline"]
)
def test_other_headings_stay_where_they_are(heading):
    found = read(f"{REST}\n\n## {heading}\n\nWait.")

    assert found.first_day == ""
    assert "Wait." in found.html


def test_part_with_lower_headings_is_taken_as_a_whole():
    found = read("# First 24 hours\n\n## Morning\n\nCall.\n\n## Evening\n\nWrite.\n\n# Later\n\nX.")

    assert "Evening" in found.first_day
    assert "X." in found.html


def test_long_part_is_no_plan_for_a_day():
    found = read(f"{REST}\n\n## First 24 hours\n\n{'Call them. ' * 300}")

    assert found.first_day == ""
    assert "Call them." in found.html


def test_answer_that_is_nothing_else_is_not_called_empty():
    found = read("## First 24 hours\n\nCall them.")

    assert found.html.strip() == ""
    assert "Call them." in found.first_day


def test_heading_without_a_part_stays():
    assert "First 24 hours" in read(f"{REST}\n\n## First 24 hours").html
