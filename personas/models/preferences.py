"""What is known of a person's preferences, and since when. Pure functions.

`Customer.preferences` holds `topics` and `channels`, the newest that is known: whether each is on.
Beside them stand `stated_at`, when the last event happened that spoke of them, and, if a look-up
found other values than were known, `seen_at`, its time, and `earlier`, what was known until then.
So an event that happened before the look-up is still compared with the state before it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from providers.subscriptions import GROUPS, Preferences, merged

Known = Mapping[str, Any]


def values(known: Known) -> Preferences:
    """The newest that is known, without its times."""
    return {group: dict(known[group]) for group in GROUPS if known.get(group)}


def as_of(known: Known, moment: datetime) -> Preferences:
    """What is known of the state at that moment; empty if nothing is."""
    is_before = _is_before_look_up(known, moment)
    return values(known.get("earlier") or {}) if is_before else values(known)


def is_whole(known: Known, moment: datetime) -> bool:
    """Whether `as_of` rests on a look-up, so that what it leaves out was never chosen."""
    return "seen_at" in known and not _is_before_look_up(known, moment)


def is_late(known: Known, moment: datetime) -> bool:
    """Whether a newer event than this one has spoken of the preferences."""
    stated_at = _moment(known, "stated_at")
    return stated_at is not None and moment < stated_at


def looked_up(known: Known, found: Preferences, at: datetime) -> dict[str, Any]:
    """What is known after a look-up."""
    before = values(known)
    if found == before:
        return dict(known)
    stated = {"stated_at": known["stated_at"]} if "stated_at" in known else {}
    return {**found, **stated, "seen_at": at.isoformat(), "earlier": before}


def stated(
    known: Known, said: Preferences, at: datetime, fetched_at: datetime | None = None
) -> dict[str, Any]:
    """What is known after an event that happened `at` that moment.

    An event that is older than the last one changes nothing. One that is older than the last
    look-up (fetched_at) changes what was known before it.
    """
    if is_late(known, at):
        return dict(known)
    time = {"stated_at": at.isoformat()}
    if _is_before_look_up(known, at):
        return {**known, **time, "earlier": merged(values(known.get("earlier") or {}), said)}
    if fetched_at is not None and at < fetched_at:  # the look-up showed what was known before
        seen = {"seen_at": fetched_at.isoformat(), "earlier": merged(values(known), said)}
        return {**known, **time, **seen}
    seen = {"seen_at": known["seen_at"]} if "seen_at" in known else {}
    return {**merged(values(known), said), **time, **seen}


def _is_before_look_up(known: Known, moment: datetime) -> bool:
    seen_at = _moment(known, "seen_at")
    return seen_at is not None and moment < seen_at


def _moment(known: Known, name: str) -> datetime | None:
    text = known.get(name)
    return datetime.fromisoformat(text) if isinstance(text, str) else None
