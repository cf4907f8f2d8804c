"""The forms in which answers cite: all of them are read as `[2]`."""

import re

# [1], [1, 2], [1-3], [^1], 【1】 and 【1†title】. Not (1): that may count anything.
CITATION = re.compile(
    r"(\[\^?\d{1,3}(?: ?[,;–-] ?\^?\d{1,3}){0,20}\]|【\d{1,3}(?:†[^】\n]{0,80})?】)"
)
_WORD = r"(?:cite[ds]?|citations?|sources?|refs?|references?|footnotes?)"
_MORE = rf"(?: ?(?:[,;&–-]|\band\b) ?(?:{_WORD}[:. ]{{0,2}})?#?\d{{1,3}}){{0,20}}"
# [cite: 2], [Source 3, 4], (Ref. 5), [#2], [S2]
_WORDY = re.compile(
    rf"\[ ?(?:{_WORD}|see|src|fn|s|#)[:.#_ -]{{0,3}}(\d{{1,3}}{_MORE}) ?\]"
    rf"|\( ?{_WORD}[:.#_ -]{{0,3}}(\d{{1,3}}{_MORE}) ?\)",
    re.I,
)
_DOUBLED = re.compile(r"\[(\[\d{1,3}\])\](?!\()")  # [[2]]
_PLACED = re.compile(  # 【2:0†source】, [2†L1-L4]
    r"【(?:\d{1,3}:)?(\d{1,3})†[^】\n]{0,80}】|\[(?:\d{1,3}:)?(\d{1,3})†[^\]\n]{0,80}\]"
)
# [ 2 ], [1 and 2], [1、2], [1, p. 3], and brackets of full width
_SPACED = re.compile(
    r"[\[［] ?(\d{1,3}(?: ?(?:[,;、&]|\band\b) ?\d{1,3}){0,20})(?:, ?pp?\. ?\d[\d–-]{0,9})? ?[\]］]"
)
_TAGGED = re.compile(r"<sup>\s*\[?(\d{1,3}(?:\s*[,–-]\s*\d{1,3}){0,20})\]?\s*</sup>", re.I)
_SMALL = "⁰¹²³⁴-⁹"
_RAISED = re.compile(
    rf"(\w{{0,40}}?|[.,;:!?%)”\"’])([{_SMALL}]{{1,3}}(?:[, ⁻][{_SMALL}]{{1,3}}){{0,20}})(?!\w)"
)
_FIGURES = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ ", "0123456789-,")
_UNITS = frozenset("km cm dm mm hm ft in yd mi sq co".split())  # noqa: SIM905 - shorter than a list


def plain_citations(text: str) -> str:
    """The text with each citation written as `[2]`, in whichever form the answer wrote it."""
    text = _SPACED.sub(_close, _PLACED.sub(lambda found: f"[{found[1] or found[2]}]", text))
    text = _TAGGED.sub(r"[\1]", _DOUBLED.sub(r"\1", text))
    return _RAISED.sub(_lowered, _WORDY.sub(_without_words, text))


def _without_words(found: re.Match[str]) -> str:
    """`[2, source 3 and 4]` as `[2, 3, 4]`; a span stays a span."""
    numbers = re.sub(rf"{_WORD}[:. ]*|#", "", found[1] or found[2], flags=re.I)
    return f"[{re.sub(r' ?(?:[,;&]|and) ?', ', ', numbers)}]"


def _close(found: re.Match[str]) -> str:
    """`[1 and 2]` as `[1, 2]`, without the page."""
    return f"[{re.sub(r' ?(?:[,;、&]|and) ?', ', ', found[1])}]"


def _lowered(found: re.Match[str]) -> str:
    """Raised figures after a word or a full stop as a citation; an exponent stays as it is."""
    before = found[1]
    is_word = before.isalpha() and len(before) > 1 and before.casefold() not in _UNITS
    if not is_word and (not before or before.isalnum()):
        return found[0]
    return f"{before}[{found[2].translate(_FIGURES)}]"
