"""The wording of the question to Mave: a text with variables in braces, checked and filled in.

str.format is not used: with it, a text could read the attributes of the values.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from personas.models import privacy

MAX_QUESTION = 4_000  # characters; Mavera names no limit, and this leaves room in any it may have

VARIABLES: dict[str, str] = {
    "segment": "the persona's name",
    "description": "the persona's description",
    "facts": "what the persona's own conditions say of the customer, such as “plan is pro”; leave "
    "it out and a persona has one question for each signal",
    "signal": "the signal's name, such as “Unsubscribed”",
    "meaning": "what the signal means, in a sentence",
    "focus": "the persona's research focus",
}
REQUIRED: dict[str, str] = {
    "segment": "two personas would ask the same question and share one answer",
    "signal": "two different signals would ask the same question and share one answer",
}

_BRACES = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|(?P<stray>[{}])")


@dataclass(frozen=True, slots=True)
class Wording:
    """A text with variables, and the version that an answer to it is kept under."""

    version: str
    text: str

    @property
    def variables(self) -> set[str]:
        return {match["name"] for match in _BRACES.finditer(self.text) if match["name"]}

    def fill(self, values: Mapping[str, str]) -> str:
        """Put the values in, once: braces inside a value are not filled.

        An unknown variable stays as written. `faults` refuses it before a text is saved; here it
        raises nothing, because an old row must not stop the pipeline.
        """
        return "".join(
            [values.get(name, shown) if name else shown for shown, name in _pieces(self.text)]
        )


@lru_cache(maxsize=8)
def _pieces(text: str) -> list[tuple[str, str]]:
    """The text in pieces, each with the name of its variable or “”; cached for a whole batch."""
    pieces, end = [], 0
    for match in _BRACES.finditer(text):
        pieces.append((text[end : match.start()], ""))
        pieces.append((match[0][0] if match[0] in ("{{", "}}") else match[0], match["name"] or ""))
        end = match.end()
    return [*pieces, (text[end:], "")]


def tidy(text: str) -> str:
    """The text as it is kept: a browser's line ends are not the team's words."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def faults(text: str) -> list[str]:
    """Why a text cannot be asked, one sentence for each reason; empty if it can."""
    if not text.strip():
        return ["Write the question."]
    found = [*_brace_faults(text), *_missing(text), *privacy.refusals(text)]
    if len(text) > MAX_QUESTION:
        found.append(
            f"The text alone has {len(text):,} characters, and a whole question may have "
            f"{MAX_QUESTION:,}: shorten it."
        )
    return list(dict.fromkeys(found))


def _brace_faults(text: str) -> Iterator[str]:
    for match in _BRACES.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        if match["stray"]:
            yield f"Line {line}: {_stray_words(match['stray'])}"
        elif match["name"] is not None and match["name"] not in VARIABLES:
            yield f"Line {line}: {_unknown_words(match['name'])}"


def _stray_words(brace: str) -> str:
    if brace == "{":
        return (
            "“{” is never closed. A variable looks like {segment}; for a brace itself write “{{”."
        )
    return "“}” closes nothing. A variable looks like {segment}; for a brace itself write “}}”."


def _unknown_words(name: str) -> str:
    shown = f"“{{{name[:40]}}}”"
    known = ", ".join(f"{{{variable}}}" for variable in VARIABLES)
    bare = re.split(r"[.\[!:]", name, maxsplit=1)[0].strip()
    if not name.strip():
        return f"{shown} names no variable. Known are {known}."
    if re.search(r"[.\[]", name):
        return f"{shown} reaches into a variable, which is not allowed. Known are {known}."
    if re.search(r"[!:]", name):
        return f"{shown} asks for a format, which is not allowed. Known are {known}."
    if bare != name and bare in VARIABLES:
        return f"{shown} has spaces inside the braces: write {{{bare}}}."
    close = get_close_matches(bare.casefold(), VARIABLES, n=1)
    meant = f" Did you mean {{{close[0]}}}?" if close else ""
    return f"{shown} is not known.{meant} Known are {known}."


def _missing(text: str) -> Iterator[str]:
    used = Wording("", text).variables
    for name, why in REQUIRED.items():
        if name in used:
            continue
        doubled = f"{{{{{name}}}}}"
        hint = f" “{doubled}” only prints the word: single braces fill it in." * (doubled in text)
        yield f"{{{name}}} must be in the text: without it, {why}.{hint}"
