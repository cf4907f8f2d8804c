"""The sources of a reply: each address once, with all numbers that lead to it."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from providers.plain import host, line, safe_link

MOST_SOURCES = 200
_USUAL_PORTS = {"http": 80, "https": 443}


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
        return " ".join(f"[{number}]" for number in self.numbers) or "–"


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
