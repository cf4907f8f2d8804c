"""Reads dates in the ways in which people and programs write them.

A date without a zone is read as UTC. Of `03/04/2026` the first number is read as the month, unless
it is above 12: Customer.io and most tools beside it write it so. With points or hyphens between
them, the first number is the day. Where a text has both readings, `DateReading.words` says which
one was taken.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

LONGEST = 80  # characters: more is no date that somebody wrote
# Outside of these a number is no date that somebody meant; the year 1 is how Go writes none at all.
FIRST_YEAR, LAST_YEAR = 1900, 2199

_MONTHS = {
    name: number
    for number, names in enumerate(
        ("jan january", "feb february", "mar march", "apr april", "may", "jun june", "jul july",
         "aug august", "sep sept september", "oct october", "nov november", "dec december"), 1
    )
    for name in names.split()
}  # fmt: skip
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\.?"
_WEEKDAY = r"(?:(?:mon|tue|tues|wed|wednes|thu|thur|thurs|fri|sat|satur|sun)(?:day)?,? +)?"
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?"
)
_ZONE = r"(?P<zone>z|(?:utc|gmt)?(?:[+-]\d{2}:?(?:\d{2})?)?|[+-]\d{4} utc)(?: ?\([^()]*\))?"
_TIME = rf"(?:(?:t|,? +|,? at ){_CLOCK} ?{_ZONE})?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_FORMS = tuple(
    re.compile(_WEEKDAY + form, re.IGNORECASE)
    for form in (
        rf"{_YEAR}(?P<mark>[-/.])(?P<number>\d{{1,2}})(?P=mark){_DAY}{_TIME}",
        rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<second_number>\d{{1,2}})(?P=mark){_YEAR}{_TIME}",
        rf"{_DAY}(?: of)?[ -]{_MONTH},?[ -]{_YEAR}{_TIME}",
        rf"{_MONTH} {_DAY},? {_YEAR}{_TIME}",
        rf"{_MONTH} {_DAY} {_CLOCK} ?{_ZONE} {_YEAR}",  # as C and Ruby write it
        rf"(?P<year>\d{{4}})(?P<number>\d{{2}})(?P<day>\d{{2}})(?:t?(?P<hour>\d{{2}})"
        rf"(?P<minute>\d{{2}})(?P<second>\d{{2}}) ?{_ZONE})?",
    )
)
_SINCE_1970 = re.compile(r"(?P<seconds>\d{9,10})(?P<rest>\.\d{1,9})?|(?P<millis>\d{12,13})")
_POWER = re.compile(r"\d\.\d{1,15}e\+?(?:0?9|1[12])", re.IGNORECASE)  # of a large number in JSON
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DateReading:
    """A moment (UTC); `is_day`: only the day was written. `other`: what else it may have meant."""

    moment: datetime
    is_day: bool
    other: date | None = None

    @property
    def day(self) -> date:
        """The day in UTC."""
        return self.moment.date()

    @property
    def words(self) -> str:
        """`read as 4 March 2026, not 3 April 2026`; empty where nobody would ask."""
        if self.other is None:
            return ""
        return f"read as {spelled(self.day)}, not {spelled(self.other)}"


def spelled(day: date) -> str:
    """`4 March 2026`."""
    return f"{day.day} {day:%B %Y}"


@lru_cache(maxsize=4096)  # several conditions ask for the same few attributes
def date_reading(text: str) -> DateReading | None:
    """Read a date with or without a time, or seconds or milliseconds since 1970; None if none is.

    Seconds have 9 or 10 digits (from 1973 on), milliseconds 12 or 13. Names of months are English.
    A year has four digits.
    """
    plain = " ".join(text.split())
    if not 8 <= len(plain) <= LONGEST or not plain.isascii():
        return None
    if plain[0].isdigit() and (since := _since_1970(plain)):
        return since
    for form in _FORMS:
        if found := form.fullmatch(plain):
            return _read(found.groupdict())
    return None


def days_since(reading: DateReading, now: datetime) -> float:
    """Days from the reading until now: whole ones where only a day was written, in UTC."""
    if reading.is_day:
        return (now.astimezone(UTC).date() - reading.day).days
    return (now - reading.moment) / timedelta(days=1)


def is_before(one: DateReading, other: DateReading) -> bool:
    """Whether one is before the other; by days if one of them is only a day."""
    if one.is_day or other.is_day:
        return one.day < other.day
    return one.moment < other.moment


def _since_1970(plain: str) -> DateReading | None:
    found = _SINCE_1970.fullmatch(plain)
    if not found and not _POWER.fullmatch(plain):
        return None
    figure = float(plain)
    is_milliseconds = bool(found["millis"]) if found else figure >= 1e11
    moment = _EPOCH + timedelta(seconds=figure / 1000 if is_milliseconds else figure)
    return DateReading(moment, is_day=False) if moment.year <= LAST_YEAR else None


def _read(parts: dict[str, str | None]) -> DateReading | None:
    year = int(parts["year"] or 0)
    if parts.get("first"):
        numbers = int(parts["first"] or 0), int(parts["second_number"] or 0)
        days = _both(year, *numbers, parts["mark"])
    else:
        named = _MONTHS.get((parts.get("month") or "").lower())
        days = [_date(year, named or int(parts.get("number") or 0), int(parts["day"] or 0))]
    possible = list(dict.fromkeys(one for one in days if one))
    if not possible:
        return None
    day = possible[0]
    other = possible[1] if possible[1:] else None
    if parts.get("hour") is None:
        return DateReading(datetime.combine(day, time(), UTC), is_day=True, other=other)
    clock = _clock(parts)
    zone = _zone(parts.get("zone") or "")
    if clock is None or zone is None:
        return None
    moment = datetime.combine(day, clock, zone).astimezone(UTC)
    return DateReading(moment, is_day=False, other=other)


def _both(year: int, first: int, second: int, mark: str | None) -> list[date | None]:
    """Both readings of two numbers, the chosen one first. None: there is no such day."""
    as_month, as_day = _date(year, first, second), _date(year, second, first)
    if mark == ".":  # nobody who writes points begins with the month
        return [as_day]
    return [as_month, as_day] if mark == "/" else [as_day, as_month]


def _date(year: int, month: int, day: int) -> date | None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _clock(parts: dict[str, str | None]) -> time | None:
    hour, half = int(parts["hour"] or 0), (parts.get("half") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    fraction = (parts.get("fraction") or "").ljust(6, "0")[:6]
    try:
        return time(hour, int(parts["minute"] or 0), int(parts.get("second") or 0), int(fraction))
    except ValueError:
        return None


def _zone(text: str) -> timezone | None:
    found = re.search(r"([+-])(\d{2}):?(\d{2})?", text)
    if not found:
        return UTC
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    if minutes > 14 * 60 + 59:
        return None
    return timezone(timedelta(minutes=-minutes if found[1] == "-" else minutes))
