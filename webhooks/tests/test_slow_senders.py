"""Senders whose bodies do not arrive take nothing from those whose bodies do."""

import socket
import time

import pytest

from webhooks.tests.real_server import Client, Server, copied_database, request

pytestmark = [pytest.mark.processes, pytest.mark.on_sqlite]
BODY = b'{"event_id": "quick", "object_type": "email", "metric": "sent", "timestamp": 1}'
HEAD = (
    b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n"
    b"X-CIO-Timestamp: 1614265384\r\n%s\r\n"
)
SIGNED = b"X-CIO-Signature: " + b"0" * 64 + b"\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory, migrated):
    with copied_database(tmp_path_factory.mktemp("slow"), migrated) as url:
        server = Server(url)
        server.start()
        Client(server.port).send(request(server.port, BODY))
        yield server
        server.stop()


def begun(server, path, headers):
    """A request of which the head and one byte of the body have arrived."""
    peer = socket.create_connection(("127.0.0.1", server.port), timeout=30)
    peer.sendall(HEAD % (path, headers) + b"x")
    return peer


@pytest.mark.parametrize("path", [b"/webhooks/customerio/", b"/login/", b"/readyz"])
def test_webhook_is_stored_while_a_hundred_bodies_do_not_arrive(server, path):
    slow = [begun(server, path, SIGNED) for _ in range(100)]

    began = time.monotonic()
    code, _ = Client(server.port).send(request(server.port, BODY))

    assert code == 200
    assert time.monotonic() - began < 8  # the slow ones are given up after 10
    for peer in slow:
        peer.close()


def test_unsigned_request_is_answered_before_its_body_has_arrived(server):
    with begun(server, b"/webhooks/customerio/", b"") as peer:
        assert peer.recv(65536).startswith(b"HTTP/1.1 401")


def test_body_that_does_not_arrive_is_answered_408(server):
    with begun(server, b"/webhooks/customerio/", SIGNED) as peer:
        assert peer.recv(65536).startswith(b"HTTP/1.1 408")


def test_head_that_does_not_end_is_refused(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as peer:
        peer.sendall(b"GET / HTTP/1.1\r\n" + b"X-Long: " + b"x" * 70_000)

        assert peer.recv(65536).startswith(b"HTTP/1.1 400")
