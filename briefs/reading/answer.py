"""Reads an answer for one customer: what it says, what it rests on, what must not be done.

The text stays as Mave wrote it. What we know better stands beside it, as marks of ours: a word that
names a channel which this customer closed, a number that leads to no source, a claim without one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from markdown_it.token import Token

from briefs.reading import markdown
from briefs.reading.channels import Closed
from briefs.reading.citing import Citing, Source, sources
from briefs.reading.marking import Marking
from providers.plain import visible

SHOWN = 12_000  # characters before the rest is folded; three times an answer of usual length
_WORD = re.compile(r"[^\W_]")
# A comment, and an image without a description.
_WORDLESS = re.compile(r"<!--.{0,500}?-->|!\[[^\w\[\]]{0,20}\]\([^)\s]{0,500}\)", re.S)
_BLANK_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Listed:
    """A source, and whether the text cites it."""

    source: Source
    is_cited: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as the page shows it."""

    html: SafeString
    rest: SafeString  # folded; empty for an answer of usual length
    rest_words: int
    cut_at: int | None  # characters, where even the rest does not hold all of it
    length: int
    sources: list[Listed]
    is_without_sources: bool
    closed: list[Closed]
    names_closed: list[str]  # the keys of those that the text names, and where it is marked

    @property
    def cited(self) -> list[Source]:
        return [listed.source for listed in self.sources if listed.is_cited]


def read(text: str, given: Any, closed: Sequence[Closed] = ()) -> Reading:
    """Never raises, whatever Mave wrote. given: the reply's sources, as they came."""
    found = sources(given)
    kept = _cut(text)
    # Without a list a number may still be explained in the text, by an address.
    citing = Citing.of(found, marks_missing=bool(found) or "://" not in kept)
    keys = {channel.key for channel in closed}
    marking = Marking(citing, keys, has_sources=bool(found) or "](https://" in kept)
    tokens = list(marking.blocks(markdown.parse(kept)))
    place = _fold(tokens, kept)
    html, rest = markdown.finish(tokens[:place]), markdown.finish(tokens[place:])
    if not _WORD.search(_WORDLESS.sub("", unescape(strip_tags(html + rest)))):
        html = _hidden(kept)
    return Reading(
        html=html,
        rest=rest,
        rest_words=len(strip_tags(rest).split()),
        cut_at=len(kept) if len(kept) < len(text) else None,
        length=len(text),
        sources=[Listed(source, source.number in citing.cited) for source in found],
        is_without_sources=not found and not citing.has_link,
        closed=list(closed),
        names_closed=sorted(marking.named),
    )


def _hidden(text: str) -> SafeString:
    """What to show where Markdown leaves no word: what it hides, if there is any."""
    shown = visible(text).strip()
    has_words = _WORD.search(_WORDLESS.sub("", unescape(shown)))
    return format_html("<p>{}</p>", shown if has_words else "This answer holds no words.")


def _cut(text: str) -> str:
    """No more than the page can carry, up to the end of a paragraph if there is one near."""
    if len(text) <= markdown.LONGEST:
        return text
    ends = [found.start() for found in _BLANK_LINE.finditer(text[: markdown.LONGEST])]
    is_near = bool(ends) and ends[-1] > markdown.LONGEST * 0.9
    return text[: ends[-1] if is_near else markdown.LONGEST]


def _fold(tokens: Sequence[Token], text: str) -> int:
    """The first block of the outermost level that begins after what is shown at once."""
    if len(text) <= SHOWN * 1.25:
        return len(tokens)
    line = text.count("\n", 0, SHOWN)
    starts = (
        place
        for place, token in enumerate(tokens)
        if token.level == 0 and token.nesting >= 0 and token.map and token.map[0] > line
    )
    return next(starts, len(tokens))
