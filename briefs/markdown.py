"""Turns Markdown into HTML that may stand on our page, whoever wrote it.

Two layers that do not trust each other: the parser knows no HTML and unwraps every link that is
not plain https; nh3 then keeps only the tags and attributes listed here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

LONGEST = 40_000  # characters; an answer of usual length has four thousand
_CUT = "\n\n*(The text goes on; it was cut here.)*"

_TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "hr", "li", "ol", "p", "pre",
    "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_CLASSES = {"a": {"external", "cite"}}
_REL = "noopener noreferrer nofollow"

_CITATION = re.compile(r"\[(\d{1,3})\]")
_OUR_ANCHOR = re.compile(r"#source-\d{1,3}")

# Raw HTML stays visible as text: a letter's "Dear <first name>" must not lose its gap.
_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of the numbered list that `[1]` points to; href is empty if it is no https link."""

    number: int
    title: str
    href: str
    domain: str
    snippet: str


def sources(items: Any) -> list[Source]:
    """Read the sources of a reply, whatever shape they came in."""
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    return [_source(number, item) for number, item in enumerate(found[:100], start=1)]


def _source(number: int, item: dict[str, Any]) -> Source:
    title, url, domain, snippet = (
        str(item.get(key) or "").strip() for key in ("title", "url", "domain", "snippet")
    )
    href = safe_link(url)
    # The address decides what the domain is: the reply may call it anything.
    domain = host(href) if href else domain
    return Source(number, title or url or domain or "Untitled", href, domain, snippet[:300])


def safe_link(url: str) -> str:
    """The address if it is plain https to a named host, else an empty string."""
    try:
        parts = urlsplit(url.strip())
        is_plain = parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
    except ValueError:
        return ""
    return url.strip() if is_plain else ""


def host(url: str) -> str:
    return (urlsplit(url).hostname or "").removeprefix("www.")


def render(text: str, source_count: int = 0) -> SafeString:
    """Render Markdown. `[1]` becomes a link to `#source-1` where there are so many sources.

    Headings move down so that they fit below a section of the page. Never raises.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + _CUT
    tokens = _PARSER.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = _LOWER.get(token.tag, "h5")
        if token.children:
            token.children = _inline(token.children, source_count)
    html = _PARSER.renderer.render(tokens, _PARSER.options, {})
    # Safe, because nh3 rebuilds the HTML from an allow-list: no script, style, image, form or
    # event handler, and no link but https and our own anchors survives it.
    return SafeString(
        nh3.clean(
            html,
            tags=_TAGS,
            attributes=_ATTRIBUTES,
            allowed_classes=_CLASSES,
            attribute_filter=_keep_attribute,
            url_schemes={"https"},
            link_rel=_REL,
        )
    )


_LOWER = {"h1": "h3", "h2": "h3", "h3": "h4"}


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href" and not (_OUR_ANCHOR.fullmatch(value) or safe_link(value)):
        return None
    return value


def _inline(tokens: Sequence[Token], source_count: int) -> list[Token]:
    """Drop images to their alternative text, keep https links only, link citations."""
    kept: list[Token] = []
    open_links: list[bool] = []  # whether each link around this token was kept
    for token in tokens:
        if token.type == "image":  # what it showed, in words, is all that stays of it
            kept.append(_text(token.content))
            continue
        if token.type == "link_open":
            href = safe_link(str(token.attrGet("href") or ""))
            open_links.append(bool(href))
            if not href:
                continue
            token.attrs = {
                "href": href,
                "class": "external",
                "title": f"External link: {host(href)}",
            }
        elif token.type == "link_close":
            if not open_links.pop():
                continue
        elif token.type == "text" and not any(open_links):
            kept.extend(_citations(token, source_count))
            continue
        kept.append(token)
    return kept


def _citations(token: Token, source_count: int) -> list[Token]:
    """Split `as shown [2].` into text, a link to source 2, and text."""
    parts = _CITATION.split(token.content)
    split: list[Token] = []
    for text, number in zip(parts[::2], [*parts[1::2], None], strict=True):
        split.append(_text(text))
        if number is None:
            continue
        if 1 <= int(number) <= source_count:
            link = Token("link_open", "a", 1)
            link.attrs = {
                "href": f"#source-{int(number)}",
                "class": "cite",
                "title": f"Source {int(number)}",
            }
            split += [link, _text(f"[{number}]"), Token("link_close", "a", -1)]
        else:
            split.append(_text(f"[{number}]"))
    return split


def _text(content: str) -> Token:
    token = Token("text", "", 0)
    token.content = content
    return token
