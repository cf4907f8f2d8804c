"""Tells which paragraphs rest on something that must be looked up somewhere: figures and studies.

Pragmatic: a percentage, a ratio, a year or “research shows” is a claim. A period (“within 24
hours”) is not, nor an offer (“20 % off”), nor a target in a section on how to measure success.
"""

import re
from collections.abc import Iterator

_FIGURE = re.compile(
    r"\d ?%|\b\d+(?:[.,]\d+)? ?(?:per ?cent|percent|percentage points?)\b"
    r"|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+) (?:in|out of) (?:every )?"
    r"(?:two|three|four|five|six|seven|eight|nine|ten|\d+)\b(?! (?:days?|weeks?|months?|hours?))"
    r"|\b\d+(?:[.,]\d+)?(?:x\b| ?× ?|-fold\b| times (?:as|more|less|higher|lower|likel))"
    r"|\b(?:twice|two times|three times) as (?:likely|many|much|often)\b"
    r"|[$€£] ?\d[\d.,]* ?(?:million|billion|bn|m\b|k\b)"
    r"|\b(?:in|since|by|from|until|during|of|a) (?:19|20)\d\d\b|\((?:19|20)\d\d\)",
    re.I,
)
_STUDY = re.compile(
    r"\b(?:stud(?:y|ies)|research|surveys?|reports?|benchmarks?|analys[ei]s|data|evidence"
    r"|experiments?|literature|analysts?|experts?)"
    r" (?:(?:has|have|consistently|also|often|repeatedly|now|from [\w' ]{1,30}) ){0,2}?"
    r"(?:shows?|shown|finds?|found|suggests?|suggested|indicates?|indicated|reveals?|revealed"
    r"|confirms?|confirmed|proves?|demonstrates?|says?|estimates?|agree)\b"
    r"|\baccording to (?!plan\b|the plan\b|their\b|your\b|our\b|the contract\b)"
    r"|\b(?:it is|is) (?:well documented|well known|proven|estimated) that\b",
    re.I,
)
_OFFER = re.compile(
    r"\d ?(?:%|per ?cent|percent) (?:off\b|discounts?\b|reduction\b|credit\b|rebate\b)"
    r"|\b(?:discounts?|rebates?|reduction|credit|cap|limit|offer|give|grant|up to|at most"
    r"|no more than|ceiling)(?: of| at| by| them| to){0,3} (?:up to |at most |about )?"
    r"\d{1,3}(?:[.,]\d+)? ?(?:%|per ?cent|percent)",
    re.I,
)
_SENTENCE_END = re.compile(r"(?<=[.!?])[”\")’]{0,2} +(?=[A-Z0-9“\"(])")
_YEAR = re.compile(r"\b(?:19|20)\d\d\b")
_LETTERS = re.compile(r"[^\W\d_]+")
_TARGETS = re.compile(r"\b(?:worked|success|measur|kpis?|targets?|goals?|metrics)", re.I)


def has_targets(heading: str) -> bool:
    """Whether the figures below this heading are what we aim at."""
    return bool(_TARGETS.search(heading))


def needs_source(text: str, *, heading: str = "") -> bool:
    """Whether a paragraph or list item without a citation should say that none was given."""
    text = text[:8000]
    if _STUDY.search(text):
        return True
    return not has_targets(heading) and bool(_FIGURE.search(_OFFER.sub(" ", text)))


def without_years(text: str) -> str:
    """A heading's words: a year in it tells what the section is about."""
    return _YEAR.sub(" ", text)


def is_figure_alone(text: str) -> bool:
    """Whether a table's cell is one value of a series, such as “40 %” or “about 3x”."""
    return len(_LETTERS.findall(text)) <= 2


def sentences(text: str) -> Iterator[str]:
    """One by one; a citation behind a full stop still belongs to the sentence before it."""
    yield from _SENTENCE_END.split(text[:8000])
