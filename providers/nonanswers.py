"""Recognises replies that are not an answer: empty text, a web page, or questions back.

Mavera documents no flag for them, so they are recognised by their text.
"""

import re
from typing import Any

from providers.plain import visible

LONGEST_ASKING_BACK = 1_500  # characters; the length that we ask for is above this
OPENING = 500  # characters at the beginning, where a request for more is looked for

_SECTION = re.compile(r"^ {0,3}(?:#{1,6} .*|(?:\d+[.)] |[-*] )?\*\*[^*\n]+\*\*:?[ \t]*)$", re.M)
_BULLET = re.compile(r"^ *(?:\d+[.)]|[-*+]) +", re.M)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s|\n")
_WORD = re.compile(r"\w")
_ASKING = re.compile(
    r"\b(?:before i (?:can |could )?(?:begin|start|research|proceed|answer|go on)"
    r"|(?:could|can|would|will) you (?:please )?(?:tell|share|clarify|confirm|provide|specify)"
    r"|please (?:tell|share|clarify|confirm|provide|specify|let me know)"
    r"|need (?:to know )?(?:a bit |a little |some )?(?:more|further|additional)\b)",
    re.I,
)
_NOTHING = {"null", "none", "undefined"}
_PAGE = re.compile(r"\s*(?:<!doctype\b|<html\b|<\?xml\b)", re.I)


def trouble(content: Any) -> str:
    """Why this is no answer at all, in a word or two; empty if it may be one."""
    text = visible(content).strip() if isinstance(content, str) else ""
    if text.lower() in _NOTHING or not any(map(str.isalnum, text)):
        return "empty"
    return "a web page" if _PAGE.match(text) else ""


def is_asking_back(content: str) -> bool:
    """Whether a text without sources asks instead of answering.

    Short and without sections; or little else but questions, after a request for more.
    """
    wants_more = bool(_ASKING.search(content[:OPENING]))
    if len(content) < LONGEST_ASKING_BACK and not _SECTION.search(content):
        return wants_more or "?" in content
    parts = _SENTENCE_END.split(_BULLET.sub("", _SECTION.sub("", content)))
    sentences = [part for part in parts if _WORD.search(part)]
    asked = sum(sentence.rstrip().endswith("?") for sentence in sentences)
    return wants_more and asked > 1 and 2 * asked >= len(sentences)
