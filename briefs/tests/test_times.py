from datetime import UTC, date, datetime, timedelta, timezone

import pytest
import time_machine

from briefs import times

AT = datetime(2026, 11, 3, 9, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "span", "length", "in_full"),
    [(-5, "now", "0 s", "now"),
     (59.9, "now", "59 s", "now"),
     (60, "1 min", "1 min", "1 minute"),
     (3_599, "59 min", "59 min", "59 minutes"),
     (7_200, "2 h", "2 h", "2 hours"),
     (86_400, "1 d", "1 d", "1 day")],
)  # fmt: skip
def test_a_length_is_said_in_its_largest_unit(seconds, span, length, in_full):
    lasted = timedelta(seconds=seconds)

    assert times.span(lasted) == span
    assert times.length(lasted) == length
    assert times.span_in_full(lasted) == in_full


@pytest.mark.parametrize("at", [AT, AT.astimezone(timezone(timedelta(hours=-10)))])
def test_a_moment_is_said_in_utc(at):
    assert times.exact(at) == "3 Nov 2026, 09:05 UTC"
    assert times.clock(at) == "09:05 UTC"
    assert times.clock_and_day(at) == "09:05 UTC on 3 Nov"
    assert times.day(at) == "3 Nov 2026"
    assert times.short_day(at) == "3 Nov"


def test_a_day_is_said_without_a_clock():
    assert times.day(date(2026, 11, 3)) == "3 Nov 2026"


def test_a_moment_of_another_day_says_which():
    with time_machine.travel(AT, tick=False):
        assert times.clock_or_day(AT) == "09:05"
        assert times.clock_or_day(AT - timedelta(days=1)) == "2 Nov, 09:05"
