"""Numbers in the text of an answer that lead to its sources."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from markdown_it.token import Token

from briefs.reading.bibliography import Bibliography
from briefs.reading.citations import CITATION, plain_citations
from briefs.reading.sources import Source, same_address
from providers.plain import host

_NUMBERS = re.compile(r"(\d{1,3})")


@dataclass(slots=True)
class Citing:
    """Links numbers to sources, and remembers which were cited.

    numbers: which entry of the list each number leads to. links: addresses that are no entry, by
    the number under which the answer lists them. explained: numbers that need no mark, because the
    answer says itself what they are. marks_missing: whether any other number without a source gets
    a mark.
    """

    numbers: Mapping[int, int]
    links: Mapping[int, str] = field(default_factory=dict)
    explained: Collection[int] = ()
    by_address: Mapping[str, int] = field(default_factory=dict)
    marks_missing: bool = False
    cited: set[int] = field(default_factory=set)
    has_link: bool = False

    @classmethod
    def of(cls, listed: list[Source], own: Bibliography, *, marks_missing: bool) -> "Citing":
        given = {number: source.number for source in listed for number in source.numbers}
        return cls(
            numbers=own.entries if own else given,
            links=own.links,
            explained=own.named,
            by_address={same_address(s.href): s.number for s in listed if s.href},
            marks_missing=marks_missing,
        )

    def split(self, text: str) -> Iterator[Token]:
        """Split `as shown [2].` into text, a link to source 2, and text."""
        for part in CITATION.split(plain_citations(text)):
            if CITATION.fullmatch(part):
                yield from self._citation(part)
            elif part:
                yield self.text(part)

    def _citation(self, words: str) -> Iterator[Token]:
        found = [int(number) for number in _NUMBERS.findall(words.partition("†")[0])]
        if len(found) == 1:
            yield from self._number(found[0], f"[{found[0]}]")
        else:
            if re.search(r"\d ?[–-] ?\^?\d", words):
                self._cite_between(found)
            for part in _NUMBERS.split(words.replace("^", "")):
                yield from self._number(int(part), part) if part.isdecimal() else [self.text(part)]

    def _cite_between(self, found: list[int]) -> None:
        between = range(min(found), max(found) + 1)
        self.cited |= {self.numbers[number] for number in between if number in self.numbers}

    def _number(self, number: int, words: str) -> Iterator[Token]:
        entry = self.numbers.get(number)
        if entry is None and (href := self.links.get(number)):
            yield self.external(href)
            yield self.text(words)
            yield Token("link_close", "a", -1)
            return
        if entry is None:
            yield self.text(words)
            if self.marks_missing and number not in self.explained:
                yield self.text(" ")
                yield from self.remark("mark unsourced", "no such source")
            return
        self.cited.add(entry)
        yield self.opening(entry)
        yield self.text(words)
        yield Token("link_close", "a", -1)

    def external(self, href: str, number: int | None = None) -> Token:
        link = Token("link_open", "a", 1)
        link.attrs = {"href": href, "class": "external", "title": self.title(href, number)}
        self.has_link = True
        return link

    def opening(self, entry: int) -> Token:
        link = Token("link_open", "a", 1)
        link.attrs = {"href": f"#source-{entry}", "class": "cite", "title": f"Source {entry}"}
        return link

    def title(self, href: str, number: int | None) -> str:
        where = f"External link: {host(href)}"
        if number:
            return f"{where}, source {number}"
        return f"{where}, not among the sources" if self.marks_missing else where

    @staticmethod
    def remark(classes: str, words: str) -> list[Token]:
        """Words that we add to Mave's text."""
        opening, closing = Token("remark_open", "span", 1), Token("remark_close", "span", -1)
        opening.attrs = {"class": classes}
        return [opening, Citing.text(words), closing]

    @staticmethod
    def text(content: str) -> Token:
        token = Token("text", "", 0)
        token.content = content
        return token
