"""The HTTP server: keeps connections open, and sends replies whole, cut off or not at all."""

import contextlib
import socket
import socketserver
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.wire import Reply, Request, json_reply

MAX_BODY = 1024 * 1024

Respond = Callable[[Request], Reply | None]


class Listener(ThreadingHTTPServer):
    """Answers each connection from a daemon thread of its own, and can close them all."""

    request_queue_size = 256

    def __init__(self, address: tuple[str, int], answer: Respond) -> None:
        self.answer = answer
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer would ask the name service for our own name here, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "sandbox", self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        """Close all connections: a client's pool must not go on talking to a stopped sandbox."""
        with self._lock:
            for connection in self._connections:
                _shut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback, but not if the client closed the connection, as some tests do."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    server_version = "Sandbox"
    # Headers and body go out in one packet; in two, delayed acknowledgements cost 40 ms each time.
    wbufsize = -1
    disable_nagle_algorithm = True

    def serve(self) -> None:
        body = self._read_body()
        if body is None:
            self.close_connection = True
            self._send(json_reply({"error": "Send a body with its Content-Length."}, status=411))
            return
        reply = self.server.answer(self._request(body))
        if reply is None:
            self._hang_up()
        else:
            self._send(reply)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = serve

    def end_headers(self) -> None:
        self.send_header("X-Sandbox", "1")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing here: `Sandbox.log` gets a line with route and duration."""

    def _request(self, body: bytes) -> Request:
        url = urlsplit(self.path)
        return Request(
            method=self.command,
            path=url.path,
            segments=tuple(unquote(part) for part in url.path.strip("/").split("/")),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            body=body,
            hang_up=self._hang_up,
        )

    def _read_body(self) -> bytes | None:
        """The body, empty without a length; None if it is chunked, too long or has no number."""
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not length.isdecimal() or int(length) > MAX_BODY:
            return None
        return self.rfile.read(int(length))

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if reply.is_truncated:
            self.wfile.write(reply.body[: len(reply.body) // 2])
            self.wfile.flush()
            self._hang_up()
        else:
            self.wfile.write(reply.body)

    def _hang_up(self) -> None:
        self.close_connection = True
        _shut(self.connection)


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
