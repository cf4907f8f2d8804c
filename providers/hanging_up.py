"""Lets the caller of a request hang up while another thread still reads its answer.

Otherwise a server that sends its answer byte by byte could keep that thread and its connection
occupied without limit.
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
    """The connection was made, but after the time by which the request had to begin."""


class Line:
    """The sockets of one request. After `hang_up` they are closed, and no more are opened.

    connect_seconds: the time to make a connection; no request is sent on a later one.
    """

    def __init__(self, connect_seconds: float | None = None) -> None:
        self._connected_by = float("inf")
        if connect_seconds is not None:
            self._connected_by = time.monotonic() + connect_seconds
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self._is_over = False

    def add(self, opened: socket.socket) -> socket.socket:
        """Register a socket. Raises OSError if the caller has hung up and waits no more."""
        with self._lock:
            if self._is_over:
                opened.close()
                raise OSError("given up")
            self._sockets.append(opened.dup())  # a copy: TLS detaches the original socket
        return opened

    def check_in_time(self, connection: Any) -> None:
        """Raise TooLate if the connection was made too late for its request."""
        if time.monotonic() > self._connected_by:
            raise TooLate(connection, "the connection came too late")

    def hang_up(self) -> None:
        """End all connections; a thread that reads from one wakes up at once."""
        with self._lock:
            self._is_over = True
            for opened in self._sockets:
                with contextlib.suppress(OSError):  # the connection has ended already
                    opened.shutdown(socket.SHUT_RDWR)
                opened.close()
            self._sockets.clear()


class Adapter(HTTPAdapter):
    """Registers every connection that is opened, also one to a proxy, with the line."""

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
            connect = connection.connect  # opens the socket and does the TLS handshake

            def connect_in_time() -> None:
                connect()
                self._line.check_in_time(connection)

            connection.connect = connect_in_time
            return connection

        pool.ConnectionCls = watched
