"""Prepares an answer for one customer's page: its text, its sources, and our marks.

The text stays as Mave wrote it. We only add marks: at a word that names a channel which this
customer closed, at a number that leads to no source, and at a claim without a source.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from typing import Any

from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from markdown_it.token import Token

from briefs.reading import channels, markdown, plan
from briefs.reading.bibliography import own_references
from briefs.reading.channels import ClosedChannel
from briefs.reading.citing import Citing
from briefs.reading.marking import Marking
from briefs.reading.sources import Source, sources
from briefs.reading.stripping import answer_alone
from providers.plain import visible

SHOWN = 12_000  # characters shown before the rest is folded; a usual answer has a third of that
_WORD = re.compile(r"[^\W_]")
# A comment, and an image without a description.
_WORDLESS = re.compile(r"<!--.{0,500}?-->|!\[[^\w\[\]]{0,20}\]\([^)\s]{0,500}\)", re.S)
_BLANK_LINE = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class ListedSource:
    """A source, and whether the text cites it."""

    source: Source
    is_cited: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer as the page shows it."""

    first_day: SafeString  # what to do within a day, without its heading; empty if it is not told
    html: SafeString  # without that
    rest: SafeString  # folded; empty for an answer of usual length
    rest_words: int
    cut_at: int | None  # after how many characters it was cut; None if all of it is shown
    length: int
    sources: list[ListedSource]
    is_without_sources: bool
    closed: list[ClosedChannel]
    names_closed: list[str]  # the keys of those that the text names: each such word is marked

    @property
    def closed_words(self) -> str:
        return channels.in_words(self.closed)

    @property
    def cited(self) -> list[Source]:
        return [listed.source for listed in self.sources if listed.is_cited]


def read(text: str, given: Any, closed: Sequence[ClosedChannel] = ()) -> Reading:
    """Never raises, for any text of Mave. given: the sources of the reply, as they came.

    The last ones are kept: thousands of briefs may share an answer, and to read one takes a tenth
    of the time of their page.
    """
    return _read(text, json.dumps(given), tuple(closed))


@lru_cache(maxsize=64)
def _read(text: str, given: str, closed: tuple[ClosedChannel, ...]) -> Reading:
    """given: as JSON."""
    kept = _cut(answer_alone(text))
    found = sources(json.loads(given))
    own = own_references(kept, found)
    # Without a list of sources, the text may explain its numbers itself, by addresses.
    citing = Citing.of(found, own, marks_missing=bool(found) or "://" not in kept)
    keys = {channel.key for channel in closed}
    marking = Marking(citing, keys, has_sources=bool(found) or "](https://" in kept)
    tokens = list(marking.blocks(markdown.parse(kept)))
    place = _fold(tokens, kept)
    shown, first_day = plan.taken_out(tokens[:place])
    html, rest = markdown.finish(shown), markdown.finish(tokens[place:])
    if not first_day and not _WORD.search(_WORDLESS.sub("", unescape(strip_tags(html + rest)))):
        html = _hidden(kept)
    return Reading(
        first_day=markdown.finish(first_day),
        html=html,
        rest=rest,
        rest_words=len(strip_tags(rest).split()),
        cut_at=len(kept) if len(kept) < len(text) else None,
        length=len(text),
        sources=[
            ListedSource(source, source.number in citing.cited) for source in own.numbered(found)
        ],
        is_without_sources=not found and not citing.has_link,
        closed=list(closed),
        names_closed=sorted(marking.named),
    )


def _hidden(text: str) -> SafeString:
    """What to show if Markdown shows no word: the plain text, if that has words."""
    shown = visible(text).strip()
    has_words = _WORD.search(_WORDLESS.sub("", unescape(shown)))
    return format_html("<p>{}</p>", shown if has_words else "This answer holds no words.")


def _cut(text: str) -> str:
    """The text, cut at the page's limit, or at the end of a paragraph if one is near."""
    if len(text) <= markdown.LONGEST:
        return text
    ends = [found.start() for found in _BLANK_LINE.finditer(text[: markdown.LONGEST])]
    is_near = bool(ends) and ends[-1] > markdown.LONGEST * 0.9
    return text[: ends[-1] if is_near else markdown.LONGEST]


def _fold(tokens: Sequence[Token], text: str) -> int:
    """The index of the first block that is folded: an outermost one, after SHOWN characters."""
    if len(text) <= SHOWN * 1.25:
        return len(tokens)
    line = text.count("\n", 0, SHOWN)
    starts = (
        place
        for place, token in enumerate(tokens)
        if token.level == 0 and token.nesting >= 0 and token.map and token.map[0] > line
    )
    return next(starts, len(tokens))
