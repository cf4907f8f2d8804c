"""Old rows are removed and a person is erased while signed events arrive, on PostgreSQL.

    python -m benchmarks.prune                   of 1,000,000 events, 200 more a second
    python -m benchmarks.prune --events 20000    to see that it works
    python -m benchmarks.prune --limit 1000000   until all that is over is gone: half an hour

The web server and the clusters run as a team runs them. First events arrive without a removal, then
`manage.py prune` removes some of what is there while they go on arriving at the same pace, then
`manage.py erase_customer` one of 5,000 people, then without either again. An answer's time counts
from the moment at which its request was due, so a stall is counted for all that wait behind it. The
99th percentile beside the removal, to that without, must not exceed GOAL. Rows
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


def beside(arriving: Arriving, env: dict[str, str], *command: str) -> tuple[float, str]:
    """Let events arrive while this command of manage.py runs; its seconds, and what it said."""
    began = time.perf_counter()
    running = subprocess.Popen(  # noqa: S603 - ours
        [sys.executable, "manage.py", *command],
        cwd=ingest.ROOT,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
    )
    arriving.until(lambda: running.poll() is not None)
    took, (said, _) = time.perf_counter() - began, running.communicate()
    if running.returncode:
        raise SystemExit(f"manage.py {command[0]} failed:\n{said}")
    return took, said


def fill(url: str, number: int) -> float:
    """Fill the tables; returns the rows a second of the bare DELETE."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(FILL.format(name="old", number=number))
        connection.execute(SIGNALS)
        connection.execute("ANALYZE")
        rate = bare_delete(connection, max(number // 10, 1000))
        connection.execute("VACUUM ANALYZE webhooks_webhookevent")
    return rate


def measure(url: str, number: int, rate: float, seconds: float, limit: int) -> list[float]:
    """Show all of it; returns p99 beside removal and erasure, each to that without."""
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
        alone, removal, erasure = (Arriving(port, rate) for _ in range(3))
        alone.until(for_seconds(seconds))
        took, said = beside(removal, env, "prune", "--limit", str(limit))
        erased_in, _ = beside(erasure, env, "erase_customer", "id:person-7", "--yes")
        alone.until(for_seconds(seconds))
    alone.show("the receiver without a removal")
    removal.show("the receiver beside it")
    erasure.show("the receiver beside an erasure")
    print(said, end="")
    found = re.search(r"([\d,]+) rows ended", said)
    rows = int(found.group(1).replace(",", "")) if found else 0
    print(
        f"{'removed':<40}{rows / took:>8,.0f} rows/s  {rows / took / bare:.3f} of the bare DELETE"
    )
    print(f"{'a person erased in':<40}{erased_in:>8.1f} s")
    return [one.percentile(0.99) / alone.percentile(0.99) for one in (removal, erasure)]


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
        ratios = measure(url, given.events, given.rate, given.seconds, given.limit)
    removal, erasure = ratios
    missed = " MISSED" if removal > GOAL else ""
    print(f"{'p99 beside the removal : without':<40}{removal:>8.2f}  goal {GOAL}{missed}")
    print(f"{'p99 beside the erasure : without':<40}{erasure:>8.2f}")


if __name__ == "__main__":
    main()
