"""An endpoint that takes notifications over HTTP, and the rows that lead to it."""

import itertools
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from briefs.models import Notification, NotificationTarget
from briefs.notifying import addresses

SECRET_PATH = "/hook/very-secret-token"
_numbers = itertools.count(1)


class Listener:
    """Keeps what is posted; answers as told: a status, after a delay, or drop by drop."""

    def __init__(self) -> None:
        self.posts: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.status = 200
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.is_dripping = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> "Listener":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def address(self) -> str:
        return f"json://127.0.0.1:{self._server.server_port}{SECRET_PATH}"

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
                if listener.is_dripping:
                    return self._drip()
                self.send_response(listener.status)
                for name, value in {"Content-Length": "0", **listener.headers}.items():
                    self.send_header(name, value)
                return self.end_headers()

            def _drip(self) -> None:
                try:
                    for _ in range(100):
                        self.wfile.write(b"H")
                        self.wfile.flush()
                        time.sleep(0.05)
                except OSError:
                    return

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def may_be_this_machine(monkeypatch: Any) -> None:
    """Take 127.0.0.1 for a host that may be told; whatever else is forbidden stays forbidden."""
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
