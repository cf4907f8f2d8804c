"""Makes text from others safe to show: removes invisible characters, checks links."""

import re
import unicodedata
from typing import Any
from urllib.parse import urlsplit

import idna

# Controls, soft hyphens, zero-width and bidirectional marks, tags and private use: they reorder or
# hide text, and no answer needs them. Line breaks and tabs are kept.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ue000-\uf8ff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_PILED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{3})[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+"
)
_NO_ADDRESS = re.compile(r"[\\\s]")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9._-]*[a-z0-9])?\.?")
_DOTS = str.maketrans(dict.fromkeys("。․‧·", "."))
_ADDRESS_LIKE = re.compile(r"https?:|\bwww\b", re.I)
# A name of a host and the rest of the address behind it, in which further dots are no hosts.
_NAMED_HOST = re.compile(
    r"\b((?:[\w-]{1,63}\.){1,10}[^\W\d_][\w-]{1,62})(?::\d{1,5})?(?:[/?#][^\s]*)?"
)


def visible(text: str) -> str:
    """The text without invisible and misleading characters."""
    return _PILED.sub(r"\1", _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def line(value: Any, longest: int) -> str:
    """Anything as one line of visible text, cut with an ellipsis."""
    text = " ".join(visible(str(value)[: longest * 8]).split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def names(values: Any, most: int = 20) -> str:
    """The first names of a list, separated by commas, and how many more there are."""
    given = values if isinstance(values, list) else []
    shown = ", ".join(line(value, 100) for value in given[:most])
    more = len(given) - most
    return f"{shown} and {more:,} more" if more > 0 else shown


def safe_link(url: str) -> str:
    """The address if it is plain https to a named host, else an empty string."""
    url = url.strip()
    if visible(url) != url:
        return ""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and bool(host(url)) and "@" not in parts.netloc
        _ = parts.port  # raises if it is no number
    except ValueError:
        return ""
    return url if is_plain else ""


def host(url: str) -> str:
    """The host of an address as a browser would look it up: `xn--…` for letters outside ASCII.

    Empty if that is not a valid host name; may raise ValueError.
    """
    if _NO_ADDRESS.search(url):  # browsers end the name at a backslash and drop line breaks
        return ""
    name = (urlsplit(url).hostname or "").removeprefix("www.")
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError:
            return ""
    return name if _HOST.fullmatch(name) else ""


def names_other_host(words: str, url: str) -> bool:
    """Whether the words of a link name another address than the one that the link opens."""
    words = unicodedata.normalize("NFKC", visible(words)).translate(_DOTS)
    named = [found[1] for found in _NAMED_HOST.finditer(words)]
    if not named:
        return bool(_ADDRESS_LIKE.search(words))
    real = f".{host(url)}"
    return not all(real.endswith(f".{_named(name)}") for name in named)


def _named(name: str) -> str:
    try:
        return host(f"https://{name}") or name
    except ValueError:
        return name
