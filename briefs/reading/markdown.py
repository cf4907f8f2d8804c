"""Turns Markdown that anybody may have written into HTML that is safe on our page.

Two layers, each safe without the other: the parser knows no HTML and keeps only the words of every
link that is not plain https; nh3 then keeps only the tags and attributes listed here.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import takewhile

import nh3
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

from briefs.reading import tables
from briefs.reading.citing import Citing
from briefs.reading.sources import Source, same_address, sources
from providers.plain import host, names_other_host, safe_link, visible

__all__ = ["LONGEST", "Source", "finish", "inline", "parse", "render", "safe_link", "sources"]

LONGEST = 30_000  # characters; an answer of usual length has four thousand
MOST_BRACKETS = 3_000  # a text of this length has some hundred citations
LONGEST_HEADING = 160  # a paragraph above a line of dashes is a heading to Markdown, not to people
_CUT = "\n\n*(The text goes on; it was cut here.)*"

TAGS = {
    "a", "blockquote", "br", "code", "em", "h3", "h4", "h5", "hr", "li", "mark", "ol", "p", "pre",
    "span", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "table": {"tabindex"}}
CLASSES = {"a": {"external", "cite"}, "span": {"mark", "unsourced", "domain"}}
_REL = "noopener noreferrer nofollow"

_OUR_ANCHOR = re.compile(r"#source-\d{1,3}")
_NUMBER_ALONE = re.compile(r"\[?\^?(\d{1,3})\]?")
_LOWER = {"h1": "h3", "h2": "h3", "h3": "h4"}
_RANKS = ("h3", "h4", "h5")

# Raw HTML stays visible as text: "Dear <first name>" must keep its placeholder.
_PARSER = tables.enable(MarkdownIt("commonmark", {"html": False}))


@lru_cache(maxsize=256)  # all briefs of a persona show the sections of its playbook
def render(text: str, source_count: int = 0) -> SafeString:
    """Render Markdown. `[1]` becomes a link to `#source-1` if source_count is 1 or more.

    Headings move down so that they fit below a section of the page. Never raises.
    """
    if len(text) > LONGEST:
        text = text[:LONGEST] + _CUT
    tokens = parse(text, _LOWER)
    citing = Citing({number: number for number in range(1, source_count + 1)})
    for token in tokens:
        if token.children:
            token.children = inline(token.children, citing)
    return finish(tokens)


def parse(text: str, levels: Mapping[str, str] | None = None) -> list[Token]:
    """The text's blocks, with headings that fit below a section of the page.

    levels says which heading becomes which; without it the levels that the text uses become h3,
    h4 and h5 in their order, so that an outline that begins at any level has no gap.
    """
    text = visible(text)
    if text.count("[") > MOST_BRACKETS:  # each could begin a link, and the parser tries them all
        text = text.replace("[", "\\[")
    tokens = _PARSER.parse(text)
    if levels is None:
        used = sorted({token.tag for token in tokens if token.type == "heading_open"})
        levels = dict(zip(used, _RANKS, strict=False))
    return list(_with_lower_headings(tokens, levels))


def _with_lower_headings(tokens: Sequence[Token], levels: Mapping[str, str]) -> Iterable[Token]:
    """Lower each heading; one that is too long becomes a paragraph, an empty one is left out."""
    tag: str | None = None
    for place, token in enumerate(tokens):
        if token.type == "heading_open":  # its words follow, then its end
            words = tokens[place + 1].content.strip()
            fitting = levels.get(token.tag, _RANKS[-1])
            tag = "p" if len(words) > LONGEST_HEADING else fitting if words else None
        if token.type in ("heading_open", "heading_close"):
            if tag is None:
                continue
            token.tag = tag
        elif token.type == "table_open":  # a wide one scrolls, also without a mouse
            token.attrs = {"tabindex": "0"}
        yield token


def finish(tokens: Sequence[Token]) -> SafeString:
    """The blocks as HTML that is safe to show."""
    html = visible(_PARSER.renderer.render(tokens, _PARSER.options, {}))
    # Safe, because nh3 rebuilds the HTML from an allow-list: no script, style, image, form or
    # event handler, and no link but https and our own anchors survives it.
    return SafeString(
        nh3.clean(
            html,
            tags=TAGS,
            attributes=ATTRIBUTES,
            allowed_classes=CLASSES,
            attribute_filter=_keep_attribute,
            url_schemes={"https"},
            link_rel=_REL,
        )
    )


def _keep_attribute(tag: str, name: str, value: str) -> str | None:
    if name == "href" and not (_OUR_ANCHOR.fullmatch(value) or safe_link(value)):
        return None
    return value


def inline(tokens: Sequence[Token], citing: Citing) -> list[Token]:
    """Replace images by their alternative text, keep https links only, link citations."""
    kept: list[Token] = []
    ends: list[list[Token]] = []  # what closes each link around this token; empty if unwrapped
    for place, token in enumerate(tokens):
        if token.type == "image":  # only its alternative text is kept
            kept.append(citing.text(token.content))
        elif token.type == "link_open":
            opening, closing = _link(_tokens_of_link(tokens, place), citing)
            kept += opening
            ends.append(closing)
        elif token.type == "link_close":
            kept += ends.pop()
        elif token.type == "text" and not any(ends):
            kept += citing.split(token.content)
        else:
            kept.append(token)
    return kept


def _tokens_of_link(tokens: Sequence[Token], place: int) -> list[Token]:
    """The opening token of a link, and the tokens up to its end."""
    return list(takewhile(lambda token: token.type != "link_close", tokens[place:]))


def _link(tokens: Sequence[Token], citing: Citing) -> tuple[list[Token], list[Token]]:
    """How a link opens and closes on our page. tokens: its opening and what is within."""
    opening = tokens[0]
    href = safe_link(str(opening.attrGet("href") or ""))
    if not href:
        return [], []
    words = "".join(token.content or " " * (token.tag == "br") for token in tokens[1:])
    number = citing.by_address.get(same_address(href))
    closing = [Token("link_close", "a", -1)]
    if number:
        citing.cited.add(number)
    if is_number := len(tokens) == 2 and bool(_NUMBER_ALONE.fullmatch(words)):
        tokens[1].content = f"[{words.strip('[]^')}]"
    if number and is_number:
        return [citing.opening(number)], closing
    if names_other_host(words, href):
        closing += citing.remark("domain", f" ({host(href)})")
    return [citing.external(href, number)], closing
