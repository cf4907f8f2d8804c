"""Reads Savedesk's variables from the environment and from `.env`, and knows their names.

A variable is known once it is read, so a new one need not be entered anywhere. What is set and only
looks like a known one is told by config/suspicions.py.
"""

import os
import re
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import TypeVar

import environ
from django.core.exceptions import ImproperlyConfigured

from config import values

T = TypeVar("T")

_ASSIGNMENT = re.compile(r"(?:export )?([A-Za-z_0-9]+)=(.*)")


class Environment:
    """The variables that are set. An empty one is not: lines of .env.example may stay empty."""

    def __init__(self, given: Mapping[str, str], lines: Mapping[int, tuple[str, str]]) -> None:
        self.given = {name: value for name, value in given.items() if value.strip()}
        self.lines = lines  # of .env: name and value by the line's number
        self.known: list[str] = []

    def secret(self, name: str) -> str:
        """The text as it is, with the space around it: it may have signed or sealed something."""
        self.known.append(name)
        return self.given.get(name, "")

    def text(self, name: str, default: str = "") -> str:
        return self.secret(name).strip() or default

    def read(self, name: str, kind: Callable[[str], T], default: str = "") -> T:
        """The value of this kind. Raises ImproperlyConfigured, in words, if it is none."""
        try:
            return kind(self.text(name, default))
        except values.Wrong as wrong:
            raise ImproperlyConfigured(f"{name} {wrong}") from None


def of_this_process(file: Path) -> Environment:
    """What the process was started with, and for the rest the lines of the file if there is one.

    Raises ImproperlyConfigured if a line of the file cannot be read: it would be passed over.
    """
    text = _content(file)
    lines: dict[int, tuple[str, str]] = {}
    for place, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        found = _ASSIGNMENT.fullmatch(line)
        if not found:  # the line may hold a secret, so its words are not repeated
            raise ImproperlyConfigured(
                f"Line {place} of {file.name} cannot be read. Write NAME=value, without spaces "
                "before it or around the equals sign; a comment begins with #."
            )
        lines[place] = found[1], found[2]
    assignments = "\n".join(f"{name}={value}" for name, value in lines.values())
    environ.Env.read_env(StringIO(assignments))
    return Environment(os.environ, lines)


def _content(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")  # Windows begins files with a mark
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise ImproperlyConfigured(
            f"{file} cannot be read ({error.strerror}). Let this user read it, or remove it."
        ) from None
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{file} is no text in UTF-8. Save it as UTF-8.") from None
