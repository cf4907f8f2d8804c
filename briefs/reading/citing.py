"""Sources of an answer, and the numbers in its text that lead to them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from markdown_it.token import Token

from providers.plain import host, line, safe_link

MOST_SOURCES = 200
_USUAL_PORTS = {"http": 80, "https": 443}

# [1], [1, 2], [1-3], [^1], 【1】 and 【1†title】. Not (1): that may count anything.
_CITATION = re.compile(
    r"(\[\^?\d{1,3}(?: ?[,;–-] ?\^?\d{1,3}){0,20}\]|【\d{1,3}(?:†[^】\n]{0,80})?】)"
)
_NUMBERS = re.compile(r"(\d{1,3})")


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the list that `[1]` points to; href is empty if the address is not https.

    numbers: all numbers under which Mave named this address; the first is the number shown.
    address: an http address, shown as text and not as a link.
    """

    number: int
    title: str
    href: str
    domain: str
    snippet: str
    address: str = ""
    numbers: tuple[int, ...] = ()

    @property
    def label(self) -> str:
        return " ".join(f"[{number}]" for number in self.numbers)


def sources(items: Any) -> list[Source]:
    """Read the sources of a reply, of any shape; each address is listed once."""
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    numbers: dict[str, list[int]] = {}
    for number, item in enumerate(found[:MOST_SOURCES], start=1):
        numbers.setdefault(_address(item) or f"#{number}", []).append(number)
    return [_source([found[number - 1] for number in same], same) for same in numbers.values()]


def _source(same: list[dict[str, Any]], numbers: list[int]) -> Source:
    """Make one source of all entries that name the same address, an https one if there is any."""
    item = next((item for item in same if _href(item)), same[0])
    title, url, domain = (line(item.get(key) or "", 300) for key in ("title", "url", "domain"))
    raw = str(item.get("url") or "").strip()
    href = _href(item)
    is_web = raw.lower().startswith("http://")
    # The domain is read from the address, because the reply may name any other.
    domain = _host(raw) if raw.lower().startswith(("http://", "https://")) else domain
    name = title or url or domain or "Untitled"
    snippet = line(item.get("snippet") or "", 300)
    address = url if is_web and title else ""
    return Source(numbers[0], name, href, domain, snippet, address, tuple(numbers))


def _href(item: dict[str, Any]) -> str:
    raw = str(item.get("url") or "").strip()
    return safe_link(raw) if len(raw) <= 2000 else ""


def _host(url: str) -> str:
    try:
        return host(url)
    except ValueError:
        return ""


def _address(item: dict[str, Any]) -> str:
    return same_address(str(item.get("url") or ""))


def same_address(url: str) -> str:
    """A key that is equal for two spellings of one web address; empty if it is no web address.

    A fragment is left out, because it names a place on the page. One that begins like a path stays,
    because it names the page.
    """
    try:
        parts = urlsplit(url.strip())
        name, port = host(url.strip()), parts.port
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not name:
        return ""
    place = f":{port}" if port not in (None, _USUAL_PORTS[parts.scheme]) else ""
    route = parts.fragment if parts.fragment.startswith(("/", "!")) else ""
    return f"{name}{place}{parts.path.rstrip('/')}?{parts.query}#{route}"


@dataclass(slots=True)
class Citing:
    """Links numbers to sources, and remembers which were cited.

    numbers: which entry of the list each number leads to. marks_missing: whether a number without a
    source gets a mark.
    """

    numbers: Mapping[int, int]
    by_address: Mapping[str, int] = field(default_factory=dict)
    marks_missing: bool = False
    cited: set[int] = field(default_factory=set)
    has_link: bool = False

    @classmethod
    def of(cls, listed: list[Source], *, marks_missing: bool) -> "Citing":
        return cls(
            numbers={number: source.number for source in listed for number in source.numbers},
            by_address={same_address(s.href): s.number for s in listed if s.href},
            marks_missing=marks_missing,
        )

    def split(self, text: str) -> Iterator[Token]:
        """Split `as shown [2].` into text, a link to source 2, and text."""
        for part in _CITATION.split(text):
            if _CITATION.fullmatch(part):
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
        if entry is None:
            yield self.text(words)
            if self.marks_missing:
                yield self.text(" ")
                yield from self.remark("mark unsourced", "no such source")
            return
        self.cited.add(entry)
        yield self.opening(entry)
        yield self.text(words)
        yield Token("link_close", "a", -1)

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
