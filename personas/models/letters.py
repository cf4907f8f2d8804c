"""Upper and lower case, as PostgreSQL knows them: SQLite's own LOWER changes ASCII alone.

The function is for statements only. No index may need it: other programs open the file as well.
"""

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Lower

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


def begin(connection: BaseDatabaseWrapper, **kw: Any) -> None:
    """Let a new connection to SQLite know the function."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(_FUNCTION, 1, _lower, deterministic=True)


def _lower(text: str | None) -> str | None:
    return None if text is None else text.lower()
