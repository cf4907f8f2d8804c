"""Calls a full disk by its name: to databases it is one of many operational errors.

Nothing is lost meanwhile: the receiver answers 503 and Customer.io sends again. But nothing becomes
better by itself either, so log, `/readyz` and doctor tell people that they must make room.
"""

import errno
import shutil
import sqlite3
from collections.abc import Iterator

from django.db import connection

FULL = "the disk of the database is full"
CURE = (
    "Make room on it, or move the database to a larger disk. Nothing is lost meanwhile: "
    "Customer.io sends again what was answered with 503, for up to 7 days."
)
LEAST_BYTES = 16 * 1024 * 1024  # less than one webhook of the largest kind and its copy in the WAL
_POSTGRES_DISK_FULL = "53100"  # https://www.postgresql.org/docs/current/errcodes-appendix.html
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


def is_full(error: BaseException) -> bool:
    """Whether this error, or one that led to it, says that a disk is full."""
    return any(map(_says_full, _chain(error)))


def why(error: BaseException) -> str:
    """What a log line says of the error: never its words, which may hold values."""
    return FULL if is_full(error) else type(error).__name__


def _says_full(error: BaseException) -> bool:
    if isinstance(error, OSError):
        return error.errno in _NO_SPACE
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if getattr(error, "sqlstate", None) == _POSTGRES_DISK_FULL:
        return True
    return "No space left on device" in str(error)  # a new connection is refused without a code


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def free_bytes() -> int | None:
    """What is free on the disk of SQLite's file; None elsewhere: servers do not say it."""
    if connection.vendor != "sqlite" or connection.is_in_memory_db():  # type: ignore[attr-defined]
        return None
    try:
        return shutil.disk_usage(connection.settings_dict["NAME"]).free
    except OSError:  # it was moved away
        return None
