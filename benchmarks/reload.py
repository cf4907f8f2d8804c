"""Reloads the web server under constant requests and counts what was not answered 2xx.

    python -m benchmarks.reload [--reloads 20] [--keep-alive]

Three conditions, each with one worker and with two: bytecode in place (warm), all code compiled
anew by each worker (cold), and beside as many busy processes as there are cores. Prints answers by
code, refused, reset and empty ones, and the longest answer. All but 200 must be zero: Customer.io
waits an hour after a refused connection.
"""

import argparse
import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator

import psutil

from benchmarks import ingest, load

SENDERS = 4


class Sender(threading.Thread):
    """One sender like Customer.io: a request at a time, each on a connection of its own or kept."""

    def __init__(self, port: int, requests: Iterable[bytes], until: float, *, keep: bool) -> None:
        super().__init__(daemon=True)
        self.port, self.requests, self.until, self.keep = port, requests, until, keep
        self.counts: Counter[str] = Counter()
        self.longest = 0.0

    def run(self) -> None:
        peer: socket.socket | None = None
        for request in self.requests:
            if time.monotonic() > self.until:
                break
            began = time.monotonic()
            try:
                peer = peer or socket.create_connection(("127.0.0.1", self.port), timeout=10)
                peer.sendall(request)
                answer = peer.recv(65536)
                while b"}" not in answer and answer:
                    more = peer.recv(65536)
                    if not more:
                        break
                    answer += more
                word = answer[9:12].decode() or "closed without an answer"
            except ConnectionRefusedError:
                word, answer = "refused", b""
            except OSError as error:
                word, answer = type(error).__name__, b""
            self.counts[word] += 1
            self.longest = max(self.longest, time.monotonic() - began)
            if peer and (not self.keep or not answer or b"connection: close" in answer.lower()):
                peer.close()
                peer = None


def events(port: int, over: threading.Event) -> Iterator[bytes]:
    """New webhooks until all is over."""
    while not over.is_set():
        yield load.requests(1, secrets.token_hex(8), port)[0]


@contextlib.contextmanager
def busy_processes() -> Iterator[None]:
    """As many as there are cores, each counting for ever."""
    code = "while True: pass"
    busy = [
        subprocess.Popen([sys.executable, "-c", code])  # noqa: S603 - our own command
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for one in busy:
            one.kill()


def reload(server: "subprocess.Popen[bytes]") -> None:
    """Reload, and wait until none of the workers from before is left."""
    before = psutil.Process(server.pid).children()
    server.send_signal(signal.SIGHUP)
    _, alive = psutil.wait_procs(before, timeout=120)
    if alive:
        raise SystemExit("a worker from before the reload is still there after two minutes")


def measure(
    name: str, workers: int, reloads: int, *, keep: bool, environment: dict[str, str]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        port = ingest.free_port()
        env = ingest.environment(f"sqlite:///{folder}/reload.sqlite3", port)
        ingest.manage(env, "migrate", "--noinput")
        command = [*ingest.web_command(env), "--workers", str(workers)]
        server = subprocess.Popen(  # noqa: S603 - our own command
            command, cwd=ingest.ROOT, env={**env, **environment}, start_new_session=True
        )
        try:
            ingest.wait_for(port)
            over = threading.Event()
            senders = [
                Sender(port, events(port, over), float("inf"), keep=keep) for _ in range(SENDERS)
            ]
            for sender in senders:
                sender.start()
            time.sleep(2)
            for _ in range(reloads):
                reload(server)
                time.sleep(0.5)
            over.set()
            for sender in senders:
                sender.join()
        finally:
            os.killpg(server.pid, signal.SIGKILL)
    counts = sum((sender.counts for sender in senders), Counter())
    wrong = {word: count for word, count in counts.items() if word != "200"}
    longest = max(sender.longest for sender in senders)
    print(
        f"{name:<12} {workers} workers  {reloads} reloads  200: {counts['200']:>6}"
        f"  anything else: {sum(wrong.values())} {wrong or ''}  longest {1000 * longest:.0f} ms",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reloads", type=int, default=20, help="in each row (%(default)s)")
    parser.add_argument("--keep-alive", action="store_true", help="keep connections open")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as nothing:
        cold = {"PYTHONPYCACHEPREFIX": nothing, "PYTHONDONTWRITEBYTECODE": "1"}
        for workers in (1, 2):
            measure("warm", workers, given.reloads, keep=given.keep_alive, environment={})
            measure("cold", workers, given.reloads, keep=given.keep_alive, environment=cold)
            with busy_processes():
                measure(
                    "beside load", workers, given.reloads, keep=given.keep_alive, environment={}
                )


if __name__ == "__main__":
    main()
