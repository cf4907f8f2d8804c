"""The web server: no connection is refused or dropped while its workers come and go."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import psutil
import pytest

from operations.supervising import web_server
from operations.supervising.tests.hasty import wait
from operations.supervising.web_server import WebServer
from sandbox.processes import free_port
from webhooks.tests.real_server import Client, Server

LIVEZ = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """The real one. /livez needs no database."""
    server = Server(f"sqlite:///{tmp_path_factory.mktemp('web') / 'none.sqlite3'}")
    yield server
    server.stop()


@pytest.fixture
def server(shared):
    """It runs, with one worker. A test that ends it sets `process` to None."""
    if shared.process is None:
        shared.start()
    assert ask(shared.port) == "200"
    wait("the worker before has left", lambda: len(workers(shared)) == 1)
    return shared


def ask(port):
    """One request on a connection of its own: the answer's code, or what happened instead."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as peer:
            peer.sendall(LIVEZ)
            return peer.recv(65536)[9:12].decode() or "closed without an answer"
    except OSError as error:
        return type(error).__name__


@contextlib.contextmanager
def asked_all_the_time(port):
    """What four clients are answered for as long as the block lasts."""
    answers, over = Counter(), threading.Event()

    def go_on():
        while not over.is_set():
            answers[ask(port)] += 1

    threads = [threading.Thread(target=go_on) for _ in range(4)]
    for thread in threads:
        thread.start()
    yield answers
    over.set()
    for thread in threads:
        thread.join()


def workers(server):
    return psutil.Process(server.process.pid).children()


def peers(server):
    """The ports of the clients whose connections the worker has accepted."""
    [worker] = workers(server)
    return {one.raddr.port for one in worker.net_connections() if one.raddr}


@pytest.mark.on_sqlite
@pytest.mark.processes
def test_reload_refuses_and_drops_nothing(server):
    with asked_all_the_time(server.port) as answers:
        before = workers(server)
        server.process.send_signal(signal.SIGHUP)
        psutil.wait_procs(before, timeout=60)

    assert not any(worker.is_running() for worker in before)
    assert set(answers) == {"200"}


@pytest.mark.on_sqlite
@pytest.mark.processes
def test_kept_connection_is_told_to_end_when_its_worker_goes(server):
    client = Client(server.port)
    client.send(LIVEZ)

    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + 60
    while client._socket is not None and time.monotonic() < end:
        assert client.send(LIVEZ)[0] == 200

    assert client._socket is None


@pytest.mark.on_sqlite
@pytest.mark.processes
def test_worker_that_dies_is_replaced_and_connections_wait_for_the_next(server):
    workers(server)[0].kill()

    assert ask(server.port) == "200"


@pytest.mark.on_sqlite
@pytest.mark.processes
def test_workers_end_with_a_server_that_was_killed(server):
    left = workers(server)

    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    server.process = None

    assert not psutil.wait_procs(left, timeout=60)[1]


@pytest.mark.on_sqlite
@pytest.mark.processes
def test_stopping_server_answers_what_has_arrived(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as peer:
        peer.sendall(LIVEZ[:20])
        port = peer.getsockname()[1]
        wait("it is accepted", lambda: port in peers(server))
        server.process.send_signal(signal.SIGTERM)
        peer.sendall(LIVEZ[20:])

        assert peer.recv(65536).startswith(b"HTTP/1.1 200")
    assert server.process.wait(60) == 0
    server.process = None


@pytest.fixture
def idle(monkeypatch):
    """A server in this process, whose workers only sleep."""
    one = WebServer("127.0.0.1", free_port(0), 1)
    monkeypatch.setattr(one, "_start", lambda: process("import time; time.sleep(600)"))
    one.workers = [one._start()]
    yield one
    one._end_all()


def process(code):
    return subprocess.Popen([sys.executable, "-c", code])


def test_code_that_cannot_be_loaded_leaves_the_old_worker_in_place(idle, monkeypatch, caplog):
    old = list(idle.workers)
    monkeypatch.setattr(idle, "_start", lambda: process("raise SystemExit(1)"))

    idle._replace_all()

    assert idle.workers == old
    assert old[0].poll() is None
    assert "could not be loaded" in caplog.text


def test_server_gives_up_when_no_worker_can_be_started(idle, monkeypatch):
    idle.workers[0].kill()
    idle.workers[0].wait()
    monkeypatch.setattr(idle, "_start", lambda: process("raise SystemExit(1)"))

    assert idle._replace_dead() is False


def test_port_that_is_taken_is_told_in_a_sentence(monkeypatch):
    monkeypatch.setattr(web_server, "BIND_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(SystemExit, match=f"cannot listen on 127.0.0.1 port {port}"):
            web_server.listen("127.0.0.1", port)
