"""Cells of a CSV file that a spreadsheet shows as they are: no text becomes a formula."""

import re
from datetime import UTC, datetime

# At the beginning, and behind each semicolon, tab or line end: if a spreadsheet reads the file with
# another separator than ours, as Excel does in many countries, a cell begins there. Our quotes do
# not help then: they count only where a cell begins, and some are read away. A list in a note,
# "- this", has apostrophes too, since a spreadsheet would take its lines for formulas.
_FORMULA = re.compile(r"(?<![^;\t\r\n])(?=(?:\"|[^\S\t\r\n])*[=+\-@＝＋－＠])")  # wide ones too


def text(words: str) -> str:
    """The words, with an apostrophe wherever a spreadsheet would see the beginning of a formula."""
    safe = _FORMULA.sub("'", words)
    return f"'{safe}" if safe.startswith(("\t", "\r", "\n")) else safe


def moment(at: datetime | None) -> str:
    """In UTC, as spreadsheets read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else ""
