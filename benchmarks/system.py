"""The whole product beside a sandbox, for a benchmark: real processes, real HTTP, a real database.

The sandbox runs in the benchmark's own process, which can read it and script its faults; web
server, supervisor and both clusters are processes of their own. The benchmark reads what they did
through the ORM: `benchmarks.ledger` may be imported once `running` has been entered.
"""

import hashlib
import hmac
import json
import logging
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import django
from django.db import connections

from benchmarks import ingest, load
from benchmarks.crash import Poster
from sandbox import Sandbox, brokers
from sandbox.postgres import postgres
from sandbox.processes import Processes

SENDERS = 8
WARM_UP_SECONDS = 8.0  # until both clusters have their workers


@dataclass(frozen=True, kw_only=True)
class System:
    """What is running: its port, its processes (`supervise` alone) and where they log."""

    port: int
    processes: Processes
    log: Path

    @property
    def supervisor(self) -> int:
        """The supervisor's process id."""
        return self.processes.running[0].pid

    def start(self) -> None:
        """Start supervisor, web server and clusters, and wait until they are there."""
        self.processes.start(self.log, "supervise")
        ingest.wait_for(self.port)
        time.sleep(WARM_UP_SECONDS)

    def send(self, events: Sequence[dict[str, Any]]) -> tuple[list[str], Counter[str]]:
        """Post each event until it gets a 200, several at once; their ids, and the answers."""
        shares = [events[number::SENDERS] for number in range(SENDERS)]
        posters = [
            Poster(
                self.port,
                [signed(event, self.port) for event in share],
                [event["event_id"] for event in share],
            )
            for share in shares
            if share
        ]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join()
        acknowledged = [event_id for poster in posters for event_id in poster.acknowledged]
        return acknowledged, sum((poster.counts for poster in posters), Counter[str]())


@contextmanager
def running(
    sandbox: Sandbox,
    *,
    sqlite: bool,
    log: Path | None = None,
    broker: brokers.Broker | None = None,
) -> Iterator[System]:
    """The system on a database of its own, all of which is gone afterwards, but for a named log.

    Without a broker the database is the broker. This process's Django is set up for the same
    database. SIGTERM ends the benchmark as Ctrl-C does: nothing stays behind.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="savedesk-bench-")))
        url = f"sqlite:///{folder}/bench.sqlite3" if sqlite else stack.enter_context(postgres())
        stack.enter_context(sandbox)
        port = ingest.free_port()
        variables = environment(url, port, sandbox)
        if broker:
            variables |= stack.enter_context(brokers.running(broker)).environment
        processes = Processes(variables)
        processes.manage("migrate", "--noinput")
        processes.manage("load_starter_rules")
        os.environ.update(processes.environment)
        django.setup()
        logging.getLogger().setLevel(logging.WARNING)  # the report is read, not the server's log
        stack.callback(connections.close_all)
        stack.callback(processes.stop)
        system = System(port=port, processes=processes, log=log or folder / "savedesk.log")
        system.start()
        yield system


@contextmanager
def stopped_once(broker: brokers.Broker | None, *, after: float, seconds: float) -> Iterator[None]:
    """Kill the broker some seconds after the block began; start it anew, empty, when they are over.

    Without a broker, or when the block ends before, nothing happens.
    """
    ended = threading.Event()

    def stop_and_start() -> None:
        if broker and not ended.wait(after):
            print(f"{broker.name} is stopped for {seconds:g} s", flush=True)
            broker.stop()
            ended.wait(seconds)
            broker.start()
            print(f"{broker.name} is back, empty", flush=True)

    thread = threading.Thread(target=stop_and_start, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def environment(url: str, port: int, sandbox: Sandbox) -> dict[str, str]:
    return {
        **ingest.environment(url, port),
        "CIO_APP_KEY": sandbox.cio_key,
        "CIO_APP_BASE_URL": sandbox.cio_base_url,
        "MAVERA_API_KEY": sandbox.mavera_key,
        "MAVERA_BASE_URL": sandbox.mavera_base_url,
        "MAVERA_WORKSPACE_ID": "",
    }


def signed(event: dict[str, Any], port: int) -> bytes:
    """A whole HTTP request as Customer.io would send it."""
    body, stamp = json.dumps(event).encode(), str(int(time.time()))
    mac = hmac.new(load.SECRET.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256)
    head = (
        f"POST /webhooks/customerio/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: application/json\r\nX-CIO-Timestamp: {stamp}\r\n"
        f"X-CIO-Signature: {mac.hexdigest()}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def event_of(event_id: str, person: str, sandbox: Sandbox, metric: str) -> dict[str, Any]:
    """An event about somebody the sandbox knows: `unsubscribed` of the person, or of an e-mail."""
    known = sandbox.people.find("id", person)
    identifiers = known.identifiers if known else {"id": person}
    data: dict[str, Any] = {"identifiers": identifiers}
    is_of_person = metric == "unsubscribed"
    if not is_of_person:
        data |= {"delivery_id": f"delivery-{event_id}", "recipient": identifiers.get("email")}
    return {
        "event_id": event_id,
        "object_type": "customer" if is_of_person else "email",
        "metric": metric,
        "timestamp": int(time.time()),
        "data": data,
    }


def worst_window(moments: Sequence[float], seconds: float) -> int:
    """The largest number of moments within any `seconds`."""
    ordered, first, most = sorted(moments), 0, 0
    for last, moment in enumerate(ordered):
        while ordered[first] <= moment - seconds:
            first += 1
        most = max(most, last - first + 1)
    return most


def most_at_once(spans: Sequence[tuple[float, float]]) -> int:
    """The largest number of spans that overlap. A span that ends when another begins does not."""
    changes = sorted([(begun, 1) for begun, _ in spans] + [(ended, -1) for _, ended in spans])
    running = most = 0
    for _, change in changes:
        running += change
        most = max(most, running)
    return most
