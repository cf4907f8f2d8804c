"""Finds the part of an answer that says what to do within a day, for the brief's plan."""

import re
from collections.abc import Sequence

from markdown_it.token import Token

LONGEST = 2_500  # characters; a longer part is no plan for a day, and stays where it is
_DAY = r"(?:24|twenty[- ]four)[- ]?h(?:ou)?rs?|day|24h"
# “First 24 hours”, “Within the first day:”, “1. The next 24 hours: what to do”.
_TITLE = re.compile(
    rf"(?:\d+[.)]\s*)?(?:what to do |actions? |steps? |plan )?(?:(?:in|within|for|over|during) )?"
    rf"(?:the |your )?(?:first|next) (?:{_DAY})\b.{{0,60}}",
    re.I,
)


def taken_out(tokens: Sequence[Token]) -> tuple[list[Token], list[Token]]:
    """The answer without that part, and the part without its heading; nothing if there is none."""
    headings = [
        (place, token.tag)
        for place, token in enumerate(tokens)
        if token.type == "heading_open" and token.level == 0
    ]
    for place, tag in headings:
        if not _TITLE.fullmatch(tokens[place + 1].content.strip("*_ ")):
            continue
        # Up to the next heading of this rank or a higher one: h3 is above h4.
        ends = (later for later, other in headings if later > place and other <= tag)
        end = next(ends, len(tokens))
        part = list(tokens[place + 3 : end])
        if part and sum(len(token.content) for token in part if token.type == "inline") <= LONGEST:
            return [*tokens[:place], *tokens[end:]], part
    return list(tokens), []
