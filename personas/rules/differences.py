"""What differs between two documents of rules, in sentences for the team."""

import difflib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from personas.rules.documents import Document, rows
from personas.rules.parts import PARTS, Column, Flag, Level, Part, Row, read_condition

ADDED, REMOVED, CHANGED = "added", "removed", "changed"
SHORT = 80  # characters of a text that is told in full
NAMED = 3  # rows in a summary


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs in one row."""

    part: str
    label: str  # “persona “Enterprise””
    act: str
    words: str = ""  # of a row that was changed
    lines: tuple[str, ...] = ()  # of a long text: gone ones begin with “-”, new ones with “+”

    def __str__(self) -> str:
        label = self.label[:1].upper() + self.label[1:]
        return f"{label}: {self.words}" if self.words else f"{label} {self.act}"

    @property
    def in_full(self) -> str:
        """With the changed lines of a long text below it."""
        return "\n".join([str(self), *(f"    {line}" for line in self.lines)])


def differences(before: Document, after: Document) -> list[Difference]:
    """What was done to the first to make the second of it, in the order of the parts."""
    renamed = _renamed(before, after)
    return [found for part in PARTS for found in _of_part(part, before, after, renamed)]


def summary(found: list[Difference]) -> str:
    """What was done, in one sentence: “Changed persona “Enterprise”, removed …”."""
    acts = list(dict.fromkeys((one.act, one.label) for one in found))
    words = [f"{act} {label}" for act, label in acts[:NAMED]]
    if len(acts) > NAMED:
        words.append(f"and {len(acts) - NAMED} more")
    text = ", ".join(words)
    return text[:1].upper() + text[1:]


def _renamed(before: Document, after: Document) -> dict[tuple[str, str], str]:
    """The new names of rows that have another name and nothing else is different, by part."""
    found = {}
    for part in PARTS:
        if len(part.named_by) > 1:
            continue
        old, new = (
            {part.identity(row): row for row in rows(document, part.key)}
            for document in (before, after)
        )
        gone = [row for key, row in old.items() if key not in new]
        for key, row in new.items():
            if key in old:
                continue
            same = next((one for one in gone if part.rest(one) == part.rest(row)), None)
            if same is not None:
                gone.remove(same)
                name = part.named_by[0]
                found[part.key, str(same[name])] = str(row[name])
    return found


def _of_part(
    part: Part, before: Document, after: Document, renamed: dict[tuple[str, str], str]
) -> Iterator[Difference]:
    old = {part.identity(_under_new_names(part, row, renamed)): row
           for row in rows(before, part.key)}  # fmt: skip
    new = {part.identity(row): row for row in rows(after, part.key)}
    old = _reworded(part, old, new)
    for key, row in old.items():
        if key not in new:
            yield Difference(part.key, part.label(row), REMOVED)
    moved: dict[Any, str] = {}
    for case in dict.fromkeys(map(part.case, new)):
        listed = ([key for key in one if key in old and key in new and part.case(key) == case]
                  for one in (old, new))  # fmt: skip
        moved |= _moved(*listed)
    for key, row in new.items():
        if key not in old:
            yield Difference(part.key, part.label(row), ADDED)
            continue
        for words, lines in _of_row(part, old[key], row):
            yield Difference(part.key, part.label(row), CHANGED, words, lines)
        if key in moved and part.is_ordered:
            yield Difference(part.key, part.label(row), CHANGED, moved[key])


def _reworded(part: Part, old: dict[Any, Row], new: dict[Any, Row]) -> dict[Any, Row]:
    """The old rows, each that is gone under the name of a new one of its case, if there is one."""
    added = [key for key in new if key not in old and part.case(key)]
    found = {}
    for key, row in old.items():
        is_gone = key not in new
        same = next((one for one in added if is_gone and part.case(one) == part.case(key)), None)
        if same is not None:
            added.remove(same)
        found[same or key] = row
    return found


def _under_new_names(part: Part, row: Row, renamed: dict[tuple[str, str], str]) -> Row:
    if len(part.named_by) == 1:
        name = part.named_by[0]
        return {**row, name: renamed.get((part.key, row[name]), row[name])}
    persona = row.get("persona")
    return {**row, "persona": renamed.get(("personas", persona), persona)} if persona else row


def _moved(old: list[Any], new: list[Any]) -> Iterator[tuple[Any, str]]:
    """The rows that were taken out of the order and put in at another place."""
    stayed = {
        key
        for start, _, size in difflib.SequenceMatcher(None, old, new, False).get_matching_blocks()
        for key in old[start : start + size]
    }
    for place, key in enumerate(new, start=1):
        if key not in stayed:
            yield key, f"tried as number {place} instead of {old.index(key) + 1}"


def _of_row(part: Part, old: Row, new: Row) -> Iterator[tuple[str, tuple[str, ...]]]:
    for column in part.columns:
        if column.name == "persona":
            continue  # another name of the same persona
        was, now = (part.value(row, column) for row in (old, new))
        if was == now:
            continue
        was_words, now_words = (_words(part, column, value) for value in (was, now))
        if max(len(was_words), len(now_words)) <= SHORT and "\n" not in was_words + now_words:
            yield _in_short(part, column, was_words, now_words), ()
        else:
            label = _label(part, column)
            yield f"{label} changed", _changed_lines(was_words, now_words)
    was_conditions, now_conditions = (
        [part.condition(**read_condition(one)).words for one in row.get("conditions", [])]
        if part.condition else []
        for row in (old, new)
    )  # fmt: skip
    gone, added = Counter(was_conditions), Counter(now_conditions)
    yield from ((f"condition “{one}” removed", ()) for one in (gone - added).elements())
    yield from ((f"condition “{one}” added", ()) for one in (added - gone).elements())
    if gone == added and was_conditions != now_conditions:
        yield "conditions in another order", ()


def _in_short(part: Part, column: Column, was: str, now: str) -> str:
    """As one would tell a colleague."""
    label = _label(part, column)
    if isinstance(column, Flag):
        return (column.on or label) if now else (column.off or f"not {label} any more")
    if part.named_by == (column.name,):
        return f"renamed, was “{was}”"
    if not was:
        return f"{label} “{now}”, before none"
    return f"{label} “{now}” instead of “{was}”" if now else f"{label} removed, was “{was}”"


def _label(part: Part, column: Column) -> str:
    return column.label or str(part.field(column.name).verbose_name)


def _words(part: Part, column: Column, value: Any) -> str:
    """A value of a document as forms show it; without one, empty."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if value is None or value == "":
        return ""
    if isinstance(column, Level):
        return str(value).capitalize()
    labels = {str(key): str(label) for key, label in part.field(column.name).flatchoices}
    return labels.get(str(value), str(value))


def _changed_lines(was: str, now: str) -> tuple[str, ...]:
    lines = difflib.unified_diff(was.splitlines(), now.splitlines(), n=0, lineterm="")
    return tuple(line for line in list(lines)[2:] if not line.startswith("@@"))
