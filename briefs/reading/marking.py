"""Walks through the blocks of an answer and adds our marks."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from markdown_it.token import Token

from briefs.reading import advice, claims, markdown
from briefs.reading.citations import CITATION, plain_citations
from briefs.reading.citing import Citing
from providers.plain import line

_NO_SOURCE = "no source given"
_OPENING = 40  # characters: the beginning by which a remark names its sentence
_BOLD_RANK = 7  # the rank of a paragraph all in bold, below every heading of Markdown
_LISTS = ("bullet_list", "ordered_list")


@dataclass(frozen=True, slots=True)
class _Lead:
    """The paragraph above a list or table: a ban or a citation in it applies to all items."""

    forbids: bool = False
    is_cited: bool = False


@dataclass(frozen=True, slots=True)
class _Cell:
    words: str
    is_cited: bool
    row: int


@dataclass(slots=True)
class _Table:
    cells: list[_Cell] = field(default_factory=list)
    row: int = 0

    def figures(self, heading: str) -> Iterator[_Cell]:
        """The first claim without a source of each row that cites nothing.

        Cells that hold a figure alone belong to a series: one citation in the table covers them.
        """
        has_citation = any(cell.is_cited for cell in self.cells)
        for _, row in groupby(self.cells, key=lambda cell: cell.row):
            cells = list(row)
            bare = (
                cell
                for cell in cells
                if claims.needs_source(cell.words, heading=heading)
                and not (has_citation and claims.is_figure_alone(cell.words))
            )
            if not any(cell.is_cited for cell in cells) and (first := next(bare, None)):
                yield first


@dataclass(slots=True)
class Marking:
    citing: Citing
    closed: Collection[str]  # the keys of the channels
    has_sources: bool = False
    named: set[str] = field(default_factory=set)  # the closed channels that the text names
    headings: list[tuple[int, str]] = field(default_factory=list)  # with their rank
    lists: list[_Lead] = field(default_factory=list)
    lead: _Lead = field(default_factory=_Lead)
    table: _Table | None = None

    def blocks(self, tokens: list[Token]) -> Iterator[Token]:
        for place, token in enumerate(tokens):
            if token.type == "inline":
                if token.content:  # a table may have many empty cells
                    self._inline(token, tokens[place - 1])
            elif token.type in ("fence", "code_block"):
                yield from self._code(token)
                continue
            else:
                self._enter_or_leave(token)
            yield token
            if token.type == "table_close":
                yield from self._after_table()

    def _enter_or_leave(self, token: Token) -> None:
        kind = token.type.removesuffix("_open").removesuffix("_close")
        if kind in _LISTS and token.nesting == 1:
            self.lists.append(self.lead)
        elif kind in _LISTS:
            self.lead = self.lists.pop()
            self._end_sections(_BOLD_RANK + len(self.lists) + 1)
        elif token.type == "list_item_open":
            self._end_sections(_BOLD_RANK + len(self.lists))
        elif token.type == "table_open":
            self.table = _Table()
        elif token.type == "tr_open" and self.table:
            self.table.row += 1

    def _end_sections(self, rank: int) -> None:
        """Forget the headings of this rank and of the ranks below it: their sections are over."""
        while self.headings and self.headings[-1][0] >= rank:
            self.headings.pop()

    def _begin_section(self, rank: int, words: str) -> None:
        self._end_sections(rank)
        self.headings.append((rank, words))

    @property
    def _heading(self) -> str:
        return " / ".join(words for _, words in self.headings)

    @property
    def _is_forbidden(self) -> bool:
        """Whether a heading above, or the lead of a list around, forbids what is written here."""
        below = any(advice.forbids(words) for _, words in self.headings)
        return below or any(lead.forbids for lead in self.lists)

    def _inline(self, token: Token, opening: Token) -> None:
        words = plain_citations(_words(token.children or []))
        plain_number = bool(CITATION.search(words))
        has_foreign_link = _has_link(token)
        is_cited = self._cite(token) or plain_number
        if opening.type == "heading_open" and opening.tag != "p":
            self._mark_heading(token, words, is_cited, int(opening.tag[1:]))
        elif opening.type in ("th_open", "td_open"):
            self._mark_cell(token, words, is_cited)
        elif _is_title(token):
            self._mark_heading(token, words, is_cited, _BOLD_RANK + len(self.lists))
        else:
            self._mark_paragraph(token, words, is_cited)
            if plain_number and not has_foreign_link:
                self._mark_unsourced_sentences(token, words)

    def _cite(self, token: Token) -> bool:
        """Replace citations by links; True if there were any citations or links."""
        count, links = len(self.citing.cited), self.citing.has_link
        self.citing.has_link = False
        token.children = markdown.inline(token.children or [], self.citing)
        is_cited = self.citing.has_link or len(self.citing.cited) > count
        self.citing.has_link = self.citing.has_link or links
        return is_cited

    def _mark_heading(self, token: Token, words: str, is_cited: bool, rank: int) -> None:
        """A heading too may name a closed channel or state a claim."""
        self._end_sections(rank)
        forbids = advice.forbids(words)
        if not forbids:
            self._mark_closed(token)
        if not is_cited and self._lacks_source(claims.without_years(words)):
            self._append(token, _NO_SOURCE)
        self._begin_section(rank, words)
        self.lead = _Lead(forbids, is_cited)

    def _mark_paragraph(self, token: Token, words: str, is_cited: bool) -> None:
        is_lead = words.rstrip().endswith(":")
        forbids = is_lead and advice.forbids(words)
        if not forbids:
            self._mark_closed(token)
        is_covered = is_cited or any(lead.is_cited for lead in self.lists)
        if not is_covered and self._lacks_source(words):
            self._append(token, _NO_SOURCE)
        self.lead = _Lead(forbids, is_lead and is_cited)

    def _mark_unsourced_sentences(self, token: Token, words: str) -> None:
        """Mark the claims without a citation in a paragraph whose other sentences have one."""
        for sentence in claims.sentences(words):
            if not CITATION.search(sentence) and self._lacks_source(sentence):
                which = line(sentence, _OPENING)
                self._append(token, f"{_NO_SOURCE} for “{which}”")

    def _lacks_source(self, words: str) -> bool:
        return self.has_sources and claims.needs_source(words, heading=self._heading)

    def _mark_cell(self, token: Token, words: str, is_cited: bool) -> None:
        table = self.table or _Table()
        table.cells.append(_Cell(words, is_cited or self.lead.is_cited, table.row))
        if not self.lead.forbids:
            self._mark_closed(token)

    def _mark_closed(self, token: Token) -> None:
        """Mark each word that names a closed channel, unless a heading forbids this text."""
        if not self._is_forbidden:
            children = token.children or []
            token.children = [part for child in children for part in self._marked(child)]

    def _marked(self, token: Token) -> Iterator[Token]:
        """The token with its words marked. The style sheet adds “closed” for screen readers."""
        is_text = token.type in ("text", "code_inline")
        found = advice.named(token.content, self.closed) if is_text else []
        if not found:
            yield token
            return
        if token.type == "code_inline":
            yield Token("code_open", "code", 1)
        place = 0
        for word in found:
            self.named.add(str(word.lastgroup))
            yield self.citing.text(token.content[place : word.start()])
            yield Token("mark_open", "mark", 1)
            yield self.citing.text(word[0])
            yield Token("mark_close", "mark", -1)
            place = word.end()
        yield self.citing.text(token.content[place:])
        if token.type == "code_inline":
            yield Token("code_close", "code", -1)

    def _append(self, token: Token, words: str) -> None:
        remark = self.citing.remark("mark unsourced", words)
        token.children = [*(token.children or []), self.citing.text(" "), *remark]

    def _code(self, token: Token) -> Iterator[Token]:
        """Show a block of code as it is; a remark that it lacks a source comes below."""
        words = token.content
        code = Token("code_inline", "code", 0, content=words)
        inline = Token("inline", "", 0, children=[code])
        if not self.lead.forbids:
            self._mark_closed(inline)
        yield Token("pre_open", "pre", 1, map=token.map, level=token.level)
        yield inline
        yield Token("pre_close", "pre", -1, block=True)
        if not CITATION.search(words) and self._lacks_source(words):
            yield from self._remark(_NO_SOURCE)

    def _after_table(self) -> Iterator[Token]:
        """Add a remark below a table if claims in it have no source."""
        table, self.table = self.table or _Table(), None
        figures = list(table.figures(self._heading)) if self.has_sources else []
        if figures and not any(cell.is_cited for cell in table.cells):
            yield from self._remark(_NO_SOURCE)
        elif figures:
            more = f" and {len(figures) - 1} more" if len(figures) > 1 else ""
            which = f"“{line(figures[0].words, _OPENING)}”{more}"
            yield from self._remark(f"{_NO_SOURCE} for {which}")

    def _remark(self, words: str) -> Iterator[Token]:
        yield Token("paragraph_open", "p", 1)
        yield Token("inline", "", 0, children=self.citing.remark("mark unsourced", words))
        yield Token("paragraph_close", "p", -1)


def _words(tokens: Sequence[Token]) -> str:
    return "".join(
        " " if token.type in ("softbreak", "hardbreak") else token.content for token in tokens
    )


def _has_link(token: Token) -> bool:
    """Whether there is a link that does not lead to a numbered source."""
    links = [child for child in token.children or [] if child.type == "link_open"]
    return any(link.attrGet("class") != "cite" for link in links)


def _is_title(token: Token) -> bool:
    """Whether this is a short paragraph all in bold, which readers take for a heading."""
    children = token.children or []
    return (
        len(children) == 3
        and children[0].type == "strong_open"
        and children[-1].type == "strong_close"
        and len(children[1].content) < 80
        and not children[1].content.rstrip().endswith(".")
    )
