"""Times in words, as every page and message says them."""

from datetime import UTC, datetime, timedelta

_STEPS = (("d", 86_400), ("h", 3_600), ("min", 60))


def span(length: timedelta) -> str:
    """A length of time in its largest unit: `3 h`, or `now` below a minute."""
    seconds = int(length.total_seconds())
    for unit, size in _STEPS:
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return "now"


def exact(at: datetime) -> str:
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def length(span_: timedelta) -> str:
    """`25 min`, and below a minute the seconds."""
    seconds = int(span_.total_seconds())
    return f"{seconds} s" if seconds < 60 else span(span_)
