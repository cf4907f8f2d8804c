"""Old rows are removed while signed events arrive, on PostgreSQL, beside the receiver alone.

    python -m benchmarks.prune                   of 1,000,000 events, 200 more a second
    python -m benchmarks.prune --events 20000    to see that it works
    python -m benchmarks.prune --limit 1000000   until all that is over is gone: half an hour

The web server and the clusters run as a team runs them. First events arrive without a removal, then
`manage.py prune` removes some of what is there while they go on arriving at the same pace, then
without it again. An answer's time counts from the moment at which its request was due, so a stall
is counted for all that wait behind it. The ratio of the 99th percentiles must not exceed GOAL. Rows
a second stand beside one bare DELETE of a tenth as many rows in the same tables.
"""

import argparse
import re
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg

from benchmarks import ingest, load
from sandbox.postgres import postgres

GOAL = 1.5
SENDERS = 8
WARM_SECONDS = 20.0  # the clusters start meanwhile, on the same cores
# Half are ignored, over 90 to 400 days; a tenth have a signal. Bodies are of an ordinary size.
FILL = """
    INSERT INTO webhooks_webhookevent (event_id, object_type, metric, occurred_at, identifiers,
        body, body_size, body_sha256, headers, is_verified, status, status_reason, received_at,
        last_received_at, deliveries, tries, history, finished_at)
    SELECT '{name}-' || n, 'email', 'delivered', at,
        jsonb_build_object('id', 'person-' || n % 5000),
        convert_to(rpad('{{"data": "' || md5(n::text), 600, md5(random()::text)), 'UTF8'), 600,
        '', '{{}}', true, CASE WHEN n % 2 = 0 THEN 'ignored' ELSE 'processed' END,
        'no brief: no rule makes a signal of it', at, at, 1, 1, '[]', at
    FROM generate_series(1, {number}) n,
        LATERAL (
            SELECT now() - interval '36 days' - n * interval '400 days' / {number} AS at
        ) moment
"""
SIGNALS = """
    INSERT INTO personas_customer (cio_id, email, attributes, devices, preferences, is_deleted)
    SELECT 'p' || n, 'p' || n || '@example.com', '{}', '[]', '{}', false
    FROM generate_series(1, 5000) n;
    INSERT INTO briefs_signal (event_id, customer_id, kind, effect, severity, level, why, message,
        happened_at)
    SELECT id, (SELECT MIN(id) FROM personas_customer) + id % 5000, 'subscribed', 'good_news', 1,
        'person', 'a rule', '{}', received_at
    FROM webhooks_webhookevent WHERE status = 'processed' AND id % 5 = 0
"""


@dataclass
class Arriving:
    """Signed events at a steady pace, each answered or not."""

    port: int
    rate: float
    latencies: list[float] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)

    def until(self, is_over: Callable[[], bool]) -> None:
        threads = [
            threading.Thread(target=self._send, args=(number, is_over)) for number in range(SENDERS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _send(self, number: int, is_over: Callable[[], bool]) -> None:
        every = SENDERS / self.rate
        peer = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        due = time.perf_counter() + every * number / SENDERS
        ready: list[bytes] = []
        while not is_over():
            if not ready:  # signed in passing: each is young when it is sent
                ready = load.requests(int(5 / every) + 1, secrets.token_hex(4), self.port)
            time.sleep(max(0.0, due - time.perf_counter()))
            peer.sendall(ready.pop())
            code = _answer(peer)
            self.latencies.append(time.perf_counter() - due)
            self.codes[code] += 1
            due += every
        peer.close()

    def percentile(self, share: float) -> float:
        """Milliseconds."""
        ordered = sorted(self.latencies)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def show(self, name: str) -> None:
        wrong = {code: count for code, count in self.codes.items() if code != "200"}
        print(
            f"{name:<40}{len(self.latencies):>8,} answers  p50 {self.percentile(0.5):6.1f}  "
            f"p99 {self.percentile(0.99):6.1f}  p99.9 {self.percentile(0.999):6.1f} ms"
            + (f"  NOT 200: {wrong}" if wrong else ""),
            flush=True,
        )


def _answer(peer: socket.socket) -> str:
    answer = b""
    while True:
        chunk = peer.recv(65536)
        if not chunk:
            return "closed"
        answer += chunk
        head, found, body = answer.partition(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]
        if found and len(body) >= int(length or 0):
            return answer[9:12].decode()


def for_seconds(seconds: float) -> Callable[[], bool]:
    end = time.perf_counter() + seconds
    return lambda: time.perf_counter() >= end


def bare_delete(connection: psycopg.Connection[Any], number: int) -> float:
    """Rows a second that one DELETE of as many rows takes, with indexes and foreign keys."""
    connection.execute(FILL.format(name="bare", number=number))
    connection.execute("ANALYZE webhooks_webhookevent")
    began = time.perf_counter()
    done = connection.execute("DELETE FROM webhooks_webhookevent WHERE event_id LIKE 'bare-%'")
    return done.rowcount / (time.perf_counter() - began)


def fill(url: str, number: int) -> float:
    """Fill the tables; returns the rows a second of the bare DELETE."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.format(name="old", number=number))
        connection.execute(SIGNALS)
        connection.execute("ANALYZE")
        rate = bare_delete(connection, max(number // 10, 1000))
        connection.execute("VACUUM ANALYZE webhooks_webhookevent")
    return rate


def measure(url: str, number: int, rate: float, seconds: float, limit: int) -> float:
    """Show all of it; returns the ratio of the two 99th percentiles."""
    port = ingest.free_port()
    env = ingest.environment(url, port)
    ingest.manage(env, "migrate", "--noinput")
    ingest.manage(env, "load_starter_rules")
    bare = fill(url, number)
    print(f"{'ceiling: one bare DELETE':<40}{bare:>8,.0f} rows/s", flush=True)
    workers = (sys.executable, "manage.py", "supervise", "--no-web")
    with ingest.process(env, *ingest.web_command(env)), ingest.process(env, *workers):
        ingest.wait_for(port)
        Arriving(port, rate).until(for_seconds(WARM_SECONDS))
        alone, beside = Arriving(port, rate), Arriving(port, rate)
        alone.until(for_seconds(seconds))
        began = time.perf_counter()
        command = [sys.executable, "manage.py", "prune", "--limit", str(limit)]
        pruning = subprocess.Popen(  # noqa: S603 - ours
            command, cwd=ingest.ROOT, env=env, text=True, stdout=subprocess.PIPE
        )
        beside.until(lambda: pruning.poll() is not None)
        took = time.perf_counter() - began
        alone.until(for_seconds(seconds))
        said = pruning.communicate()[0]
    alone.show("the receiver without a removal")
    beside.show("the receiver beside it")
    print(said, end="")
    found = re.search(r"([\d,]+) rows ended", said)
    rows = int(found.group(1).replace(",", "")) if found else 0
    print(
        f"{'removed':<40}{rows / took:>8,.0f} rows/s  {rows / took / bare:.3f} of the bare DELETE"
    )
    return beside.percentile(0.99) / alone.percentile(0.99)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=1_000_000, help="there before (%(default)s)")
    parser.add_argument("--rate", type=float, default=200, help="new ones a second (%(default)g)")
    parser.add_argument("--seconds", type=float, default=30, help="without, twice (%(default)g)")
    parser.add_argument("--limit", type=int, default=60_000, help="rows removed (%(default)s)")
    given = parser.parse_args()
    with postgres() as url:
        ratio = measure(url, given.events, given.rate, given.seconds, given.limit)
    missed = " MISSED" if ratio > GOAL else ""
    print(f"{'p99 beside it : without':<40}{ratio:>8.2f}  goal {GOAL}{missed}")


if __name__ == "__main__":
    main()
