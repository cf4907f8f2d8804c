"""Times in words, the same on every page and in every message.

On pages in the reader's time zone; in messages and for programs in UTC.
"""

from datetime import date, datetime, timedelta

from django.utils import timezone

_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_STEPS = (("d", "day", 86_400), ("h", "hour", 3_600), ("min", "minute", 60))


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `3 h`, or `now` below a minute."""
    seconds = int(length.total_seconds())
    for unit, _, size in _STEPS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


def length(span_: timedelta) -> str:
    """Like `span`, but with the seconds below a minute: `25 min`, `40 s`."""
    seconds = max(0, int(span_.total_seconds()))
    return f"{seconds} s" if seconds < 60 else span(span_)


def span_in_full(length: timedelta) -> str:
    """Like `span`, with the unit written out: `3 hours`; `now` below a minute."""
    seconds = int(length.total_seconds())
    for _, unit, size in _STEPS:
        if count := max(0, seconds // size):
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "now"


def short_day(at: date | None) -> str:
    """`23 Nov`."""
    if at is None:
        return "an unknown day"
    local = _local(at)
    return f"{local.day} {local:%b}"


def day(at: date) -> str:
    """`23 Nov 2026`."""
    local = _local(at)
    return f"{local.day} {local:%b} {local.year}"


def exact(at: datetime) -> str:
    """`23 Nov 2026, 14:32 UTC`."""
    local = timezone.localtime(at)
    # Each row of a list has one, and to format a time by a pattern takes four times as long.
    clock = f"{local.hour:02}:{local.minute:02}"
    return f"{local.day} {_MONTHS[local.month]} {local.year}, {clock} {local.tzname()}"


def clock(at: datetime) -> str:
    """`14:32 UTC`, for a time of today."""
    return f"{timezone.localtime(at):%H:%M %Z}"


def clock_and_day(at: datetime | None) -> str:
    """`14:32 UTC on 23 Nov`."""
    if at is None:
        return "an unknown time"
    return f"{clock(at)} on {short_day(at)}"


def clock_or_day(at: datetime) -> str:
    """`14:32` for today; for another day `23 Nov, 14:32`."""
    at = timezone.localtime(at)
    is_today = at.date() == timezone.localdate()
    return f"{at:%H:%M}" if is_today else f"{short_day(at)}, {at:%H:%M}"


def zone(at: datetime | None = None) -> str:
    """How the time zone of the words is called at that moment: `UTC`, `CET`."""
    return f"{timezone.localtime(at):%Z}"


def _local(at: date) -> date:
    return timezone.localtime(at) if isinstance(at, datetime) else at
