"""Whatever happens to the database: 503 with Retry-After within 3 seconds, and stored on the retry.

Against the real web server, with 64 connections waiting. All tests share one, so each also shows
that it got over the troubles before.
"""

import contextlib
import itertools
import json
import os
import resource
import socket
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
import requests

from webhooks.tests.real_server import Client, Server, copied_database, request

pytestmark = pytest.mark.processes

POSTGRES = os.environ.get("TEST_DATABASE_URL", "")
on_postgres = pytest.mark.skipif(not POSTGRES, reason="a fault of a PostgreSQL server")
on_sqlite = pytest.mark.skipif(bool(POSTGRES), reason="a fault of an SQLite file")
LIMIT = 3.0  # seconds, of the 4 that Customer.io waits
LIVEZ = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
numbers = itertools.count()  # by which the events of the tests differ: they share a server


class Proxy:
    """Stands between Savedesk and PostgreSQL on TCP, and can refuse, swallow or delay."""

    def __init__(self, socket_path):
        self.socket_path = socket_path
        self.mode = "pass"
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=200)
        self.port = self.listener.getsockname()[1]
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                if self.mode == "refuse":
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(self.socket_path)
                self.open += [client, server]
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._pipe, args=(source, target), daemon=True).start()

    def _pipe(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if self.mode == "swallow":
                    continue
                if self.mode == "slow":
                    time.sleep(5)
                target.sendall(data)
        for side in (source, target):
            with contextlib.suppress(OSError):
                side.close()

    def cut(self):
        """Drop every open connection, as a restart does."""
        for side in self.open:
            with contextlib.suppress(OSError):
                side.shutdown(socket.SHUT_RDWR)
        self.open = []


@pytest.fixture(scope="module")
def running(tmp_path_factory, migrated):
    """A running server; on PostgreSQL its database is reached through a proxy."""
    with copied_database(tmp_path_factory.mktemp("trouble"), migrated) as url:
        proxy = None
        through = url
        if POSTGRES:
            parts = urlsplit(url)
            folder = parse_qs(parts.query)["host"][0]
            proxy = Proxy(f"{folder}/.s.PGSQL.{parts.port or 5432}")
            through = f"postgresql://{parts.username}@127.0.0.1:{proxy.port}{parts.path}"
        server = Server(through)
        server.direct = Server(url)
        server.proxy = proxy
        server.start()
        wait_until_it_stores(server)
        yield server
        server.stop()


@pytest.fixture
def stack(running):
    """The server, which stores again whatever the test before did to its database."""
    assert post(running, f"warm-{next(numbers)}")[0] == 200
    return running


def post(server, event_id):
    """Post one event on a connection of its own; returns code, seconds, Retry-After seen."""
    client = Client(server.port)
    body = json.dumps({"event_id": event_id, "metric": "sent"}).encode()
    began = time.monotonic()
    code, _ = client.send(request(server.port, body))
    took = time.monotonic() - began
    client.close()
    return code, took


def blast(server, run, connections=64):
    with ThreadPoolExecutor(connections) as pool:
        return list(pool.map(lambda n: post(server, f"{run}-{n}"), range(connections)))


def stored(server, run):
    with contextlib.closing(server.direct.connect()) as connection:
        sql = f"SELECT count(*) FROM webhooks_webhookevent WHERE event_id LIKE '{run}-%'"
        return connection.execute(sql).fetchone()[0]


def slowest(answers):
    return max(took for _, took in answers)


def wait_until_it_stores(server):
    end = time.monotonic() + 120
    while post(server, "probe")[0] != 200:
        assert time.monotonic() < end
        time.sleep(0.2)


@contextlib.contextmanager
def asked_whether_it_lives(server):
    """How many seconds each answer takes, for as long as the block lasts, that asks no database."""
    took, over = [], threading.Event()

    def go_on():
        client = Client(server.port)
        while not (took and over.is_set()):
            began = time.monotonic()
            client.send(LIVEZ)
            took.append(time.monotonic() - began)
        client.close()

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield took
    finally:
        over.set()
        thread.join()


def prove(server, trouble, heal):
    """During the trouble every answer is a quick 503; after it the same events are stored.

    A busy machine is late with answers of any kind. By how much is measured before and meanwhile.
    """
    run = f"trouble{next(numbers)}"
    usual = slowest(blast(server, f"before-{run}"))
    with trouble, asked_whether_it_lives(server) as late:
        answers = blast(server, run)
    codes = [code for code, _ in answers]
    assert set(codes) == {503}, codes
    assert slowest(answers) < LIMIT + usual + max(late)
    heal()
    wait_until_it_stores(server)
    assert {code for code, _ in blast(server, run)} == {200}
    assert stored(server, run) == 64


@contextlib.contextmanager
def mode(proxy, name, *, cut):
    proxy.mode = name
    if cut:
        proxy.cut()
    yield
    proxy.mode = "pass"


@on_postgres
def test_database_down(stack):
    prove(stack, mode(stack.proxy, "refuse", cut=True), lambda: None)


@on_postgres
def test_packets_swallowed_on_open_connections(stack):
    prove(stack, mode(stack.proxy, "swallow", cut=False), stack.proxy.cut)


@on_postgres
def test_packets_swallowed_on_new_connections(stack):
    prove(stack, mode(stack.proxy, "swallow", cut=True), lambda: None)


@on_postgres
def test_open_connections_that_stay_silent_for_ever_are_left(stack):
    prove(stack, mode(stack.proxy, "swallow", cut=False), lambda: None)


@on_postgres
def test_slow_database(stack):
    prove(stack, mode(stack.proxy, "slow", cut=False), lambda: None)


@on_postgres
def test_table_locked_on_postgres(stack):
    @contextlib.contextmanager
    def locked():
        parts = urlsplit(stack.direct.database_url)
        with psycopg.connect(
            host=parse_qs(parts.query)["host"][0],
            dbname=parts.path.lstrip("/"),
            user=parts.username,
        ) as connection:
            connection.execute("LOCK TABLE webhooks_webhookevent IN ACCESS EXCLUSIVE MODE")
            yield
            connection.rollback()

    prove(stack, locked(), lambda: None)


@on_postgres
def test_database_out_of_connections(stack):
    name = urlsplit(stack.direct.database_url).path.lstrip("/")

    @contextlib.contextmanager
    def none_left():
        with psycopg.connect(POSTGRES, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
            stack.proxy.cut()
            yield
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")

    prove(stack, none_left(), lambda: None)


@on_sqlite
def test_file_locked_by_another_writer(stack):
    @contextlib.contextmanager
    def locked():
        connection = stack.connect()
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.rollback()
        connection.close()

    prove(stack, locked(), lambda: None)


@on_sqlite
def test_disk_full(stack):
    pid = _worker(stack)

    @contextlib.contextmanager
    def full():
        limits = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, limits[1]))
        yield
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)

    prove(stack, full(), lambda: None)


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 32 MiB in memory; where none may be mounted, nothing can be tried."""
    command = ["mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this user may not mount a file system")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@on_sqlite
def test_real_disk_without_room_is_called_full_on_readyz(small_disk, migrated):
    with copied_database(small_disk, migrated) as url:
        server = Server(url)
        server.direct = server
        server.start()
        try:
            assert post(server, "warm")[0] == 200
            wait_for(server, "reachable")
            prove(server, filled(server, small_disk), lambda: None)
            wait_for(server, "reachable")
        finally:
            server.stop()


@contextlib.contextmanager
def filled(server, disk):
    with contextlib.suppress(OSError), (disk / "filling").open("ab", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    yield
    wait_for(server, "the disk of the database is full: ")
    (disk / "filling").unlink()


def wait_for(server, words):
    """Until `/readyz`, which may keep an answer for a moment, says these words of the database."""
    url = f"http://127.0.0.1:{server.port}/readyz"
    said, end = "", time.monotonic() + 120
    while not said.startswith(words):
        assert time.monotonic() < end, said
        said = requests.get(url, timeout=60).json()["checks"]["database"]["words"]


@on_sqlite
def test_database_gone(stack):
    path = stack.database_url.removeprefix("sqlite:///")
    path = f"/{path.lstrip('/')}"

    @contextlib.contextmanager
    def gone():
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE webhooks_webhookevent RENAME TO elsewhere")
        yield
        with sqlite3.connect(path) as connection:
            connection.execute("ALTER TABLE elsewhere RENAME TO webhooks_webhookevent")

    prove(stack, gone(), lambda: None)


def _worker(server):
    """The process that serves requests: a child of the web server."""
    found = subprocess.run(
        ["pgrep", "-P", str(server.process.pid)], capture_output=True, text=True, check=True
    )
    return int(found.stdout.split()[0])


def test_same_event_from_20_connections_is_one_row_and_counted_right(stack):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: post(stack, "same-0"), range(200)))

    assert {code for code, _ in answers} == {200}
    with contextlib.closing(stack.direct.connect()) as connection:
        sql = "SELECT deliveries FROM webhooks_webhookevent WHERE event_id = 'same-0'"
        assert connection.execute(sql).fetchall() == [(200,)]
