"""Reloads the web server under constant load and counts what was not answered 2xx.

    python -m benchmarks.reload [--seconds 20] [--reloads 5] [--keep-alive]

Prints answers by code, refused and broken connections, and the longest pause. Both counts must be
zero: Customer.io waits an hour after a refused connection.
"""

import argparse
import os
import secrets
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter

from benchmarks import ingest, load


class Sender(threading.Thread):
    """One sender like Customer.io: a request at a time, each on a connection of its own or kept."""

    def __init__(self, port: int, requests: list[bytes], until: float, *, keep: bool) -> None:
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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=20.0, help="of load (%(default)g)")
    parser.add_argument("--reloads", type=int, default=5, help="meanwhile (%(default)s)")
    parser.add_argument("--keep-alive", action="store_true", help="keep connections open")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        port = ingest.free_port()
        env = ingest.environment(f"sqlite:///{folder}/reload.sqlite3", port)
        ingest.manage(env, "migrate", "--noinput")
        server = subprocess.Popen(  # noqa: S603 - our own command
            ingest.web_command(env), cwd=ingest.ROOT, env=env, start_new_session=True
        )
        try:
            ingest.wait_for(port)
            time.sleep(1)
            until = time.monotonic() + given.seconds
            senders = [
                Sender(
                    port,
                    load.requests(20_000, secrets.token_hex(4), port),
                    until,
                    keep=given.keep_alive,
                )
                for _ in range(8)
            ]
            for sender in senders:
                sender.start()
            for _ in range(given.reloads):
                time.sleep(given.seconds / (given.reloads + 1))
                server.send_signal(signal.SIGHUP)
            for sender in senders:
                sender.join()
        finally:
            os.killpg(server.pid, signal.SIGKILL)
    counts = sum((sender.counts for sender in senders), Counter())
    wrong = {word: count for word, count in counts.items() if word != "200"}
    longest = max(sender.longest for sender in senders)
    print(f"{given.reloads} reloads in {given.seconds:.0f} s, {counts['200']} answered 200")
    print(f"not 2xx or refused: {sum(wrong.values())} {wrong or ''}")
    print(f"longest answer: {1000 * longest:.0f} ms")


if __name__ == "__main__":
    main()
