"""Cells of a CSV file that a spreadsheet shows as they are: no text becomes a formula."""

import re
from datetime import UTC, datetime

# At the beginning, and behind each semicolon, tab or line end: if a spreadsheet reads the file with
# another separator than ours, as Excel does in many countries, a cell begins there. Our quotes do
# not help then: they count only where a cell begins, and some are read away. A list in a note,
# "- this", has apostrophes too, since a spreadsheet would take its lines for formulas.
# Signs that nobody sees are read away by some programs; others take wide and small signs as ours.
_UNSEEN = (
    r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff"
)
_FORMULA = re.compile(rf"(?<![^;\t\r\n])(?=(?:\"|[^\S\t\r\n]|[{_UNSEEN}])*[=+\-@＝＋－＠﹦﹢﹣﹫])")


def text(words: str) -> str:
    """The words, with an apostrophe wherever a spreadsheet would see the beginning of a formula."""
    safe = _FORMULA.sub("'", words)
    return f"'{safe}" if safe.startswith(("\t", "\r", "\n")) else safe


def moment(at: datetime | None) -> str:
    """In UTC, as spreadsheets read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else ""
