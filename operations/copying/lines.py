"""A row of SQLite as PostgreSQL's COPY writes it: so what was sent and what arrived are compared.

Each column has a function that turns SQLite's value into COPY's text. Of a few types PostgreSQL
writes the same value in another way than it was given (JSON, numbers with a fraction, addresses):
before they are compared, both sides are put into one form.
"""

import hashlib
import ipaddress
import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from django.db import models

_ESCAPED = str.maketrans(
    {"\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
)
_UNESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\"}
_SPECIAL = re.compile(r"[\\\b\f\n\r\t\v\0]")  # most texts have none: to look is quicker
NOTHING = "\\N"


class NotCopied(Exception):
    """A value has no form in PostgreSQL; the words say which kind, not the value."""


class Lines:
    """Makes lines of rows with these columns, and digests lines of either side."""

    def __init__(self, columns: Sequence["models.Field[Any, Any]"], target: Any) -> None:
        kinds = [column.db_type(target) or "" for column in columns]
        self._writers = [_writer(kind) for kind in kinds]
        alike = [_in_one_form(kind) for kind in kinds]
        self._alike = [(place, function) for place, function in enumerate(alike) if function]

    def line(self, row: Sequence[Any]) -> str:
        """Raises NotCopied."""
        return "\t".join(
            [
                NOTHING if value is None else write(value)
                for write, value in zip(self._writers, row, strict=True)
            ]
        )

    def digest(self, line: str) -> int:
        """The same for the same values. Of many lines the sum is the digest, in any order."""
        if self._alike:
            fields = line.split("\t")
            for place, in_one_form in self._alike:
                if fields[place] != NOTHING:
                    fields[place] = in_one_form(fields[place])
            line = "\t".join(fields)
        return int.from_bytes(hashlib.blake2b(line.encode(), digest_size=16).digest())


def _writer(kind: str) -> Callable[[Any], str]:
    name = kind.partition("(")[0]
    if name == "numeric":
        places = int(kind.rstrip(")").partition(",")[2])
        return partial(_number, Decimal(1).scaleb(-places))
    try:
        return _WRITERS[name]
    except KeyError:
        raise NotCopied(f"Nobody has said how a column of type {kind} is copied.") from None


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else str(value)
    if not _SPECIAL.search(text):
        return text
    if "\0" in text:
        raise NotCopied("a text with a NUL, which PostgreSQL does not take")
    return text.translate(_ESCAPED)


def _truth(value: Any) -> str:
    return "t" if value else "f"


def _number(exponent: Decimal, value: Any) -> str:
    return f"{Decimal(str(value)).quantize(exponent):f}"


def _moment(value: Any) -> str:
    """SQLite's is in UTC, without saying so."""
    return f"{_time(value)}+00"


def _time(value: Any) -> str:
    return str(value).rstrip("0").rstrip(".") if "." in value else str(value)


def _uuid(value: Any) -> str:
    return f"{value[:8]}-{value[8:12]}-{value[12:16]}-{value[16:20]}-{value[20:]}"


def _bytes(value: Any) -> str:
    return "\\\\x" + bytes(value).hex()


_WRITERS: dict[str, Callable[[Any], str]] = {
    "bigint": str,
    "integer": str,
    "smallint": str,
    "double precision": repr,
    "boolean": _truth,
    "varchar": _text,
    "text": _text,
    "jsonb": _text,
    "inet": _text,
    "date": str,
    "time": _time,
    "timestamp with time zone": _moment,
    "uuid": _uuid,
    "bytea": _bytes,
}


# One form for both sides -----------------------------------------------------------------------


def _in_one_form(kind: str) -> Callable[[str], str] | None:
    functions: dict[str, Callable[[str], str]] = {
        "jsonb": _document,
        "double precision": _float,
        "inet": _address,
    }
    return functions.get(kind)


def _decimal(text: str) -> str:
    """1e22, 10000000000000000000000 and 1.00 are written in one way. No text begins like that."""
    return f"\1{Decimal(text).normalize()}"


_decode = json.JSONDecoder(parse_float=_decimal, parse_int=_decimal).decode
_encode = json.JSONEncoder(sort_keys=True).encode


@lru_cache(maxsize=2_000)  # headers and empty documents are the same again and again
def _document(text: str) -> str:
    return _encode(_decode(_unescaped(text)))


def _unescaped(text: str) -> str:
    if "\\" not in text:
        return text
    return re.sub(r"\\(.)", lambda found: _UNESCAPED[found[1]], text)


def _float(text: str) -> str:
    return repr(float(text))


def _address(text: str) -> str:
    return str(ipaddress.ip_address(text))
