"""A Savedesk for a benchmark: its database, its processes, and the sandbox beside it."""

import contextlib
import hashlib
import hmac
import json
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import requests

from benchmarks import ingest, load
from sandbox import brokers
from sandbox.options import CIO_KEY, MAVERA_KEY
from sandbox.postgres import postgres
from sandbox.processes import Processes

FLOW = "--requests-per-minute", "1000000", "--credits", "100000000", "--quiet"


@dataclass(frozen=True)
class Database:
    """One database on PostgreSQL or in a file of SQLite."""

    url: str

    @property
    def is_postgres(self) -> bool:
        return self.url.startswith("postgres")

    @property
    def name(self) -> str:
        return "PostgreSQL" if self.is_postgres else "SQLite"

    @property
    def path(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with contextlib.closing(self.connect()) as connection:
            return list(connection.execute(statement).fetchall())

    def connect(self) -> Any:
        if self.is_postgres:
            return psycopg.connect(self.url)
        connection = sqlite3.connect(self.path, timeout=20, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def copy(self, name: str) -> "Database":
        """A database that is the same in everything. Nobody may be connected to this one."""
        if not self.is_postgres:
            with contextlib.closing(self.connect()) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            path = self.path.with_name(f"{name}.sqlite3")
            shutil.copy(self.path, path)
            return Database(f"sqlite:///{path}")
        parts = urlsplit(self.url)
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {parts.path[1:]}".encode())
        return Database(urlunsplit(parts._replace(path=f"/{name}")))

    @property
    def server(self) -> str:
        """The address of the database that every server of PostgreSQL has."""
        return urlunsplit(urlsplit(self.url)._replace(path="/postgres"))

    def seconds(self, since: str, until: str) -> str:
        """SQL for the time between two stamps."""
        if self.is_postgres:
            return f"EXTRACT(EPOCH FROM {until} - {since})::float"
        return f"(julianday({until}) - julianday({since})) * 86400"


@contextmanager
def new_postgres() -> Iterator[Database]:
    with postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE savedesk")
        yield prepared(Database(urlunsplit(urlsplit(url)._replace(path="/savedesk"))))


@contextmanager
def new_sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory() as folder:
        yield prepared(Database(f"sqlite:///{folder}/savedesk.sqlite3"))


def prepared(database: Database) -> Database:
    env = ingest.environment(database.url, 1)
    ingest.manage(env, "migrate", "--noinput")
    ingest.manage(env, "load_starter_rules")
    return database


def listens(port: int, seconds: float = 60) -> None:
    """Wait until a process listens on the port."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on {port}")


class Desk:
    """Processes of Savedesk on one database; all of them end with the block."""

    def __init__(self, database: Database, *, broker_url: str = "orm://") -> None:
        self.database = database
        self.port, self.sandbox_port = ingest.free_port(), ingest.free_port()
        sandbox = f"http://127.0.0.1:{self.sandbox_port}"
        self.sandbox_url = sandbox
        self.env = {
            **ingest.environment(database.url, self.port),
            "BROKER_URL": broker_url,
            "CIO_APP_KEY": CIO_KEY,
            "CIO_APP_BASE_URL": f"{sandbox}/v1",
            "MAVERA_API_KEY": MAVERA_KEY,
            "MAVERA_BASE_URL": f"{sandbox}/api/v1",
            "MAVERA_WORKSPACE_ID": "",
        }
        self.processes = Processes(self.env)
        self.folder = tempfile.TemporaryDirectory(prefix="savedesk-bench-")
        self.session = requests.Session()

    def __enter__(self) -> "Desk":
        return self

    def __exit__(self, *_: object) -> None:
        self.processes.stop()
        self.folder.cleanup()

    @property
    def log(self) -> Path:
        return Path(self.folder.name) / "log"

    def start_sandbox(self, latency: float) -> None:
        seconds = "--latency", str(latency), "--jitter", "0"
        self.processes.start(self.log, "sandbox", "--port", str(self.sandbox_port), *seconds, *FLOW)
        listens(self.sandbox_port)

    def start(self, *, web: bool) -> None:
        """Start the supervisor and wait until its clusters take tasks."""
        self.processes.start(self.log, "supervise", *([] if web else ["--no-web"]))
        if web:
            listens(self.port)
        time.sleep(4)  # a cluster takes its first task half a second after its start

    def step(self, name: str, count: int = 0) -> Any:
        """Run one step of `benchmarks.rows` in a process; returns what it printed."""
        code = f"from benchmarks import rows; rows.run({name!r}, {count})"
        command = [sys.executable, "manage.py", "shell", "-c", code]
        done = subprocess.run(  # noqa: S603 - our own command
            command, cwd=ingest.ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"step {name} failed:\n{done.stderr}")
        return json.loads(done.stdout.splitlines()[-1])

    def post(self, event: dict[str, Any]) -> None:
        """Post a signed webhook, as Customer.io would."""
        body, stamp = json.dumps(event).encode(), str(int(time.time()))
        mac = hmac.new(load.SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
        answer = self.session.post(
            f"http://127.0.0.1:{self.port}/webhooks/customerio/",
            data=body,
            headers={"X-CIO-Timestamp": stamp, "X-CIO-Signature": mac.hexdigest()},
            timeout=10,
        )
        answer.raise_for_status()

    def wait(self, statement: str, wanted: int, seconds: float) -> bool:
        """Wait until a count in the database is reached; False if it is not in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.database.query(statement)[0][0] >= wanted:
                return True
            self.processes.check()
            time.sleep(0.25)
        return False


@contextmanager
def redis() -> Iterator[str | None]:
    """A Redis from its package; yields its URL, or None where there is no package for it."""
    try:
        broker = brokers.redis()
    except ImportError:
        yield None
        return
    with brokers.running(broker):
        yield broker.environment["BROKER_URL"]
