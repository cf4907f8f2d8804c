"""The server: connections, starting and stopping, and what it is made of."""

import ast
import socket
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest
import requests

import sandbox as package
from sandbox import Sandbox
from sandbox.tests.clients import app_api, ask, control, mavera


def send(sandbox, head):
    with socket.create_connection((sandbox.host, sandbox.port), timeout=60) as connection:
        connection.sendall(head.encode())
        return connection.recv(65_536).decode()


def test_every_reply_says_that_it_is_the_sandbox(sandbox):
    replies = [
        ask(mavera(sandbox)),
        app_api(sandbox).get("customers/nobody/attributes"),
        control(sandbox).get("faults"),
        requests.get(f"{sandbox.url}/elsewhere", timeout=60),
        requests.head(sandbox.url, timeout=60),
    ]

    assert [reply.headers.get("X-Sandbox") for reply in replies] == ["1"] * 5


def test_a_connection_stays_open_from_one_request_to_the_next(sandbox):
    connection = HTTPConnection(sandbox.host, sandbox.port, timeout=60)
    connection.request("GET", "/api/v1/usage")
    connection.getresponse().read()
    opened = connection.sock

    connection.request("POST", "/v1/reporting_webhooks", body="{}")
    connection.getresponse().read()

    assert connection.sock is opened is not None


def test_a_body_without_a_length_is_refused(sandbox):
    reply = send(sandbox, "POST /api/v1/mave/chat HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")

    assert reply.startswith("HTTP/1.1 411 ")


def test_a_length_that_is_no_number_is_refused(sandbox):
    assert send(sandbox, "POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n").startswith("HTTP/1.1 411 ")


def test_two_sandboxes_run_side_by_side():
    with Sandbox() as one, Sandbox(credits=1) as other:
        assert ask(mavera(one)).status_code == 200
        assert ask(mavera(other)).status_code == 402
        assert (one.credits_used > 0, other.credits_used) == (True, 0)


def test_stopping_ends_what_hangs_and_closes_open_connections():
    with Sandbox(latency=600) as sandbox, ThreadPoolExecutor(1) as pool:
        idle = mavera(sandbox)
        idle.get("usage")
        thinking = pool.submit(ask, mavera(sandbox))
        while len(sandbox.requests) < 2:
            time.sleep(0.01)
        sandbox.stop()

        with pytest.raises(requests.ConnectionError):
            idle.get("usage")
        with pytest.raises(ConnectionRefusedError):
            send(sandbox, "")
        thinking.exception(timeout=60)


def test_a_stopped_sandbox_starts_again_where_it_was():
    sandbox = Sandbox()
    with sandbox:
        ask(mavera(sandbox))
        first = sandbox.url

    with sandbox:
        assert sandbox.url == first
        assert mavera(sandbox).get("usage").json()["credits"]["used"] == sandbox.credits_used > 0


def test_each_request_is_logged_on_one_line():
    lines = []

    with Sandbox(log=lines.append) as sandbox:
        mavera(sandbox).get("usage")
        control(sandbox).get("faults")

    assert [line.rpartition(" 200 ")[0] for line in lines] == ["GET /api/v1/usage"]


def test_the_sandbox_needs_nothing_but_the_standard_library():
    around = {
        "brokers.py",
        "demo.py",
        "pgbouncer.py",
        "postgres.py",
        "processes.py",
    }  # they start things beside the server
    imported = set()
    for path in Path(package.__file__).parent.glob("*.py"):
        if path.name in around:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                imported.add((node.module or "").split(".")[0])
            elif isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}

    assert imported - set(sys.stdlib_module_names) == {"sandbox", "django"}
    assert "django" not in Path(package.__file__).with_name("server.py").read_text()
