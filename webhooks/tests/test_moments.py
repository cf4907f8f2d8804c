"""When an event happened, in all forms that senders write, and in none that cannot be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhooks.moments import EARLIEST, in_words, moment, stated

AT = datetime(2026, 11, 28, 18, 30, tzinfo=UTC)
SECONDS = int(AT.timestamp())


@pytest.mark.parametrize(
    "value",
    [
        SECONDS,
        float(SECONDS),
        SECONDS * 1_000,
        SECONDS * 1_000_000,
        SECONDS * 1_000_000_000,
        str(SECONDS),
        f" {SECONDS}\n",
        f"{SECONDS}.0",
        f"{SECONDS}000",
        "1.7958906e9",
        "2026-11-28T18:30:00Z",
        "2026-11-28t18:30:00z",
        "2026-11-28T18:30:00.000Z",
        "2026-11-28T18:30:00.000000001Z",
        "2026-11-28T18:30",
        "2026-11-28 18:30:00",
        "2026-11-28 18:30:00 UTC",
        "2026-11-28T20:30:00+02:00",
        "2026-11-28T20:30:00+0200",
        "2026-11-28 20:30:00 +0200",
        "2026-11-28T13:00:00-05:30",
        "20261128T183000Z",
        "Sat, 28 Nov 2026 18:30:00 GMT",
        "Sat, 28 Nov 2026 20:30:00 +0200",
        "28 Nov 2026 18:30:00",
        "Sun Nov 29 2026 03:30:00 GMT+0900 (Korean Standard Time)",
        "Sat Nov 28 2026 15:30:00 GMT-0300",
        "2026-11-29T03:30:00+09:00[Asia/Seoul]",
        "2026-11-28T18:30:00+00:00[UTC]",
        "2026-11-29 03:30:00 +0900 KST",
        "2026-11-28 15:30:00 -0300 -03",
        "Sun, 29 Nov 2026 03:30:00 +0900 (KST)",
        "Sat, 28 Nov 2026 13:30:00 EST",
        "Sat, 28 Nov 2026 18:30:00 UT",
    ],
)
def test_one_moment_is_read_in_every_form(value):
    assert moment(value) == AT


def test_parts_of_a_second_are_kept():
    assert moment("2026-11-28T18:30:00.250Z") == AT + timedelta(milliseconds=250)
    assert moment(SECONDS + 0.25) == AT + timedelta(milliseconds=250)
    assert moment(SECONDS * 1000 + 250) == AT + timedelta(milliseconds=250)


@pytest.mark.parametrize(
    "value",
    [
        0,
        "0",
        -1,
        -SECONDS,
        1,
        86_400_000,
        1_325_375_999,  # the last second of 2011
        "1970-01-01T00:00:00Z",
        "2011-12-31",
        "3000-01-01",
        "9999-12-31T23:59:59-12:00",
        "0001-01-01T00:00:00+12:00",
        10**20,
        10**4000,
        float("nan"),
        float("inf"),
        "nan",
        "1e99",
        "now",
        "",
        "2026-02-30",
        "28/11/2026",
        "Sat, 99 Nov 2026",
        "Sun, 29 Nov 2026 03:30:00 KST",
        "Sun Nov 29 2026 03:30:00 GMT+9",
        "Sun Nov 29 03:30:00 KST 2026",
        "2026-11-29 03:30:00 Asia/Seoul",
        "٢٠٢٦",
        "1" * 5000,
        None,
        True,
        [SECONDS],
        {"seconds": SECONDS},
    ],
)
def test_what_names_no_moment_of_our_time_is_none(value):
    assert moment(value) is None


@given(st.integers() | st.floats() | st.text())
def test_a_moment_is_of_our_time_or_none(value):
    at = moment(value)

    assert at is None or (at.tzinfo is UTC and at >= EARLIEST)


@pytest.mark.parametrize(
    ("value", "words"),
    [(None, ""), ("", ""), ("  ", ""), (0, "0"), (-5.5, "-5.5"), ("soon", "soon"), (True, "true"),
     ({}, "an object"), ([1], "a list"), (float("nan"), "NaN"), ("x" * 41, "x" * 39 + "…")],
)  # fmt: skip
def test_what_was_said_is_kept_as_it_was_sent(value, words):
    assert stated(value) == words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("1924992000", "1924992000 (1 Jan 2031, 00:00 UTC)"),
        ("1924992000000", "1924992000000 (1 Jan 2031, 00:00 UTC)"),
        ("2031-01-01", "2031-01-01"),
        ("0", "0"),
    ],
)
def test_a_number_is_shown_with_its_date(said, words):
    assert in_words(said) == words
