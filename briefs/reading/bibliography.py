"""The list of references that an answer writes itself: it decides where its numbers lead.

Mave numbers the sources of its reply by itself; an answer may number them in another order.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from briefs.reading.sources import Source, same_address
from providers.plain import safe_link

_TITLE = (
    r"(?:references?(?: used| list)?|(?:list of )?(?:sources?|references)(?: cited| list| used)?"
    r"|(?:sources and references|references and sources)|bibliography|citations?"
    r"|works cited|literature|footnotes|endnotes|quellen|références|referencias|fontes|fuentes"
    r"|참고 ?문헌|出典|参考文献)"
)
_HEADING = re.compile(
    rf"^\s{{0,3}}(?:#{{1,6}}\s*)?(?:[^\w\s#*|>\[(-]{{1,3}}\s+)?(?:\*\*|__)?(?:\d+\.\s*)?{_TITLE}\s*:?\s*(?:\*\*|__)?\s*:?\s*#*\s*$",
    re.I,
)
_OTHER_HEADING = re.compile(r"^\s{0,3}(?:#{1,6}\s+\S|\*\*[^*]+\*\*\s*:?\s*$)")
_ENTRY = re.compile(
    r"^\s*(?:>\s?)?(?:[-*+]\s+)?(?:\*\*)?"
    r"(?:\\?\[\^?(\d{1,3})\\?\][.:]?|(\d{1,3})[.)])(?:\*\*)?:?\s+(\S.*)$"
)
# | 1 | Title | https://... |
_ROW = re.compile(r"^\s*\|\s*\[?(\d{1,3})[\].]*\s*\|(.*)$")
_UNDERLINE = re.compile(r"^\s{0,3}(?:={3,}|-{3,})\s*$")
# [1]: https://... and [^1]: ..., anywhere in a text.
_DEFINITION = re.compile(r"^\s{0,3}\[\^?(\d{1,3})\]:\s+(\S.*)$")
_URL = re.compile(r"https?://[^\s<>\"'`|]+")


@dataclass(frozen=True, slots=True)
class Bibliography:
    """Where the answer's own numbers lead.

    entries: number -> number of the reply's source. links: number -> https address that is not
    among the sources. named: all numbers that the list explains.
    """

    entries: dict[int, int] = field(default_factory=dict)
    links: dict[int, str] = field(default_factory=dict)
    named: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.named)

    def numbered(self, listed: Sequence[Source]) -> list[Source]:
        """The sources with the answer's own numbers, if it has a list."""
        if not self:
            return list(listed)
        own: dict[int, list[int]] = defaultdict(list)
        for number, entry in sorted(self.entries.items()):
            own[entry].append(number)
        return [replace(source, numbers=tuple(own[source.number])) for source in listed]


def own_references(text: str, listed: Sequence[Source]) -> Bibliography:
    """Read the answer's own list; empty where it has none, or none with numbers."""
    by_address = {same_address(source.href or source.address): source.number for source in listed}
    by_address.pop("", None)
    entries: dict[int, int] = {}
    links: dict[int, str] = {}
    named: set[int] = set()
    for number, words in _written(text):
        if number in named:
            continue
        named.add(number)
        address = _address(words)
        if found := by_address.get(same_address(address)) or _by_title(words, listed):
            entries[number] = found
        elif href := safe_link(address):
            links[number] = href
    return Bibliography(entries, links, frozenset(named))


def _written(text: str) -> Iterator[tuple[int, str]]:
    """Each number of the list with the words that explain it."""
    is_within = False
    lines = text.splitlines()
    for at, one in enumerate(lines):
        below = lines[at + 1] if at + 1 < len(lines) else ""
        if _HEADING.match(one):
            is_within = True
        elif is_within and (
            _OTHER_HEADING.match(one) or (one[:1].isalpha() and _UNDERLINE.match(below))
        ):
            is_within = False
        elif found := _DEFINITION.match(one):
            yield int(found[1]), found[2]
        elif is_within and (found := _ENTRY.match(one)):
            is_alone = not _URL.search(found[3]) and _URL.search(below) and below[:1].isspace()
            yield int(found[1] or found[2]), f"{found[3]} {below}" if is_alone else found[3]
        elif is_within and (found := _ROW.match(one)):
            yield int(found[1]), found[2]


def _address(words: str) -> str:
    found = _URL.search(words)
    if not found:
        return ""
    address = found[0].rstrip(".,;:!?*_]>")
    while address.endswith(")") and address.count(")") > address.count("("):
        address = address[:-1].rstrip(".,;:")
    return address


def _by_title(words: str, listed: Sequence[Source]) -> int | None:
    """The one source whose title the entry quotes; None if there are several, or it is short."""
    wanted = _plain(words)
    titles = {source.number: _plain(source.title) for source in listed}
    found = [n for n, title in titles.items() if len(title) >= 8 and title in wanted]
    return found[0] if len(found) == 1 else None


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()
