"""Tells what a change of subscription preferences means, from before, after and what was sent."""

from collections.abc import Mapping

Preferences = Mapping[str, Mapping[str, bool]]

CHANNEL_OFF = "channel off"
ALL_OFF = "all topics off"
SOME_OFF = "some topics off"
TOPICS_ON = "topics on"
UNKNOWN = "unknown"


def change(before: Preferences, after: Preferences, stated: Preferences) -> str:
    """Return one of the five words above.

    before: as cached until now; after: as looked up now; stated: the event's own content, which
    is there only if the webhook has Body Content turned on. Each may be empty.
    """
    channels_off, channels_on = _turned("channels", before, after, stated)
    topics_off, topics_on = _turned("topics", before, after, stated)
    if channels_off:
        return CHANNEL_OFF
    if topics_off:
        return ALL_OFF if _all_off(before, after, stated) else SOME_OFF
    return TOPICS_ON if topics_on or channels_on else UNKNOWN


def _turned(
    group: str, before: Preferences, after: Preferences, stated: Preferences
) -> tuple[set[str], set[str]]:
    """The names that were turned off, and those that were turned on."""
    old = before.get(group, {})
    new = stated.get(group) or (after.get(group, {}) if old else {})
    changed = {name: value for name, value in new.items() if old.get(name) is not value}
    # A look-up may have updated the cache before: then all that the event states has changed.
    if not changed and stated.get(group):
        changed = dict(new)
    off = {name for name, value in changed.items() if not value}
    return off, set(changed) - off


def _all_off(before: Preferences, after: Preferences, stated: Preferences) -> bool:
    known = {**before.get("topics", {}), **after.get("topics", {}), **stated.get("topics", {})}
    # With one known topic there may be more, unless a look-up showed all of them.
    return not any(known.values()) and (len(known) > 1 or bool(after.get("topics")))
