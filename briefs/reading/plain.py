"""Text that others wrote, without what the eye cannot see; and addresses that may be followed."""

import re
from typing import Any
from urllib.parse import urlsplit

# Controls, soft hyphens, zero-width and bidirectional marks, tags and private use: they reorder or
# hide what is read, and no answer needs them. Line breaks and tabs stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\ue000-\uf8ff\U000e0000-\U000e0fff\ud800-\udfff]"
)
_PILED = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]{3})[\u0300-\u036f\u0483-\u0489\u20d0-\u20ff]+"
)


def visible(text: str) -> str:
    """The text without characters that only deceive the eye."""
    return _PILED.sub(r"\1", _UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


_CODE = r"Mavera answered (\d{3})(?: \([\w.-]{1,60}\))?"
_CODE_BESIDE = re.compile(rf" \({_CODE}\)|(?<=asked to wait): {_CODE}")
_CODE_ALONE = re.compile(_CODE)
_NO_TIME = re.compile(r"\bfor 0\s+minutes\b")


def without_codes(text: str) -> str:
    """Our words on a failure for who reads a brief; the ledger and the admin keep the codes."""
    text = _CODE_ALONE.sub(_in_words, _CODE_BESIDE.sub("", text))
    return _NO_TIME.sub("since a moment ago", text)


def _in_words(found: re.Match[str]) -> str:
    if found[1] == "429":
        return "Mavera asked to wait"
    return "Mavera failed" if found[1].startswith("5") else "Mavera refused the request"


def line(value: Any, longest: int) -> str:
    """Anything as one line of visible text, cut with an ellipsis."""
    text = " ".join(visible(str(value)[: longest * 8]).split())
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def safe_link(url: str) -> str:
    """The address if it is plain https to a named host, else an empty string."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and bool(host(url)) and "@" not in parts.netloc
        _ = parts.port  # raises if it is no number
    except ValueError:
        return ""
    return url if is_plain else ""


def host(url: str) -> str:
    """Whom an address leads to, as the browser would ask for it: `xn--…` for foreign letters."""
    name = (urlsplit(url).hostname or "").removeprefix("www.")
    if name.isascii():
        return name
    try:
        return name.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
