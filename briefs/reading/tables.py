"""Limits the size of the tables in an answer.

Markdown fills short rows up to the width of the first, so an answer of 30,000 characters may make
65,000 cells. Rows beyond the limit follow the table as text, as Mave wrote them.
"""

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table

MOST_CELLS = 2_000  # in all tables of an answer; a usual large table has a hundred
_CUT = "*(The table goes on; its other rows follow as text.)*"
_COUNT = "cells"  # the key in the parser's state for one text: the cells so far


def enable(parser: MarkdownIt) -> MarkdownIt:
    parser.enable("table")
    parser.block.ruler.at("table", _bounded, {"alt": ["paragraph", "reference"]})
    return parser


def _bounded(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a table up to the limit of cells; if not even one row fits, it stays text."""
    if start + 2 > end:
        return False
    dashes = state.src[state.bMarks[start + 1] : state.eMarks[start + 1]]
    columns = dashes.strip("> |\t").count("|") + 1
    rows = (MOST_CELLS - state.env.get(_COUNT, 0)) // columns
    last = min(end, start + 1 + rows)
    if rows < 2 or not table(state, start, last, silent):
        return False
    if not silent:
        state.env[_COUNT] = state.env.get(_COUNT, 0) + columns * (state.line - start - 1)
        if state.line == last < end and not state.isEmpty(last):
            _say_cut(state)
    return True


def _say_cut(state: StateBlock) -> None:
    opening = state.push("paragraph_open", "p", 1)
    opening.map = [state.line, state.line]
    words = state.push("inline", "", 0)
    words.content, words.children = _CUT, []
    state.push("paragraph_close", "p", -1)
