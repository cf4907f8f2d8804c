"""What others wrote, as Markdown that shows it as it is: no heading, no list, no link, no HTML."""

import html
import re

from providers import plain

_SPECIAL = re.compile(r"([\\`*_\[\]#|~<>&$^])")
_LINK = re.compile(r":(?=//)|(?<=\bwww)\.", re.I)  # many programs make links of bare addresses
_BEGIN = re.compile(r"^([-+=]|\d+(?=[.)]))")  # of a list or of what underlines a heading
# In Mave's Markdown: images, and definitions, which may stand in lists and quotations too. A sign
# behind "!" or "]" has no backslash before it that would undo ours.
_UNSAFE = re.compile(r"(?<=!)\[|(?<=\]):")
# Links, and bare addresses that are not those of links. Behind a backslash they are inert already.
_TARGET = re.compile(r"(?<=\])\((#|https://[^\s)]*)?")
_BARE = re.compile(r"(?<!\]\(https)(?<!\\):(?=//)|(?<=\bwww)(?<!/www)\.", re.I)
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
# HTML and <addresses>. Behind a backslash of Mave's, one of ours would become text and the "<"
# HTML; an entity is safe behind anything. In code, which rarely holds a "<", it is read as "&lt;".
_TAG = re.compile(r"\\?<")


def line(text: object) -> str:
    """As one line that may stand anywhere in a paragraph or begin one."""
    escaped = _SPECIAL.sub(r"\\\1", plain.line(text, 5_000))
    return _BEGIN.sub(_not_at_the_beginning, _LINK.sub(r"\\\g<0>", escaped))


def quote(text: str) -> str:
    """As a quotation with its line ends."""
    lines = plain.visible(text).strip().split("\n")
    return "\n".join(f"> {line(one)}\\" if one.strip() else ">" for one in lines).removesuffix("\\")


def quoted_markdown(text: str) -> str:
    """Mave's own Markdown as a quotation: whatever it holds, it ends with the quotation.

    Of its links those that its page has too are left.
    """
    safe = _UNSAFE.sub(r"\\\g<0>", plain.visible(text).strip())
    safe = _BARE.sub(r"\\\g<0>", _TARGET.sub(_link_or_text, safe))
    return "\n".join(f"> {one}".rstrip() for one in _TAG.sub("&lt;", safe).split("\n"))


def _link_or_text(found: re.Match[str]) -> str:
    target = found[1] or ""
    is_link = target == "#" or plain.safe_link(html.unescape(_ESCAPED.sub(r"\1", target)))
    return found[0] if is_link else f"\\{found[0]}"


def _not_at_the_beginning(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"
