"""Dates within texts: in which forms they are read, and as which moment."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models.dates import date_reading, days_since, is_before


def read(text):
    found = date_reading(text)
    return found and found.moment.isoformat().removesuffix("+00:00")


@pytest.mark.parametrize(
    "text",
    [
        "2026-03-04", "2026/03/04", "2026.3.4", "20260304", " 2026-03-04 ", "2026-03-04T00:00:00",
        "4 March 2026", "4th of March 2026", "4-Mar-2026", "March 4, 2026", "mar. 4 2026",
        "Wednesday, March 4, 2026", "04.03.2026", "4.3.2026", "03/04/2026", "3/4/2026",
        "04-03-2026",
    ],
)  # fmt: skip
def test_day_is_read_in_the_forms_in_which_it_is_written(text):
    assert read(text) == "2026-03-04T00:00:00"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-04T10:30:00Z", "2026-03-04T10:30:00"),
        ("2026-03-04T10:30", "2026-03-04T10:30:00"),
        ("2026-03-04T10:30:00+01:00", "2026-03-04T09:30:00"),
        ("2026-03-04 10:30:00.123456789 -0500", "2026-03-04T15:30:00.123456"),
        ("2026-03-04 10:30:00 UTC", "2026-03-04T10:30:00"),
        ("2026-03-04 10:30:00 +0000 UTC", "2026-03-04T10:30:00"),
        ("20260304T103000Z", "2026-03-04T10:30:00"),
        ("03/04/2026 10:30 PM", "2026-03-04T22:30:00"),
        ("March 4, 2026 at 12:05 am", "2026-03-04T00:05:00"),
        ("Wed, 04 Mar 2026 10:30:00 GMT", "2026-03-04T10:30:00"),
        ("Wed Mar 04 2026 10:30:00 GMT+0100 (Central European Time)", "2026-03-04T09:30:00"),
        ("Wed Mar  4 10:30:00 UTC 2026", "2026-03-04T10:30:00"),
        ("1772620200", "2026-03-04T10:30:00"),
        ("1772620200.5", "2026-03-04T10:30:00.500000"),
        ("1772620200123", "2026-03-04T10:30:00.123000"),
        ("1.7726202e+09", "2026-03-04T10:30:00"),
    ],
)
def test_moment_is_read_with_its_zone_and_else_as_utc(text, moment):
    assert read(text) == moment


@pytest.mark.parametrize(
    "text",
    ["", "pro", "12", "1,200.50", "$99", "12 seats", "4200000", "99999999", "9999999999",
     "2026-13-04", "2026-02-30", "31/02/2026", "13.13.2026", "03/04/26", "4. März 2026",
     "2026-03-04T25:00", "2026-03-04T10:61", "2026-03-04T10:00+99:00", "13:00 pm 4 March 2026",
     "0001-01-01T00:00:00Z", "9999-12-31", "2026-03", "2026", "tomorrow", "4 March 2026 " * 20],
)  # fmt: skip
def test_what_is_no_date_is_not_read(text):
    assert read(text) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("03/04/2026", "read as 4 March 2026, not 3 April 2026"),
        ("03-04-2026", "read as 3 April 2026, not 4 March 2026"),
        ("3/4/2026 10:30", "read as 4 March 2026, not 3 April 2026"),
        ("13/04/2026", ""),  # there is one reading only
        ("04/13/2026", ""),
        ("04/04/2026", ""),
        ("04.03.2026", ""),
        ("2026-03-04", ""),
    ],
)
def test_other_reading_is_said_where_there_is_one(text, words):
    assert date_reading(text).words == words


def test_first_number_above_twelve_is_the_day():
    assert read("13/04/2026") == "2026-04-13T00:00:00"
    assert read("04-13-2026") == "2026-04-13T00:00:00"


NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)


def test_days_count_by_the_hour_where_an_hour_is_written():
    assert days_since(date_reading("2026-03-14T06:00Z"), NOW) == 1.25
    assert days_since(date_reading("2026-03-16T06:00Z"), NOW) == -0.75


def test_days_count_by_the_calendar_where_only_a_day_is_written():
    assert days_since(date_reading("2026-03-14"), NOW) == 1
    assert days_since(date_reading("2026-03-15"), NOW) == 0
    assert days_since(date_reading("2026-03-16"), NOW + timedelta(hours=11)) == 1 - 2


def test_moment_within_a_day_is_neither_before_nor_after_it():
    day, noon = date_reading("2026-03-04"), date_reading("2026-03-04T12:00")

    assert not is_before(day, noon)
    assert not is_before(noon, day)
    assert is_before(date_reading("2026-03-04T11:59"), noon)
    assert is_before(date_reading("2026-03-03T23:59"), day)


@given(st.datetimes(datetime(1900, 1, 2), datetime(2199, 12, 30)))
def test_what_programs_write_is_read_as_it_was_meant(moment):
    assert date_reading(moment.isoformat()).moment == moment.replace(tzinfo=UTC)
    assert date_reading(f"{moment:%a, %d %b %Y %H:%M:%S} GMT").moment == moment.replace(
        microsecond=0, tzinfo=UTC
    )


@given(st.text(max_size=90) | st.from_regex(r"[0-9/:.T +-]{6,30}"))
def test_any_text_is_read_or_not_without_an_error(text):
    found = date_reading(text)

    assert found is None or found.moment.tzinfo is UTC
    assert found is None or isinstance(days_since(found, NOW), int | float)
