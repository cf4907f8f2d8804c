"""Upper and lower case, as PostgreSQL knows them: SQLite's own LOWER changes ASCII alone.

The function is for statements only. No index may need it: other programs open the file as well.
"""

from typing import Any

from django import db
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, Value
from django.db.models.functions import Lower
from django.db.models.lookups import Contains, Exact

_FUNCTION = "SAVEDESK_LOWER"


class Folded(Lower):
    """In lower case, all letters. On PostgreSQL it is LOWER itself, and indexes on that serve it.

    On SQLite it reads all rows: use `folding` where the text that is asked for is known.
    """

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function=_FUNCTION, **extra)


def folding(text: str) -> type[Lower]:
    """By what to compare a column with this text: an index serves where all of it is ASCII."""
    return Lower if text.isascii() else Folded


def is_same(column: str, text: str) -> Q:
    """That the column has this text in any case, as `iexact` has it on PostgreSQL."""
    if _knows_case(text):
        return Q(**{f"{column}__iexact": text})
    return Q(Exact(Folded(column), Folded(Value(text))))


def has_part(column: str, text: str) -> Q:
    """That this text occurs in the column in any case, as `icontains` has it on PostgreSQL."""
    if _knows_case(text):
        return Q(**{f"{column}__icontains": text})
    return Q(Contains(Folded(column), Folded(Value(text))))


def _knows_case(text: str) -> bool:
    """Whether the database compares it in any case by itself. An index may serve that."""
    return text.isascii() or db.connection.vendor != "sqlite"


def begin(connection: BaseDatabaseWrapper, **kw: Any) -> None:
    """Let a new connection to SQLite know the function."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(_FUNCTION, 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    # Letter by letter: a sigma is written in another way where it ends a word.
    return None if text is None else text.lower().replace("ς", "σ")
