"""Cells of a CSV file that a spreadsheet shows as they are: no text becomes a formula."""

from datetime import UTC, datetime

_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")  # the wide ones too


def text(words: str) -> str:
    """The words, with an apostrophe before them if a spreadsheet would take them for a formula."""
    is_formula = words.lstrip().startswith(_FORMULA) or words.startswith(("\t", "\r", "\n"))
    return f"'{words}" if is_formula else words


def moment(at: datetime | None) -> str:
    """In UTC, as spreadsheets read it."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}" if at else ""
