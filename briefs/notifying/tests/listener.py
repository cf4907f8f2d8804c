"""Endpoints that take notifications over HTTP and SMTP, and the rows that lead to them."""

import itertools
import json
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from briefs.models import Notification, NotificationTarget
from briefs.notifying import addresses

SECRET_PATH = "/hook/very-secret-token"
SECRET_PASSWORD = "very-secret-password"
_numbers = itertools.count(1)


class _Endpoint:
    """A server on a free port of this machine, in a thread."""

    def __init__(self, server: socketserver.BaseServer) -> None:
        self._server = server
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._is_over = threading.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def port(self) -> int:
        return self._server.server_address[1]


class Listener(_Endpoint):
    """Keeps what is posted. Answers as told: with a status, late, when allowed, or byte by byte."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.is_dripping = False
        server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        super().__init__(server)

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self.port}{SECRET_PATH}"

    @property
    def subjects(self) -> list[str]:
        return [post["title"] for post in self.posts]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posts.append(json.loads(body))
                listener.paths.append(self.path)
                time.sleep(listener.delay)
                listener.may_answer.wait(60)
                if listener.is_dripping:
                    return self._drip()
                self.send_response(listener.status)
                for name, value in {"Content-Length": "0", **listener.headers}.items():
                    self.send_header(name, value)
                return self.end_headers()

            def _drip(self) -> None:
                try:
                    for _ in range(1200):  # a minute
                        self.wfile.write(b"H")
                        self.wfile.flush()
                        if listener._is_over.wait(0.05):
                            return
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                pass

        return Handler


class MailListener(_Endpoint):
    """Keeps the mail it takes; answers a command otherwise if told so: {"AUTH": "535 no"}."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.answers: dict[str, str] = {}
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), self._handler())
        server.daemon_threads = True
        super().__init__(server)

    @property
    def address(self) -> str:
        login = f"desk:{SECRET_PASSWORD}@example.com:{self.port}"
        return f"mailto://{login}?smtp=127.0.0.1&mode=insecure&to=team@example.com"

    def _handler(self) -> type[socketserver.StreamRequestHandler]:
        listener = self
        usual = {"EHLO": "250-here\r\n250 AUTH PLAIN", "AUTH": "235 come in", "DATA": "354 go on"}

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                self._say("220 here")
                while line := self.rfile.readline():
                    command = line[:4].decode().upper()
                    self._say(listener.answers.get(command, usual.get(command, "250 fine")))
                    if command == "DATA" and "DATA" not in listener.answers:
                        listener.mails.append(self._read_mail())
                        self._say("250 taken")

            def _read_mail(self) -> str:
                return b"".join(iter(self.rfile.readline, b".\r\n")).decode()

            def _say(self, words: str) -> None:
                self.wfile.write(f"{words}\r\n".encode())

        return Handler


def may_be_this_machine(monkeypatch: Any) -> None:
    """Allow 127.0.0.1 as a host; all other forbidden hosts stay forbidden."""
    monkeypatch.setattr(addresses, "_MAIL_PORTS", range(65536))
    strict = addresses.why_forbidden

    def lenient(ip: Any, **kw: Any) -> str:
        return "" if ip.is_loopback else strict(ip, **kw)

    monkeypatch.setattr(addresses, "why_forbidden", lenient)


def make_target(address: str = "json://desk.example.com/x", **kw: Any) -> NotificationTarget:
    target = NotificationTarget(**{"name": f"Target {next(_numbers)}", **kw})
    target.address = address
    target.save()
    return target


def make_notification(target: NotificationTarget | None = None, **kw: Any) -> Notification:
    number = next(_numbers)
    fields: dict[str, Any] = {
        "target": target or make_target(),
        "kind": "alarm",
        "dedupe_key": f"key {number}",
        "subject": f"Subject {number}",
        "body": "Words.",
        **kw,
    }
    notification = Notification.objects.create(**fields)
    notification.refresh_from_db()
    return notification
