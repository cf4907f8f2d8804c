"""All rules in one readable form: kept in each version, exported, imported and compared."""

import hashlib
import json
from typing import Any

import yaml

from personas.rules.parts import PARTS, Row, Unreadable

Document = dict[str, Any]

FORMAT_KEY, FORMAT = "savedesk_rules", 1


def take() -> Document:
    """The rules as they are in the tables: a query or two for each part."""
    return {FORMAT_KEY: FORMAT, **{part.key: part.take() for part in PARTS}}


def digest(document: Document) -> str:
    """Equal for documents that say the same."""
    text = json.dumps(document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def rows(document: Document, key: str) -> list[Row]:
    """The rows of a part; none where the document does not name it."""
    found: list[Row] = document.get(key, [])
    return found


def checked(document: Any) -> Document:
    """The document, if it has the form of one. Raises Unreadable."""
    if not _is_storable(document):
        raise Unreadable("This file holds something that cannot be stored.")
    if not isinstance(document, dict) or document.get(FORMAT_KEY) != FORMAT:
        raise Unreadable(f"This is no file of rules: it does not begin with “{FORMAT_KEY}: 1”.")
    known = {part.key: part for part in PARTS}
    if strange := [key for key in document if key not in known and key != FORMAT_KEY]:
        raise Unreadable(f"“{strange[0]}” is no part of the rules.")
    for key, part in known.items():
        listed = document.get(key)
        if not isinstance(listed, list) or not all(isinstance(row, dict) for row in listed):
            raise Unreadable(f"“{key}” must be there, with a list of every {part.noun}.")
    return document


def written(document: Document) -> str:
    """The document as YAML, as a file holds it."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def read(text: str) -> Document:
    """The document of a file, in YAML or JSON. Raises Unreadable."""
    try:
        given = yaml.load(text, Loader=_Loader)  # noqa: S506 - it is the safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # such as a day that is none
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        raise Unreadable(f"This file cannot be read: there is a mistake{where}.") from error
    return checked(given)


def _is_storable(document: Any) -> bool:
    """Whether it holds neither NUL nor half of a pair of surrogates."""
    try:
        text = json.dumps(document, ensure_ascii=False, default=str).encode()
    except (TypeError, ValueError):  # a key that is no text; half of a pair of surrogates
        return False
    return rb"\u0000" not in text


class _Loader(yaml.SafeLoader):
    """Knows no references: with them, a short file can be an endless one."""

    def compose_node(self, parent: Any, index: int) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("a reference")
        return super().compose_node(parent, index)


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and repeats what another way would only refer to."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
