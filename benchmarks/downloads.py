"""Lists as CSV at size: rows a second, and how much memory the web server takes for them.

    python -m benchmarks.downloads                              PostgreSQL, 200,000 briefs
    python -m benchmarks.downloads --sqlite --briefs 20000
    python -m benchmarks.downloads --database postgres://…      one that benchmarks.desk has filled

The web server runs as the supervisor starts it. Each list is downloaded once to warm up, cut off
after its first rows, and then whole. `grew`: the peak of the server's resident memory while it is
sent, above that of before; it must not depend on the length. `pages`: p95 of the inbox's first
page while the download runs. The last line is a client that reads slowly, and the inbox meanwhile.
"""

import argparse
import os
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import django
import psutil

from benchmarks import ingest
from benchmarks.desk import Client, database, filled
from benchmarks.installation import Desk
from benchmarks.pipeline import WIDTH, percentile

LISTS = {
    "all briefs, newest first": "/briefs.csv?state=all",
    "all briefs, by value": "/briefs.csv?state=all&ordering=-value",
    "closed": "/briefs.csv?state=closed",
    "open": "/briefs.csv",
    "all briefs, API": "/api/v1/briefs/csv/",
}
MOST_GROWTH = 60  # MiB
SLOW_SECONDS = 15


class Memory:
    """The highest resident memory of these processes while the block lasts, in MiB."""

    def __init__(self, servers: list[psutil.Process]) -> None:
        self.servers, self.is_over = servers, threading.Event()
        self.before = self.peak = self._now()
        self.thread = threading.Thread(target=self._watch)

    def _now(self) -> float:
        return float(sum(one.memory_info().rss for one in self.servers)) / 1024**2

    def _watch(self) -> None:
        while not self.is_over.wait(0.05):
            self.peak = max(self.peak, self._now())

    def __enter__(self) -> "Memory":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()

    @property
    def grew(self) -> float:
        return self.peak - self.before


def chunks(client: Client, path: str) -> Iterator[bytes]:
    client.connection.request("GET", path, headers=client.headers[path.startswith("/api/")])
    answer = client.connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"{path}: {answer.status}")
    while part := answer.read1(65536):
        yield part


@contextmanager
def inbox_meanwhile(client: Client) -> Iterator[list[float]]:
    """Ask for the inbox twice a second while the block lasts; how long each answer took."""
    is_over, lengths = threading.Event(), []

    def ask() -> None:
        while not is_over.wait(0.5):
            lengths.append(client.ask("/")[0])

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield lengths
    finally:
        is_over.set()
        thread.join()


def measure(
    name: str, path: str, servers: list[psutil.Process], given: tuple[int, str, str]
) -> None:
    first = Client(*given)
    next(chunks(first, path))
    first.connection.close()
    time.sleep(1)
    with Memory(servers) as memory, inbox_meanwhile(Client(*given)) as lengths:
        began, rows, size = time.perf_counter(), -1, 0  # without the line of column names
        for part in chunks(Client(*given), path):
            rows, size = rows + part.count(b"\n"), size + len(part)
        took = time.perf_counter() - began
    missed = " MISSED" if memory.grew > MOST_GROWTH else ""
    print(
        f"{name:<{WIDTH}}{rows:8,} rows {size / 1024**2:6.1f} MiB {took:6.1f} s"
        f" {rows / took:7,.0f} rows/s  grew {memory.grew:4.0f} MiB{missed}"
        f"  pages p95 {percentile(lengths or [0.0], 0.95):5.0f} ms",
        flush=True,
    )


def read_slowly(path: str, client: Client, other: Client) -> None:
    """A chunk a second: the download waits, and the inbox does not."""
    with inbox_meanwhile(other) as lengths:
        reading, rows = chunks(client, path), 0
        for _ in range(SLOW_SECONDS):
            rows += next(reading).count(b"\n")
            time.sleep(1)
    print(f"{'read slowly':<{WIDTH}}{rows:8,} rows in {SLOW_SECONDS} s; "
          f"pages p95 {percentile(lengths, 0.95):.0f} ms")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=200_000)
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--database", default="", help="the address of one to use instead")
    parser.add_argument("--only", default="", help="a word that the names must have")
    given = parser.parse_args()
    with ExitStack() as stack:
        used = stack.enter_context(database(given.database, is_sqlite=given.sqlite))
        desk = stack.enter_context(Desk(used))
        os.environ.update(desk.env)
        django.setup()
        cookie, token = filled(given.briefs)
        others = set(psutil.Process().children(recursive=True))
        stack.enter_context(ingest.process(desk.env, *ingest.web_command(desk.env)))
        ingest.wait_for(desk.port)
        servers = [one for one in psutil.Process().children(recursive=True) if one not in others]
        who = (desk.port, cookie, token)
        print(f"{used.name}, {os.cpu_count()} cores, {len(servers)} processes\n", flush=True)
        for name, path in LISTS.items():
            if given.only in name:
                measure(name, path, servers, who)
        read_slowly("/briefs.csv?state=all", Client(*who), Client(*who))


if __name__ == "__main__":
    main()
