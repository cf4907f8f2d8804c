"""Lets the threads of a live server use the tests' database in memory beside the test.

They share its one connection. SQLite lets one of them in at a time, and the functions of ours that
it calls need Python's lock. While one thread waits for that within a statement, another could hold
it and wait for SQLite: for ever. So each statement waits for its turn before it enters SQLite.
"""

import threading
from collections import defaultdict
from functools import wraps

from django.db.backends.sqlite3.base import SQLiteCursorWrapper

_turns = defaultdict(threading.RLock)  # by connection: others may wait for each other in SQLite


def install():
    for name in ("execute", "executemany", "fetchone", "fetchmany", "fetchall", "__next__"):
        setattr(SQLiteCursorWrapper, name, _in_turn(getattr(SQLiteCursorWrapper, name)))


def _in_turn(method):
    @wraps(method)
    def in_turn(cursor, *given, **named):
        with _turns[id(cursor.connection)]:
            return method(cursor, *given, **named)

    return in_turn
