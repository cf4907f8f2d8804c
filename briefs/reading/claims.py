"""Finds the paragraphs that need a source, because they state figures or quote studies.

Simple rules: a percentage, a ratio, a year or “research shows” is a claim. A period (“within 24
hours”) is not, nor an offer (“20 % off”), nor a target in a section on how to measure success.
"""

import re
from collections.abc import Iterator

_COUNT = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+)"
_WHO = (
    r"(?:customers?|accounts?|companies|firms|businesses|organi[sz]ations|vendors|subscribers?"
    r"|buyers?|respondents|contacts|churners|opt-?outs|complaints|unsubscribes|contracts|trials)"
)
_PEOPLE = rf"(?:{_WHO}|users?|people|teams?|readers?|clients?|them|those|all)"
_PERIOD = r"(?:days?|weeks?|months?|hours?|minutes?|years?)"
_FIGURE = re.compile(
    r"\d ?%|\b\d+(?:[.,]\d+)? ?(?:per ?cent|percent|pct|percentage points?)\b"
    rf"|\b{_COUNT} (?:in|out of) (?:every )?{_COUNT}\b(?! {_PERIOD})"
    r"|\b\d+(?:[.,]\d+)?(?:x\b| ?× ?|-fold\b)"
    rf"|\b{_COUNT}(?:[.,]\d+)? times (?:as|more|less|higher|lower|likel|the)"
    r"|\b(?:twice|two times|three times) as (?:likely|many|much|often)\b"
    r"|[$€£] ?\d[\d.,]* ?(?:million|billion|bn|m\b|k\b)"
    r"|\b(?:in|since|by|from|until|during|of|a) (?:19|20)\d\d\b|\((?:19|20)\d\d\)"
    r"|\b(?:half|a third|one third|a quarter|a fifth|most|the majority) of (?:\w+ ){0,3}?"
    rf"{_PEOPLE} (?:who |that )?(?:\w+ ){{0,5}}?(?:return|leave|left|churn|stay|cancel|come|came"
    r"|renew|report|say|said|unsubscribe|answer|react|respond|complain)\w*\b"
    rf"|\b(?:two|three)[- ](?:thirds|quarters|fifths)\b(?! of (?:\w+ ){{1,3}}?(?!{_PEOPLE}\b)\w+)"
    rf"|\bevery (?:second|third|fourth|fifth|tenth) {_PEOPLE}\b"
    r"|\b(?:doubles|doubled|triples|tripled|quadruples|quadrupled|halves|halved)\b"
    rf"|\b(?:\d{{3,6}}|\d{{1,3}}(?:[,.]\d{{3}})+) (?:\w+ ){{0,2}}?{_WHO}\b"
    r"|\bby (?:about |some |up to )?\d+(?:[.,]\d+)? points\b"
    r"|\b(?:average|median|typical) [^.!?]{1,60}?\b(?:is|are|was|were|of|costs?)"
    rf" (?:[\w ]{{1,20}} )?[$€£]?\d[\d.,]*+(?! ?{_PERIOD}\b)",
    re.I,
)
_FOUND = (
    r"(?:shows?|shown|showed|finds?|found|suggests?|suggested|indicates?|indicated|reveals?"
    r"|revealed|confirms?|confirmed|proves?|proved|demonstrates?|says?|estimates?|agree|reports?"
    r"|reported|concludes?|concluded)\b"
)
_BETWEEN = (
    r"(?: (?:has|have|consistently|also|often|repeatedly|now|(?:from|at|of|by|in|on) [\w' ]{1,30}))"
    r"{0,2}? "
)
_STUDY = re.compile(
    r"\b(?:stud(?:y|ies)|research(?:ers?)?|surveys?|reports?|benchmarks?|analys[ei]s|data|evidence"
    r"|experiments?|literature|analysts?|experts?|economists?|psychologists?|scientists?"
    r"|Gartner|Forrester|McKinsey|Bain|BCG|Deloitte|PwC|KPMG|Accenture|IDC|HubSpot|Nielsen|Statista"
    rf"|Harvard(?: Business (?:Review|School))?|HBR|Wharton|MIT|Stanford){_BETWEEN}{_FOUND}"
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
    """Whether the figures below this heading are targets."""
    return bool(_TARGETS.search(heading))


def needs_source(text: str, *, heading: str = "") -> bool:
    """Whether a paragraph or list item without a citation should say that none was given."""
    if _STUDY.search(text):
        return True
    return not has_targets(heading) and bool(_FIGURE.search(_OFFER.sub(" ", text)))


def without_years(text: str) -> str:
    """The words of a heading without years, which only say what its section is about."""
    return _YEAR.sub(" ", text)


def is_figure_alone(text: str) -> bool:
    """Whether a table's cell is one value of a series, such as “40 %” or “about 3x”."""
    return len(_LETTERS.findall(text)) <= 2


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text; a citation after a full stop belongs to the sentence before it."""
    yield from _SENTENCE_END.split(text)
