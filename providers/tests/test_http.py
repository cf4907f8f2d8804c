"""One HTTP request: when it counts as sent, when as answered, and that it ends in time."""

import contextlib
import gzip
import shutil
import socket
import ssl
import subprocess
import threading
import time
import traceback

import pytest
import urllib3

from providers import http
from providers.hanging_up import Line

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Accepts connections one after the other, reads a request, and does as it was told."""

    def __init__(self, answer, tls=None):
        self.answer = answer
        self.tls = tls
        self.requests = []
        self.stopping = threading.Event()
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.socket.getsockname()[1]}/"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while not self.stopping.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self.socket.accept()
                with (
                    connection
                    if self.tls is None
                    else self.tls.wrap_socket(connection, server_side=True) as connection
                ):
                    self.requests.append(read_request(connection))
                    self.answer(connection, self.stopping)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stopping.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def read_request(connection):
    request = connection.recv(65_536)
    while request.endswith(b"\r\n\r\n") and b"Content-Length: 0" not in request:
        request += connection.recv(65_536)  # headers and body may come in two packets
    return request


def sending(answer):
    return Server(lambda connection, stopping: connection.sendall(answer))


def dripping(start, drop=b"x"):
    def drip(connection, stopping):
        connection.sendall(start)
        while not stopping.wait(0.03):
            connection.sendall(drop)

    return Server(drip)


def send(url, seconds=60.0, key="secret-key", **options):
    headers = {"Authorization": f"Bearer {key}"}
    return http.send("POST", url, seconds=seconds, headers=headers, **options)


@pytest.fixture
def closed_port():
    """A port on which nobody listens, and that nobody else gets."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


# Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 204, 302, 404, 429, 500])
def test_answer_of_any_status_is_returned(status):
    with sending(b"HTTP/1.1 %d Some\r\nContent-Length: 0\r\n\r\n" % status) as server:
        reply = send(server.url)

    assert (reply.status, reply.is_success) == (status, status < 300)


def test_request_carries_headers_parameters_and_json():
    with sending(OK) as server:
        send(f"{server.url}mave", json={"ids": ["1"]}, params={"email": "a+b@example.com"})

    sent = server.requests[0].decode()
    assert sent.startswith("POST /mave?email=a%2Bb%40example.com HTTP/1.1")
    assert "Authorization: Bearer secret-key" in sent
    assert sent.endswith('{"ids": ["1"]}')


@pytest.mark.parametrize(
    ("body", "decoded"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"<html>", None),
        (b"", None),
        (b"\xff", None),
        (b"[" * 99999, None),
    ],
)
def test_body_that_is_not_json_reads_as_none(body, decoded):
    assert http.Reply(200, {}, body).json() == decoded


def test_json_holds_nothing_that_a_database_refuses():
    body = rb'{"a\u0000": ["x\ud83d\ude00", "cut \ud83d", "\ude00!"], "b": [1e999, NaN, 0.5]}'

    assert http.Reply(200, {}, body).json() == {
        "a": ["x😀", "cut \ufffd", "\ufffd!"],
        "b": [None, None, 0.5],
    }


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("99999999999999999999", 86_400.0),
        ("1e999", None),
        ("nan", None),
        ("Mon, 23 Nov 2026 12:00:00 GMT", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_within_reason(header, seconds):
    with sending(b"HTTP/1.1 429 Slow\r\nRetry-AFTER: %s\r\n\r\n" % header.encode()) as server:
        assert send(server.url).retry_after == seconds


def test_answer_without_retry_after_names_no_seconds():
    assert http.Reply(429, {}, b"").retry_after is None


# Redirects --------------------------------------------------------------------------------------


def test_redirect_is_not_followed_so_the_key_stays_here():
    with sending(OK) as elsewhere:
        away = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n"
        with sending(away % elsewhere.url.encode()) as server:
            assert send(server.url).status == 302

        assert elsewhere.requests == []


def test_redirect_to_an_unreadable_address_is_an_answer_like_any_other():
    with sending(
        b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: http://[\r\n\r\n"
    ) as server:
        assert send(server.url).status == 302


# Not sent ---------------------------------------------------------------------------------------


def test_closed_port_means_not_sent(closed_port):
    with pytest.raises(http.NotSent, match="refused or unreachable"):
        send(f"http://127.0.0.1:{closed_port}/")


def test_connection_that_is_made_too_late_carries_no_request(monkeypatch):
    connect = urllib3.util.connection.create_connection

    def dawdle(*args, **options):
        time.sleep(0.3)
        return connect(*args, **options)

    with sending(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as server:
        monkeypatch.setattr("urllib3.util.connection.create_connection", dawdle)
        with pytest.raises(http.NotSent, match="came too late"):
            send(server.url, connect_seconds=0.1)

        assert not any(server.requests)


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_proxy_that_is_down_means_not_sent(closed_port, monkeypatch, scheme):
    monkeypatch.setenv(f"{scheme}_proxy", f"http://127.0.0.1:{closed_port}")

    with pytest.raises(http.NotSent, match="refused or unreachable"):
        send(f"{scheme}://mavera.example/")


def test_proxy_that_breaks_off_means_no_answer_because_it_may_have_passed_it_on(monkeypatch):
    with sending(b"") as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)

        with pytest.raises(http.NoAnswer):
            send("http://mavera.example/")


@pytest.mark.parametrize("key", ["schlüßel–", "two\r\nX-Other: lines", "\ud800"])
def test_key_that_no_header_can_carry_means_not_sent_and_is_not_quoted(key):
    with (
        sending(OK) as server,
        pytest.raises(http.NotSent, match="check address and key") as caught,
    ):
        send(server.url, key=key)

    assert key not in "".join(traceback.format_exception(caught.value))
    assert server.requests == []


@pytest.mark.parametrize("url", ["app.example.com/v1", "ftp://example.com", "http://", "http://[/"])
def test_address_that_is_none_means_not_sent(url):
    with pytest.raises(http.NotSent, match="check address and key"):
        send(url)


def test_https_to_a_server_without_it_means_not_sent():
    with sending(b"HTTP/1.1 400 Bad Request\r\n\r\n") as server, pytest.raises(http.NotSent):
        send(server.url.replace("http:", "https:"))


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes its certificate with openssl")
def test_certificate_that_nobody_vouches_for_means_not_sent(tmp_path):
    key, certificate = str(tmp_path / "key"), str(tmp_path / "certificate")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    server = Server(lambda connection, stopping: connection.sendall(OK), tls=context)
    with server, pytest.raises(http.NotSent, match="check address and certificate"):
        send(server.url)


# No answer --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "server",
    [
        lambda: dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"),
        lambda: dripping(b"HTTP/1.1 200 OK\r\nX-Endless: "),
        lambda: dripping(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        lambda: dripping(b"", b""),
    ],
    ids=["body", "header", "chunks", "silent"],
)
def test_answer_that_comes_byte_by_byte_or_not_at_all_is_given_up_in_time(server):
    with server() as slow:
        started = time.monotonic()
        with pytest.raises(http.NoAnswer, match=r"within 0\.3 s"):
            send(slow.url, seconds=0.3)

    assert time.monotonic() - started < 60  # it would go on for ever


SLOW_STARTS = {
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "header": b"HTTP/1.1 200 OK\r\nX-Endless: ",
}


@pytest.mark.parametrize("start", SLOW_STARTS.values(), ids=SLOW_STARTS)
def test_given_up_request_leaves_neither_thread_nor_connection_behind(start):
    hung_up = threading.Event()

    def drip(connection, stopping):
        connection.sendall(start)
        with contextlib.suppress(OSError):
            while not stopping.wait(0.01):
                connection.sendall(b"x")
        hung_up.set()

    with Server(drip) as slow:
        with pytest.raises(http.NoAnswer):
            send(slow.url, seconds=0.2)

        assert hung_up.wait(60)
        assert not [thread for thread in http_threads() if thread.join(60) or thread.is_alive()]


def http_threads():
    return [thread for thread in threading.enumerate() if thread.name == "http"]


def test_answered_request_ends_its_connection_too(monkeypatch):
    line = Line()
    monkeypatch.setattr(http, "Line", lambda seconds: line)

    with sending(OK) as server:
        send(server.url)
        for thread in http_threads():
            thread.join(60)

    with pytest.raises(OSError, match="given up"):
        line.add(socket.socket())


def test_connection_that_opens_after_the_caller_hung_up_is_closed_unused():
    line = Line()
    line.hang_up()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        late = socket.create_connection(listener.getsockname())
        with pytest.raises(OSError, match="given up"):
            line.add(late)

    assert late.fileno() == -1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nhalf",
        b"no HTTP at all\r\n\r\n",
    ],
    ids=["none", "half", "half a chunk", "broken gzip", "no HTTP"],
)
def test_incomplete_answer_means_no_answer(answer):
    with sending(answer) as server, pytest.raises(http.NoAnswer):
        send(server.url)


def test_encryption_that_breaks_means_no_answer_because_it_may_have_been_sent():
    bad_record = b"\x15\x03\x03\x00\x02\x02\x14"  # a TLS alert, as it may come after the request
    with sending(bad_record) as server, pytest.raises(http.NoAnswer, match="encrypted connection"):
        send(server.url.replace("http:", "https:"))


# Size -------------------------------------------------------------------------------------------


def sized(size, header=b""):
    return sending(b"HTTP/1.1 200 OK\r\n" + header + b"\r\n" + b"x" * size)


def test_answer_of_the_largest_size_is_read_whole():
    with sized(http.MAX_BYTES) as server:
        assert len(send(server.url).body) == http.MAX_BYTES


def test_larger_answer_means_no_answer():
    with (
        sized(http.MAX_BYTES + 1) as server,
        pytest.raises(http.NoAnswer, match="larger than 5 MiB"),
    ):
        send(server.url)


def test_answer_that_unpacks_to_more_means_no_answer():
    packed = gzip.compress(b"x" * (http.MAX_BYTES + 1))
    headers = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n"
    with sending(headers % len(packed) + packed) as server, pytest.raises(http.NoAnswer):
        send(server.url)


def test_key_and_body_are_in_no_repr():
    reply = http.Reply(200, {"set-cookie": "secret"}, b"secret")

    assert repr(reply) == "Reply(status=200)"
