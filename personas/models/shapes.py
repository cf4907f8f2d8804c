"""What the text of an attribute holds: nothing, a plain value, a list or an object.

Customer.io sends every value as text, lists and objects as JSON inside it. Some senders write
them as Python does. Source: https://docs.customer.io/api/app, getPersonAttributes
"""

import ast
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from providers import plain

# What programs write for nothing, exactly so spelled: “none” may be a level of use, and “Null” is
# a family name.
NOTHING = frozenset(
    ("", "null", "NULL", "None", "undefined", "nan", "NaN", "[]", "{}", '""', "''", "-", "--",
     "\u2013", "\u2014")
)  # fmt: skip
OPENING = frozenset('[{"')  # what a list, an object and a JSON string begin with
_LABELS = ("name", "title", "label", "display_name", "displayname")
_CUT_OFF = re.compile(r"[\[{]\s*[\[{\"']")  # begins as JSON does, but could not be read
_MARKS = re.compile(r"[\[\]{}\"'\\]+")
_SIGN = re.compile("[!-~]")  # one that can be seen: nearly every text has it
_DEEPEST = 8  # lists and objects inside each other
_LONGEST = 20_000  # characters that are read as Python


def is_missing(text: str) -> bool:
    """Whether the text stands for nothing: `null`, `None`, a dash, an empty list or object."""
    return not parts(text)


def parts(text: str) -> tuple[str, ...]:
    """The values that a condition can compare: a list's members, an object's name, or the text.

    Empty if the value is missing.
    """
    text = text.strip()
    if _is_nothing(text):
        return ()
    return _parts(text) if text[0] in OPENING else (text,)


def _is_nothing(text: str) -> bool:
    """Also if all its characters are invisible: a link of that name could not be clicked."""
    return text in NOTHING or not (_SIGN.search(text) or plain.visible(text).strip())


def shown(text: str, most: int = 100) -> str:
    """For people: `a, b` for a list, its name or `key: value` for an object; never JSON."""
    text = text.strip()
    if _is_nothing(text):
        return ""
    if text[0] not in OPENING:
        return text[:most]
    value = _decoded(text)
    words = _words(value)
    if isinstance(value, str) and _CUT_OFF.match(value):
        words = " ".join(_MARKS.sub(" ", value).split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def storable(text: str) -> str:
    """Without what no database takes for text: NUL and halves of characters."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def inside(text: str, path: list[str]) -> str:
    """The value at the path inside an object, as text; of a list of objects, all their values.

    A step that is a number names a member of a list, from 0 on; `*` stands for each member. Empty
    if there is none. Case does not matter in the names.
    """
    return _joined(_at(_decoded(text), path, 0)) if text[:1] in OPENING else ""


def within(data: Mapping[str, Any], path: str) -> str:
    """The same for an object that is not written as text; the path in one, with dots."""
    return _joined(_at(data, path.split("."), 0))


def has(text: str, path: list[str]) -> bool:
    """Whether there is anything at the path, even an empty text or list; null is nothing."""
    is_object = text[:1] in OPENING
    return is_object and any(value is not None for value in _at(_decoded(text), path, 0))


def is_within(data: Mapping[str, Any], path: str) -> bool:
    """The same for an object that is not written as text."""
    return any(value is not None for value in _at(data, path.split("."), 0))


def fields(text: str) -> dict[str, str]:
    """The members of an object with their texts; empty if the text is no object."""
    value = _decoded(text) if text[:1] in ("{", '"') else None
    if not isinstance(value, dict):
        return {}
    return {
        key: json.dumps(item, ensure_ascii=False) if _is_nested(item) else _text(item)
        for key, item in value.items()
    }


def is_named(text: str) -> bool:
    """Whether the text is an object, or a list of objects, that is compared by its name."""
    value = _decoded(text) if text[:1] in OPENING else None
    return any(isinstance(item, dict) for item in (value if isinstance(value, list) else [value]))


@lru_cache(maxsize=4096)  # many conditions ask for the same few attributes
def _parts(text: str) -> tuple[str, ...]:
    value = _decoded(text)
    found = tuple(dict.fromkeys(_texts(value)))
    return found or ((text,) if _words(value) else ())


@lru_cache(maxsize=4096)
def _decoded(text: str) -> Any:
    """The list, object or JSON string that the text spells; the text itself if it is plain."""
    return _unfolded(text, 0)


def _unfolded(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        return ""
    if isinstance(value, str):
        read = _read(value) if value[:1] in OPENING else value
        return read if isinstance(read, str) and read == value else _unfolded(read, depth + 1)
    if isinstance(value, list | tuple):
        return [_unfolded(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {str(key): _unfolded(item, depth + 1) for key, item in value.items()}
    return value


def _read(text: str) -> Any:
    try:  # numbers stay as they are written
        return json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        pass
    if text[0] == '"' or len(text) > _LONGEST:
        return text
    try:
        value = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value if isinstance(value, list | dict) else text


def _joined(values: Iterator[Any]) -> str:
    found = [value for value in values if _words(value)]
    if not found:
        return ""
    value = found[0] if len(found) == 1 else found
    return json.dumps(value, ensure_ascii=False) if _is_nested(value) else _text(value)


def _is_nested(value: Any) -> bool:
    return isinstance(value, list | dict)


def _text(value: Any) -> str:
    """A plain value as text; empty if it stands for nothing."""
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value).strip()
    return "" if text in NOTHING else text


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif text := _label(value) if isinstance(value, dict) else _text(value):
        yield text


def _label(value: dict[str, Any]) -> str:
    named = {key.casefold(): item for key, item in value.items()}
    for key in _LABELS:
        if not _is_nested(item := named.get(key)) and (text := _text(item)):
            return text
    return ""


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(filter(None, map(_words, value)))
    if isinstance(value, dict):
        told = ((key, _words(item)) for key, item in value.items())
        return _label(value) or "; ".join(f"{key}: {words}" for key, words in told if words)
    return _text(value)


def _at(value: Any, path: list[str], start: int) -> Iterator[Any]:
    if start == len(path):
        yield value
    elif isinstance(value, list):
        found = [each for item in value for each in _at(item, path, start)]
        yield from found or _members(value, path, start)
    elif isinstance(value, dict):
        named = {key.casefold(): item for key, item in value.items()}
        for end in range(len(path), start, -1):  # a name may hold dots itself
            key = ".".join(path[start:end]).strip().casefold()
            if key in named:
                yield from _at(named[key], path, end)
                return
        if path[start].strip() == "*":
            for item in value.values():
                yield from _at(item, path, start + 1)


def _members(value: list[Any], path: list[str], start: int) -> Iterator[Any]:
    """What lies in the member of the list that the next step numbers, or in each of them."""
    step = path[start].strip()
    if step == "*":
        for item in value:
            yield from _at(item, path, start + 1)
    elif step.isdecimal() and int(step) < len(value):
        yield from _at(value[int(step)], path, start + 1)
