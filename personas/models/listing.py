"""The list of values that somebody typed into a condition.

Values are separated by commas. A value that holds a comma stands in quotation marks, and a
quotation mark inside is doubled; or each value has a line of its own. Lines that end in a comma
are one list that was wrapped.
"""

import re

_CLOSING = {'"': '"', "\u201c": "\u201d", "\u201e": "\u201c"}
_QUOTED = "|".join(
    f"{opening}(?P<q{number}>(?:[^{closing}]|{closing}{closing})*){closing}"
    for number, (opening, closing) in enumerate(_CLOSING.items())
)
_ITEM = re.compile(rf"\s*(?:(?:{_QUOTED})\s*(?=,|$)|(?P<bare>[^,]*))(?:,|$)")


class UnbalancedQuotes(ValueError):
    """A value begins with a quotation mark, but does not end with one. The message says so."""


def is_quoted(text: str) -> bool:
    """Whether the text begins with a quotation mark."""
    return text.strip()[:1] in _CLOSING


def read(text: str) -> list[str]:
    """The values without their quotation marks, and without empty ones.

    Raises UnbalancedQuotes.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 2 or any(line.endswith(",") for line in lines[:-1]):
        return _items(" ".join(lines))
    return [item for line in lines for item in (_items(line) if is_quoted(line) else [line])]


def written(values: list[str]) -> str:
    """The values in one line, as `read` reads them."""
    return ", ".join(
        '"' + value.replace('"', '""') + '"' if "," in value or is_quoted(value) else value
        for value in values
    )


def _items(text: str) -> list[str]:
    items = []
    for found in _ITEM.finditer(text):
        bare = found["bare"]
        if bare is None:
            items.append(_unquoted(found).strip())
        elif is_quoted(bare):
            raise UnbalancedQuotes(
                f"“{bare.strip()[:60]}” begins with a quotation mark and does not end with one. "
                'Write "such, a value", and a quotation mark inside it twice.'
            )
        else:
            items.append(bare.strip())
    return [item for item in items if item]


def _unquoted(found: "re.Match[str]") -> str:
    for number, closing in enumerate(_CLOSING.values()):
        if (inner := found[f"q{number}"]) is not None:
            return str(inner).replace(closing * 2, closing)
    raise AssertionError("one of the ways of quoting has matched")
