"""The receiver as in production: the real web server, and a client on a raw socket."""

import hashlib
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

from sandbox.processes import free_port
from webhooks.signatures import sign

ROOT = Path(__file__).resolve().parents[2]
SECRET = "secret-of-the-real-server"


@contextmanager
def empty_database(folder: Path, template: str = "template1") -> Any:
    """The URL of an empty database: on the server of TEST_DATABASE_URL, else an SQLite file.

    template: the database on that server that is copied.
    """
    server = os.environ.get("TEST_DATABASE_URL", "")
    if not server:
        yield f"sqlite:///{folder / 'real.sqlite3'}"
        return
    name = f"real_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    address, _, query = server.partition("?")
    yield f"{address.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def copied_database(folder: Path, migrated: str) -> Any:
    """The URL of a copy of the migrated database, which must have no open connection."""
    if migrated.startswith("sqlite"):
        shutil.copy(sqlite_path(migrated), folder / "real.sqlite3")
        yield f"sqlite:///{folder / 'real.sqlite3'}"
        return
    with empty_database(folder, urlsplit(migrated).path.lstrip("/")) as url:
        yield url


def sqlite_path(url: str) -> str:
    return f"/{url.removeprefix('sqlite:///').lstrip('/')}"


class Server:
    """Starts, stops and kills one web server on one database."""

    def __init__(self, database_url: str, **environment: str) -> None:
        self.port = free_port(0)
        self.database_url = database_url
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "0",
            "SECRET_KEY": "key-of-the-real-server",
            "CIO_WEBHOOK_SECRET": SECRET,
            "DATABASE_URL": database_url,
            "WEB_DATABASE_URL": "",
            "BROKER_URL": "orm://",
            "PORT": str(self.port),
            "CIO_APP_KEY": "",
            "MAVERA_API_KEY": "",
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self) -> None:
        command = [sys.executable, "-m", "operations.supervising.web_server"]
        self.process = subprocess.Popen(
            [*command, "--port", str(self.port), "--workers", "1"],
            cwd=ROOT,
            env=self.environment,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + 120
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server did not start")

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            os.killpg(self.process.pid, number)
            self.process.wait()
            self.process = None

    def connect(self) -> Any:
        """A plain connection to the server's database, without any of our code."""
        if self.database_url.startswith("sqlite"):
            path = sqlite_path(self.database_url)
            return sqlite3.connect(path, timeout=20, isolation_level=None)
        parts = urlsplit(self.database_url)
        host = parse_qs(parts.query).get("host", [parts.hostname])[0]
        return psycopg.connect(
            host=host, dbname=parts.path.lstrip("/"), user=parts.username, autocommit=True
        )


def request(
    port: int,
    body: bytes,
    *,
    headers: list[tuple[bytes, bytes]] | None = None,
    path: bytes = b"/webhooks/customerio/",
    chunk: int | None = None,
    timestamp: str = "1614265384",
) -> bytes:
    """The bytes of one signed request; with `chunk`, the body is sent in chunks of that size."""
    lines = [b"POST " + path + b" HTTP/1.1"]
    given = headers or []
    if not any(name.lower() == b"host" for name, _ in given):
        given = [(b"Host", b"127.0.0.1:%d" % port), *given]
    signature = sign(SECRET, timestamp, body)
    given += [(b"X-CIO-Timestamp", timestamp.encode()), (b"X-CIO-Signature", signature.encode())]
    if chunk is None:
        given.append((b"Content-Length", str(len(body)).encode()))
        payload = body
    else:
        given.append((b"Transfer-Encoding", b"chunked"))
        parts = [body[start : start + chunk] for start in range(0, len(body), chunk)]
        payload = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    lines += [name + b": " + value for name, value in given]
    return b"\r\n".join(lines) + b"\r\n\r\n" + payload


class Client:
    """One keep-alive connection, opened again after the server closed it."""

    def __init__(self, port: int, timeout: float = 60) -> None:
        self.port, self.timeout = port, timeout
        self._socket: socket.socket | None = None

    def send(self, data: bytes) -> tuple[int, bytes]:
        """Send a request and return the answer's code and body."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.port), self.timeout)
        try:
            self._socket.sendall(data)
            return self._receive(self._socket)
        except OSError:
            self.close()
            raise

    def _receive(self, connection: socket.socket, answer: bytes = b"") -> tuple[int, bytes]:
        while b"\r\n\r\n" not in answer:
            answer += self._more(connection)
        head, _, body = answer.partition(b"\r\n\r\n")
        code = int(head[9:12])
        if code == 100:
            return self._receive(connection, body)
        lowered = head.lower()
        length = int(lowered.partition(b"content-length:")[2].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more(connection)
        if b"connection: close" in lowered:
            self.close()
        return code, body

    def _more(self, connection: socket.socket) -> bytes:
        chunk = connection.recv(65536)
        if not chunk:
            raise ConnectionError("the server closed the connection without an answer")
        return chunk

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def digest_key(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
