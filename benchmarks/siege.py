"""The receiver under siege: signed webhooks beside log-ins, probes and slow bodies.

    python -m benchmarks.siege [--seconds 15] [--database sqlite|postgresql]

Four senders with 25 webhooks a second each, a connection for each webhook. First alone; then beside
64 people who log in with wrong passwords, 40 probes of /readyz and 32 webhooks whose bodies arrive
byte by byte, all without a pause. Of the webhooks every one must be answered 200, 99 of 100 within
500 ms, none after more than 2 s. A colleague who asks for a page once a second shows what is left
for people.
"""

import argparse
import contextlib
import http.client
import multiprocessing
import re
import secrets
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing.queues import Queue
from typing import Any
from urllib.parse import urlencode

from benchmarks import ingest, load
from sandbox.postgres import postgres

SENDERS, A_SECOND = 4, 25
LOG_INS, PROBES, SLOW = 64, 40, 32
PATIENCE = 10.0  # s; Customer.io has 4
Outcome = tuple[str, str, float]  # who, the answer's code, seconds


def send(port: int, seconds: float, told: "Queue[list[Outcome]]") -> None:
    """One sender like Customer.io: a webhook after the other, a connection for each."""
    outcomes: list[Outcome] = []
    began = time.monotonic()
    ready = load.requests(int(seconds * A_SECOND), secrets.token_hex(4), port)
    for number, request in enumerate(ready):
        time.sleep(max(0.0, began + number / A_SECOND - time.monotonic()))
        if time.monotonic() > began + seconds:
            break
        sent = time.monotonic()
        outcomes.append(("webhook", _answer(port, request), time.monotonic() - sent))
    told.put(outcomes)


def _answer(port: int, request: bytes) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
            peer.sendall(request)
            return peer.recv(65536)[9:12].decode() or "closed"
    except OSError as error:
        return type(error).__name__


def log_in(port: int) -> Iterator[str]:
    """Somebody who tries names and passwords as fast as they are answered."""
    while True:
        with _connection(port) as connection:
            connection.request("GET", "/login/")
            response = connection.getresponse()
            page, cookie = response.read().decode(), response.getheader("Set-Cookie", "")
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
            if response.status != 200 or not token:
                yield str(response.status)
                continue
            fields = {"csrfmiddlewaretoken": token[1], "password": "wrong"}
            body = urlencode({**fields, "username": secrets.token_hex(6)})
            kind = {"Content-Type": "application/x-www-form-urlencoded"}
            headers = {**kind, "Cookie": cookie.partition(";")[0]}
            connection.request("POST", "/login/", body, headers)
            yield str(connection.getresponse().status)


def probe(port: int) -> Iterator[str]:
    while True:
        with _connection(port) as connection:
            connection.request("GET", "/readyz")
            yield str(connection.getresponse().status)


def trickle(port: int) -> Iterator[str]:
    """A webhook with two headers that look signed, whose body comes byte by byte."""
    head = (
        "POST /webhooks/customerio/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000\r\n"
        f"X-CIO-Timestamp: {time.time():.0f}\r\nX-CIO-Signature: {'0' * 64}\r\n\r\n"
    )
    while True:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
            peer.sendall(head.encode())
            peer.settimeout(0.5)
            for _ in range(1000):
                peer.sendall(b"x")
                with contextlib.suppress(TimeoutError):
                    yield peer.recv(4096)[9:12].decode() or "closed"
                    break


def read_page(port: int) -> Iterator[str]:
    """A colleague who asks for a page once a second, and is sent to log in: 302."""
    while True:
        time.sleep(1)
        with _connection(port) as connection:
            connection.request("GET", "/", headers={"Accept": "text/html"})
            yield str(connection.getresponse().status)


@contextlib.contextmanager
def _connection(port: int) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


def besiege(port: int, seconds: float, told: "Queue[list[Outcome]]") -> None:
    """All besiegers, in one process of their own."""
    outcomes: list[Outcome] = []
    until = time.monotonic() + seconds
    kinds: list[tuple[str, int, Callable[[int], Iterator[str]]]] = [
        ("log-in", LOG_INS, log_in),
        ("probe", PROBES, probe),
        ("slow body", SLOW, trickle),
        ("page", 1, read_page),
    ]

    def go_on(name: str, act: Callable[[int], Iterator[str]]) -> None:
        while time.monotonic() < until:
            began = time.monotonic()
            try:
                for code in act(port):
                    outcomes.append((name, code, time.monotonic() - began))
                    began = time.monotonic()
                    if began > until:
                        return
            except (OSError, http.client.HTTPException) as error:
                outcomes.append((name, type(error).__name__, time.monotonic() - began))

    threads = [
        threading.Thread(target=go_on, args=(name, act), daemon=True)
        for name, count, act in kinds
        for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, until + PATIENCE + 2 - time.monotonic()))
    told.put(list(outcomes))


def run(port: int, seconds: float, *, is_siege: bool) -> list[Outcome]:
    told: Queue[list[Outcome]] = multiprocessing.Queue()
    work: list[Any] = [multiprocessing.Process(target=besiege, args=(port, seconds + 2, told))]
    work *= is_siege
    for one in work:
        one.start()
    time.sleep(1)  # the siege has begun before the first webhook
    senders = [
        multiprocessing.Process(target=send, args=(port, seconds, told)) for _ in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    work += senders
    outcomes = [outcome for _ in work for outcome in told.get(timeout=seconds + 60)]
    for one in work:
        one.join()
    return outcomes


def show(name: str, outcomes: list[Outcome]) -> None:
    print(name)
    for kind in dict.fromkeys(kind for kind, _, _ in outcomes):
        codes = Counter(code for one, code, _ in outcomes if one == kind)
        times = sorted(1000 * seconds for one, _, seconds in outcomes if one == kind)
        p50, p99 = times[len(times) // 2], times[int(0.99 * (len(times) - 1))]
        print(
            f"  {kind:<10} {len(times):>6}  p50 {p50:7.1f}  p99 {p99:7.1f}  max {times[-1]:7.1f} ms"
            f"  {dict(codes.most_common())}",
            flush=True,
        )


def measure(name: str, url: str, seconds: float) -> None:
    port = ingest.free_port()
    env = ingest.environment(url, port)
    ingest.manage(env, "migrate", "--noinput")
    ingest.manage(env, "load_starter_rules")
    with ingest.process(env, *ingest.web_command(env)):
        ingest.wait_for(port)
        run(port, 1, is_siege=False)  # warm
        show(f"{name}, alone", run(port, seconds, is_siege=False))
        show(f"{name}, under siege", run(port, seconds, is_siege=True))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=15.0, help="each (%(default)g)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    given = parser.parse_args()
    if given.database != "postgresql":
        with tempfile.TemporaryDirectory() as folder:
            measure("SQLite", f"sqlite:///{folder}/siege.sqlite3", given.seconds)
    if given.database != "sqlite":
        with postgres() as url:
            measure("PostgreSQL", url, given.seconds)


if __name__ == "__main__":
    main()
