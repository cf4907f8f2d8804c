"""Finds the events of a person by what names them, through indexes."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import In, IsNull

from providers.addresses import folded

# Characters in an index. PostgreSQL refuses a row with an entry of more than 2,704 bytes, and an
# identifier may be longer than that: the receiver could not store the event.
INDEXED = 200


class Identifier(Func):
    """One kind of identifier of an event; an address in small letters. NULL without one.

    start: only its first characters. The kind is written into the statement: with a parameter in
    its place no index would be used.
    """

    output_field = models.TextField()

    def __init__(
        self, *given: Any, kind: str = "id", start: int | None = None, **extra: Any
    ) -> None:
        self.kind, self.start = kind, start
        super().__init__(*(given or (F("identifiers"),)), **extra)

    def _template(self, value: str) -> str:
        if self.start:
            value = f"SUBSTR({value}, 1, {self.start})"
        return f"LOWER({value})" if self.kind == "email" else f"({value})"

    def as_postgresql(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = self._template(f"%(expressions)s ->> '{self.kind}'")
        return super().as_sql(compiler, connection, template=template, **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        template = self._template(f"JSON_EXTRACT(%(expressions)s, '$.{self.kind}')")
        return super().as_sql(compiler, connection, template=template, **extra)


KINDS = ("cio_id", "id", "email", "phone")


def index(kind: str) -> models.Index:
    """Of the events that have one of this kind: with the others in it SQLite would not use it."""
    start = Identifier(kind=kind, start=INDEXED)
    return models.Index(start, name=f"event_{kind}", condition=Q(IsNull(start, False)))


indexes = [index(kind) for kind in KINDS]


def by_any(identifiers: Mapping[str, Iterable[str]]) -> list[Q]:
    """A condition for each kind: events with one of these identifiers, in any spelling.

    Each is served by its index; joined by "or" they would be served by none.
    """
    wanted = {kind: spellings(kind, identifiers.get(kind, ())) for kind in KINDS}
    return [_one_of(kind, sorted(values)) for kind, values in wanted.items() if values]


def _one_of(kind: str, values: list[str]) -> Q:
    starts = sorted({value[:INDEXED] for value in values})
    return Q(In(Identifier(kind=kind, start=INDEXED), starts)) & Q(
        In(Identifier(kind=kind), values)
    )


def spellings(kind: str, values: Iterable[str]) -> set[str]:
    """The forms in which events may hold these identifiers."""
    found: set[str] = set()
    for value in values:
        if kind == "cio_id":
            found |= {value, f"cio_{value}"}
        elif kind == "phone":
            digits = value.removeprefix("+").removeprefix("00")
            found |= {value, digits, f"+{digits}", f"00{digits}"}
        elif kind == "email":
            for form in (unicodedata.normalize(name, value) for name in ("NFC", "NFD")):
                # SQLite makes only the letters of ASCII small.
                found |= {folded(form), _small_ascii(form), _small_ascii(form.upper())}
        else:
            found |= {unicodedata.normalize("NFC", value), unicodedata.normalize("NFD", value)}
            found.add(value)
    return found - {""}


def _small_ascii(text: str) -> str:
    return "".join(sign.lower() if sign.isascii() else sign for sign in text)
