"""Tells what an event says that changed in a person's subscription preferences.

An event states a *state*. It is not documented whether that is the whole state or only what has
changed, so both are held possible; where they disagree and nothing else decides, the direction is
unknown.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.subscriptions import GROUPS, is_readable, is_sent

Preferences = Mapping[str, Mapping[str, bool]]

CHANNEL_OFF = "channel off"
CHANNEL_ON = "channel on"
ALL_OFF = "all topics off"
SOME_OFF = "some topics off"
TOPICS_ON = "topics on"
UNKNOWN = "unknown"
# What a rule may ask for besides, where the direction is unknown.
NOT_SENT = "not sent"
UNREADABLE = "unreadable"
WORDS = (
    CHANNEL_OFF, ALL_OFF, SOME_OFF, CHANNEL_ON, TOPICS_ON, NOT_SENT, UNREADABLE, UNKNOWN,
)  # fmt: skip

_Name = tuple[str, str]  # group, name


@dataclass(frozen=True, slots=True)
class Change:
    """What was turned, in the direction that the word tells."""

    word: str
    topics: list[str] = field(default_factory=list)
    channels: list[str] = field(default_factory=list)

    def as_fact(self, content: Any) -> str:
        """What a rule asks about: the word, or why there is none."""
        if self.word != UNKNOWN or is_readable(content):
            return self.word
        return UNREADABLE if is_sent(content) else NOT_SENT


@dataclass(slots=True)
class _Turned:
    """The names by direction."""

    on: list[_Name] = field(default_factory=list)
    off: list[_Name] = field(default_factory=list)

    def add(self, name: _Name, is_on: bool) -> None:
        (self.on if is_on else self.off).append(name)

    def __bool__(self) -> bool:
        return bool(self.on or self.off)

    @property
    def is_mixed(self) -> bool:
        return bool(self.on and self.off)


def change(before: Preferences, after: Preferences, stated: Preferences) -> str:
    """The word for what changed: one of those above, but for `not sent` and `unreadable`."""
    return compare(before, after, stated).word


def compare(
    before: Preferences,
    after: Preferences,
    stated: Preferences,
    defaults: Preferences | None = None,
) -> Change:
    """Tell what changed.

    before: the state before the event, as far as it is known. after: as looked up now. stated: the
    event's own content, which is there only if the webhook has Body Content turned on. defaults:
    what a topic or a channel is for somebody who never chose. Each may be empty.
    """
    said = stated if any(stated.values()) else _seen(before, after, defaults or {})
    turned, possible, is_repeating = _compared(before, said)
    if not turned:
        # Of these, one at least has changed: if they all have one direction, it is that.
        turned = _Turned() if possible.is_mixed else possible
    elif not (is_repeating or said is not stated):
        # Nothing that the event states was so before. It may state only what has changed: then
        # the names that were not known before have changed as well.
        if turned.off:
            turned.off += possible.off
        elif possible.off:  # on for certain, or on and off: nobody can tell
            return Change(UNKNOWN)
        else:
            turned.on += possible.on
    return _named(turned, _is_every_topic_off(before, after, said, defaults or {}))


def _seen(before: Preferences, after: Preferences, defaults: Preferences) -> Preferences:
    """What the look-up says of groups that were known before; a missing value is the default."""
    return {
        group: {
            **{n: is_on for n, is_on in defaults.get(group, {}).items() if n in before[group]},
            **after.get(group, {}),
        }
        for group in GROUPS
        if before.get(group)
    }


def _compared(before: Preferences, said: Preferences) -> tuple[_Turned, _Turned, bool]:
    """What has changed, what may have because it was not known, and whether anything has not."""
    turned, possible, is_repeating = _Turned(), _Turned(), False
    for group in GROUPS:
        for name, is_on in said.get(group, {}).items():
            old = before.get(group, {}).get(name)
            if old is None:
                possible.add((group, name), is_on)
            elif old is is_on:
                is_repeating = True
            else:
                turned.add((group, name), is_on)
    return turned, possible, is_repeating


def _named(turned: _Turned, is_every_topic_off: bool) -> Change:
    # A topic turned on beside one turned off takes nothing back of the "no" to the other.
    names = turned.off or turned.on
    topics = [name for group, name in names if group == "topics"]
    channels = [name for group, name in names if group == "channels"]
    if not names:
        word = UNKNOWN
    elif not turned.off:
        word = CHANNEL_ON if channels else TOPICS_ON
    elif topics and is_every_topic_off:
        word = ALL_OFF
    else:
        word = CHANNEL_OFF if channels else SOME_OFF
    return Change(word, topics, channels)


def _is_every_topic_off(
    before: Preferences, after: Preferences, said: Preferences, defaults: Preferences
) -> bool:
    sources = (defaults, before, after, said)
    known = {name: is_on for one in sources for name, is_on in one.get("topics", {}).items()}
    # With one known topic there may be more, unless Customer.io has told of all of them.
    is_complete = bool(after.get("topics") or defaults.get("topics"))
    return not any(known.values()) and (len(known) > 1 or is_complete)
