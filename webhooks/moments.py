"""Reads when an event happened, in the forms in which senders write it.

Customer.io documents whole seconds. Proxies and replays of older events bring other forms.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

# Customer.io was founded in 2012, so no event of it is older. A date before is a sender's mistake:
# 0, or a unit that was guessed wrong.
EARLIEST = datetime(2012, 1, 1, tzinfo=UTC)
LATEST = datetime(3000, 1, 1, tzinfo=UTC)  # windows around it must fit into a date
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Seconds, milliseconds, microseconds, nanoseconds: each ends where the next one begins in 1973.
_UNITS = ((1, 1e11), (1_000, 1e14), (1_000_000, 1e17), (1_000_000_000, 1e20))
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?(?:[eE]\+?[0-9]{1,2})?")
_ZONE_BY_NAME = re.compile(r"\s*(?:UTC|GMT)\Z")
_ZONE_APART = re.compile(r"\s+([+-]\d\d:?\d\d)\Z")
# A name after the offset says nothing more: `+09:00[Asia/Seoul]`, `+0900 KST`, `+0000 (UTC)`.
_NAME_OF_OFFSET = re.compile(
    r"([+-]\d\d:?\d\d)\s*(?:\[[^\]]*\]|\([^)]*\)|[A-Za-z]{1,5}|[+-]\d\d(?:\d\d)?)\Z"
)
# `Sun Nov 01 2026 10:00:00 GMT+0900`, as JavaScript writes it.
_JAVASCRIPT = re.compile(r"[A-Za-z]{3} ([A-Za-z]{3}) (\d\d) (\d{4}) ([\d:.]+) GMT([+-]\d{4})")
# With the zones that the parser knows. It takes any other for none, hours from UTC as it may be.
_MAIL = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?\d{1,2}[\s-][A-Za-z]{3,9}[\s-]\d{2,4}\s+\d[\d:.]*"
    r"(?:\s+(?:[+-]\d{4}|UTC?|GMT|Z|[ECMP][SD]T))?"
)
MAX_LENGTH = 100
MAX_STATED = 40


def moment(value: Any) -> datetime | None:
    """The moment that a timestamp names; None if it names none, or one that cannot be.

    A number is counted in the unit in which it lies within our time. A date without a zone is UTC.
    """
    if isinstance(value, str):
        at = _of_text(value.strip())
    elif isinstance(value, int | float) and not isinstance(value, bool):
        at = _of_number(value)
    else:
        return None
    return at if at and EARLIEST <= at < LATEST else None


def _of_number(number: float) -> datetime | None:
    for per_second, end in _UNITS:
        if 0 < number < end:  # also refuses NaN
            return EPOCH + timedelta(seconds=number / per_second)
    return None


def _of_text(text: str) -> datetime | None:
    if len(text) > MAX_LENGTH or not text.isascii():
        return None
    if _NUMBER.fullmatch(text):
        return _of_number(int(text) if text.isdecimal() else float(text))
    text = _NAME_OF_OFFSET.sub(r"\1", text)
    text = _JAVASCRIPT.sub(r"\2 \1 \3 \4 \5", text)
    return _of_iso(text) or _of_mail(text)


def _of_iso(text: str) -> datetime | None:
    """ISO 8601, also with a blank before the zone or with its name: `2026-11-28 18:30:00 UTC`."""
    text = _ZONE_BY_NAME.sub("Z", text.upper())
    text = _ZONE_APART.sub(r"\1", text)
    try:
        return _in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _of_mail(text: str) -> datetime | None:
    """RFC 2822, as in mail and HTTP: `Sat, 28 Nov 2026 18:30:00 +0000`."""
    try:
        return _in_utc(parsedate_to_datetime(text)) if _MAIL.fullmatch(text) else None
    except (ValueError, OverflowError, TypeError, IndexError):  # the parser leaks the last two
        return None


def _in_utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def stated(value: Any) -> str:
    """What was said, in at most 40 characters; empty if nothing was."""
    if value is None:
        return ""
    if type(value) is int:  # nearly always
        return _cut(str(value))
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    return _cut(value.strip() if isinstance(value, str) else json.dumps(value))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_STATED else f"{text[: MAX_STATED - 1]}…"


def in_words(stated_time: str) -> str:
    """What was said, with its date where that is not to be seen: `1924992000 (1 Jan 2031, ...)`."""
    at = moment(stated_time)
    if at is None or not _NUMBER.fullmatch(stated_time):
        return stated_time
    return f"{stated_time} ({at.day} {at:%b %Y, %H:%M} UTC)"
