"""Reads an answer for one customer: what it says, what it rests on, what must not be done.

The text stays as Mave wrote it. What we know better stands beside it, as marks of ours: advice to
use a channel that this customer closed, a number that leads to no source, a claim without one.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import unescape
from itertools import groupby
from typing import Any

from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from markdown_it.token import Token

from briefs.reach import Closed
from briefs.reading import advice, claims, markdown
from briefs.reading.citing import Citing, Source, sources
from briefs.reading.plain import line, visible

SHOWN = 12_000  # characters before the rest is folded; three times an answer of usual length
_NO_SOURCE = "no source given"
_OPENING = 40  # characters by which a sentence is known again
_NUMBER = re.compile(r"\[\^?\d|【\d")
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
    closed_marks: list[Closed]  # one for each mark

    @property
    def advises_closed(self) -> list[str]:
        """The keys of the channels that were marked."""
        return sorted({channel.key for channel in self.closed_marks})

    @property
    def cited(self) -> list[Source]:
        return [listed.source for listed in self.sources if listed.is_cited]


def read(text: str, given: Any, closed: Iterable[Closed] = ()) -> Reading:
    """Never raises, whatever Mave wrote. given: the reply's sources, as they came."""
    found = sources(given)
    kept = _cut(text)
    # Without a list a number may still be explained in the text, by an address.
    citing = Citing.of(found, marks_missing=bool(found) or "://" not in kept)
    marking = _Marking(citing, list(closed), has_sources=bool(found) or "](https://" in kept)
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
        closed_marks=marking.closed_marks,
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


@dataclass(slots=True)
class _Marking:
    """Walks through the blocks and puts our marks beside what calls for one."""

    citing: Citing
    closed: list[Closed]
    has_sources: bool = False
    closed_marks: list[Closed] = field(default_factory=list)
    heading: str = ""
    lists: list["_Lead"] = field(default_factory=list)
    lead: "_Lead" = field(default_factory=lambda: _Lead())
    table: list["_Cell"] | None = None
    row: int = 0

    def blocks(self, tokens: list[Token]) -> Iterator[Token]:
        for place, token in enumerate(tokens):
            before = tokens[place - 1].type if place else ""
            if token.type == "inline" and token.content:  # a table may have many empty cells
                self._inline(token, before)
            elif token.type in ("bullet_list_open", "ordered_list_open"):
                self.lists.append(self.lead)
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self.lead = self.lists.pop()
            elif token.type == "table_open":
                self.table, self.row = [], 0
            elif token.type == "tr_open":
                self.row += 1
            yield token
            if token.type == "table_close":
                yield from self._after_table()

    def _inline(self, token: Token, before: str) -> None:
        words = _words(token.children or [])
        count, links = len(self.citing.cited), self.citing.has_link
        plain_number = bool(_NUMBER.search(words))
        has_foreign_link = _has_link(token)
        self.citing.has_link = False
        token.children = markdown.inline(token.children or [], self.citing)
        is_cited = plain_number or self.citing.has_link or len(self.citing.cited) > count
        self.citing.has_link = self.citing.has_link or links
        if before == "heading_open":
            self.heading, self.lead = words, _Lead()
        elif before in ("th_open", "td_open"):
            self._cell(token, words, is_cited)
        else:
            self._paragraph(token, words, is_cited)
            if plain_number and not has_foreign_link:
                self._bare_sentences(token, words)

    def _paragraph(self, token: Token, words: str, is_cited: bool) -> None:
        is_title = _is_title(token)
        is_forbidding = any(lead.forbids for lead in self.lists)
        if not is_title and not is_forbidding:
            self._mark_closed(token, words)
        is_covered = is_cited or any(lead.is_cited for lead in self.lists)
        if not is_title and not is_covered and self._is_bare(words):
            mark = self.citing.mark("unsourced", _NO_SOURCE)
            token.children = [*(token.children or []), self.citing.text(" "), *mark]
        is_lead = is_title or words.rstrip().endswith(":")
        self.lead = _Lead(is_lead and advice.forbids(words), is_lead and is_cited)
        if is_title:
            self.heading = words

    def _bare_sentences(self, token: Token, words: str) -> None:
        """Claims without a citation beside sentences that have theirs."""
        for sentence in claims.sentences(words):
            if not _NUMBER.search(sentence) and self._is_bare(sentence):
                which = line(sentence, _OPENING)
                mark = self.citing.mark("unsourced", f"{_NO_SOURCE} for “{which}”")
                token.children = [*(token.children or []), self.citing.text(" "), *mark]

    def _is_bare(self, words: str) -> bool:
        return self.has_sources and claims.needs_source(words, heading=self.heading)

    def _cell(self, token: Token, words: str, is_cited: bool) -> None:
        if self.table is not None:
            self.table.append(_Cell(words, is_cited or self.lead.is_cited, self.row))
        self._mark_closed(token, words)

    def _mark_closed(self, token: Token, words: str) -> None:
        if advice.forbids(self.heading):
            return
        for channel in advice.advised(words, self.closed, heading=self.heading):
            self.closed_marks.append(channel)
            mark = self.citing.mark("closed", channel.words)
            token.children = [*mark, self.citing.text(" "), *(token.children or [])]

    def _after_table(self) -> Iterator[Token]:
        """One mark below a table that gives figures and no source, one for each closed channel."""
        cells, self.table = self.table or [], None
        for channel in self._named(cells):
            self.closed_marks.append(channel)
            yield from self._remark("closed", channel.words)
        if not any(c.is_cited for c in cells) and any(self._is_bare(c.words) for c in cells):
            yield from self._remark("unsourced", _NO_SOURCE)

    def _remark(self, kind: str, words: str) -> Iterator[Token]:
        yield Token("paragraph_open", "p", 1)
        yield Token("inline", "", 0, children=self.citing.mark(kind, words))
        yield Token("paragraph_close", "p", -1)

    def _named(self, cells: list["_Cell"]) -> list[Closed]:
        """The closed channels that rows of a table name, unless something speaks against them."""
        titles = " ".join(cell.words for cell in cells if cell.row == 1)
        if any(map(advice.forbids, (self.heading, titles))) or self.lead.forbids:
            return []
        found: list[Closed] = []
        for row, group in groupby(cells, key=lambda cell: cell.row):
            words = [cell.words for cell in group] if row > 1 else []
            against = [advice.speaks_against(one) for one in words]
            count = sum(against)
            for one, is_against in zip(words, against, strict=True):
                if count == is_against:  # nothing beside it speaks against it
                    found += [c for c in advice.named(one, self.closed) if c not in found]
        return found


@dataclass(frozen=True, slots=True)
class _Cell:
    words: str
    is_cited: bool
    row: int  # from 1, which holds the headings


@dataclass(frozen=True, slots=True)
class _Lead:
    """The paragraph above a list: what it says holds for the items."""

    forbids: bool = False
    is_cited: bool = False


def _words(tokens: Sequence[Token]) -> str:
    return "".join(
        " " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens
    )


def _has_link(token: Token) -> bool:
    """Whether it leads anywhere but to the numbered sources."""
    links = [child for child in token.children or [] if child.type == "link_open"]
    return any(link.attrGet("class") != "cite" for link in links)


def _is_title(token: Token) -> bool:
    """A paragraph all in bold is a heading to whoever reads it."""
    children = token.children or []
    return (
        len(children) == 3
        and children[0].type == "strong_open"
        and children[-1].type == "strong_close"
        and len(children[1].content) < 80
        and not children[1].content.rstrip().endswith(".")
    )
