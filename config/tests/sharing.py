"""Lets the threads of a live server use the tests' database in memory beside the test.

They share its one connection. SQLite lets one of them in at a time, and the functions of ours that
it calls need Python's lock. While one thread waits for that within a statement, another could hold
it and wait for SQLite: for ever. So each statement waits for its turn before it enters SQLite, and
a transaction keeps the turn until it ends: what another thread wrote in between would be in it.
"""

import threading
from collections import defaultdict
from contextlib import closing, contextmanager
from functools import wraps

from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections
from django.db.backends.sqlite3.base import SQLiteCursorWrapper
from django.db.transaction import Atomic, get_connection
from django.test.testcases import LiveServerThread

_turns = defaultdict(threading.RLock)  # by connection: others may wait for each other in SQLite


def install():
    for name in ("execute", "executemany", "fetchone", "fetchmany", "fetchall", "__next__"):
        setattr(SQLiteCursorWrapper, name, _in_turn(getattr(SQLiteCursorWrapper, name)))
    Atomic.__enter__ = _keeping_the_turn(Atomic.__enter__)
    Atomic.__exit__ = _giving_it_back(Atomic.__exit__)
    LiveServerThread.server_class = _Server


@contextmanager
def same_connections():
    """Those of the thread stay its own, though an event loop begins to run in it meanwhile.

    For Django that is another thread, whose connections lock ours out of the tables.
    """
    kept = {alias: connections[alias] for alias in connections}
    yield
    for alias, connection in kept.items():
        connections[alias] = connection


def _in_turn(method):
    @wraps(method)
    def in_turn(cursor, *given, **named):
        with _turns[id(cursor.connection)]:
            return method(cursor, *given, **named)

    return in_turn


def _keeping_the_turn(enter):
    @wraps(enter)
    def keeping_the_turn(atomic):
        turn = _turn_of(atomic)
        if turn:
            turn.acquire()
        try:
            enter(atomic)
        except BaseException:
            if turn:
                turn.release()
            raise

    return keeping_the_turn


def _giving_it_back(leave):
    @wraps(leave)
    def giving_it_back(atomic, *error):
        turn = _turn_of(atomic)
        try:
            leave(atomic, *error)
        finally:
            if turn:
                turn.release()

    return giving_it_back


def _turn_of(atomic):
    """None where one thread has the connection for itself."""
    connection = get_connection(atomic.using)
    if connection.vendor != "sqlite" or not connection.allow_thread_sharing:
        return None
    connection.ensure_connection()
    return _turns[id(connection.connection)]


class Requests:
    """Those of one test to a live server: none runs on while the next test begins.

    A page that is closed, or a browser, leaves requests behind that nobody waits for.
    """

    def __init__(self):
        self._changed = threading.Condition()
        self._running = 0
        self._are_taken = False

    @contextmanager
    def taken(self):
        """At the end those that run are waited for; whatever comes later is refused."""
        self._are_taken = True
        try:
            yield
        finally:
            with self._changed:
                self._are_taken = False
                assert self._changed.wait_for(lambda: not self._running, timeout=60), "no answer"

    def answered_by(self, app):
        def answer(environ, start_response):
            with self._changed:
                if not self._are_taken:
                    start_response("503 Service Unavailable", [("Content-Length", "0")])
                    return
                self._running += 1
            try:
                with closing(app(environ, start_response)) as response:
                    yield from response
            finally:
                with self._changed:
                    self._running -= 1
                    self._changed.notify_all()

        return answer


server_requests = Requests()


class _Server(ThreadedWSGIServer):
    def set_app(self, app):
        super().set_app(server_requests.answered_by(app))
