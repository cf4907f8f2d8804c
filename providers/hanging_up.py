"""Lets the caller of a request hang up while another thread still reads its answer.

A sender that drips would keep that thread and its connection alive for as long as it likes.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Mapping
from typing import Any

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import NewConnectionError


class TooLate(NewConnectionError):
    """The connection stands, but later than the caller would have its request begin."""


class Line:
    """The sockets of one request. After `hang_up` nothing moves on them, and no more are opened.

    connect_seconds: until a connection stands; a later one carries nothing.
    """

    def __init__(self, connect_seconds: float | None = None) -> None:
        self._connected_by = float("inf")
        if connect_seconds is not None:
            self._connected_by = time.monotonic() + connect_seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_over = False

    def add(self, opened: socket.socket) -> socket.socket:
        """Enter a socket. Raises OSError if the caller has hung up: a late request helps nobody."""
        with self._lock:
            if self._is_over:
                opened.close()
                raise OSError("given up")
            self._sockets.append(opened.dup())  # encryption takes the original away
        return opened

    def stands(self, connection: Any) -> None:
        """A connection is ready for its request. Raises TooLate."""
        if time.monotonic() > self._connected_by:
            raise TooLate(connection, "the connection came too late")

    def hang_up(self) -> None:
        """End all connections; a thread that reads from one wakes up at once."""
        with self._lock:
            self._is_over = True
            for opened in self._sockets:
                with contextlib.suppress(OSError):  # ended already
                    opened.shutdown(socket.SHUT_RDWR)
                opened.close()
            self._sockets.clear()


class Adapter(HTTPAdapter):
    """Enters every connection that is opened, to a proxy as well, into the line."""

    def __init__(self, line: Line) -> None:
        self._line = line
        super().__init__()

    def get_connection_with_tls_context(
        self,
        request: PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: tuple[str, str] | str | None = None,
    ) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(request, verify, proxies, cert)
        self._watch(pool)
        return pool

    def _watch(self, pool: Any) -> None:
        make = pool.ConnectionCls

        def watched(**options: Any) -> Any:
            connection = make(**options)
            dial = connection._new_conn  # the one place where urllib3 opens a socket
            connection._new_conn = lambda: self._line.add(dial())
            connect = connection.connect  # that, and all before the request's first byte

            def connect_in_time() -> None:
                connect()
                self._line.stands(connection)

            connection.connect = connect_in_time
            return connection

        pool.ConnectionCls = watched
