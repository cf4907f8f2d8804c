"""Brief after brief while the broker is well, away, frozen and purged.

    python -m benchmarks.broker_away [--sqlite] [--events 12] [--pause 1.5] [--only Redis]

For each broker a desk of its own: web server, supervisor and clusters as real processes, PostgreSQL
with its durability on unless told otherwise, and a sandbox that answers at once. A customer
unsubscribes every 1.5 seconds; the time is from the event's `received_at` to the brief's
`created_at`, both stamped by the database. The states:

- away: its process is killed before the first event, and started anew, empty, after the last;
- frozen: it is stopped (SIGSTOP): it accepts connections and answers nothing;
- purged: all its queues are emptied a moment after each event.

The ORM broker is the database, so it can only be purged. Each line ends with what was lost or
doubled, and with how long `/readyz` took to say that the broker does not answer. Ends with 1 if a
p95 is above 15 seconds, an event was lost or worked on twice, or `/readyz` was silent or later.
"""

import argparse
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass

import requests

from benchmarks.installation import Database, Desk, new_postgres, new_sqlite
from sandbox import brokers

GOAL_SECONDS = 15.0
PATIENCE_SECONDS = 150.0
PENDING = "SELECT -count(*) FROM webhooks_webhookevent WHERE status = 'pending'"


@dataclass
class Readiness:
    """Asks `/readyz` twice a second, until it says that something is wrong or the block ends."""

    url: str
    told_after: float | None = None

    @contextmanager
    def asked(self) -> Iterator[None]:
        ended = threading.Event()
        thread = threading.Thread(target=self._ask, args=(ended, time.monotonic()), daemon=True)
        thread.start()
        yield
        ended.set()
        thread.join()

    def _ask(self, ended: threading.Event, began: float) -> None:
        while not ended.wait(0.5):
            with suppress(requests.RequestException):
                if requests.get(self.url, timeout=5).status_code == 503:
                    self.told_after = time.monotonic() - began
                    return


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # nothing stays behind
    given = _arguments()
    broken = False
    for name in ("ORM", "Redis", "SQS"):
        if given.only in ("", name):
            new = new_sqlite() if given.sqlite else new_postgres()
            with new as database:
                broken |= measure(name, database, given.events, given.pause)
    sys.exit(broken)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--events", type=int, default=12, help="in each state (%(default)d)")
    parser.add_argument("--pause", type=float, default=1.5, help="between two (%(default)g s)")
    parser.add_argument("--only", default="", choices=["", "ORM", "Redis", "SQS"])
    return parser.parse_args()


def measure(name: str, database: Database, events: int, pause: float) -> bool:
    """Print a line for each state of this broker; True if a promise was broken."""
    broker = {"Redis": brokers.redis, "SQS": brokers.sqs}[name]() if name != "ORM" else None
    with brokers.running(broker) if broker else nullcontext(), Desk(database) as desk:
        desk.env.update(broker.environment if broker else {})
        desk.start_sandbox(latency=0)
        desk.start(web=True)
        states: list[tuple[str, Callable[[], None], Callable[[], None], Callable[[], None]]]
        states = [("well", _nothing, _nothing, _nothing)]
        if broker:
            states.append(("away", broker.stop, _nothing, broker.start))
            states.append(("frozen", broker.freeze, _nothing, broker.thaw))
            states.append(("purged", _nothing, broker.purge, _nothing))
        else:
            states.append(("purged", _nothing, lambda: _purge(database), _nothing))
        broken = False
        for state, before, after_each, afterwards in states:
            before()
            readiness = Readiness(f"http://127.0.0.1:{desk.port}/readyz")
            with readiness.asked():
                run = _post(desk, events, pause, after_each)
                desk.wait(PENDING, 0, PATIENCE_SECONDS)
            afterwards()
            told_after = readiness.told_after
            broken |= _show(f"{database.name}, {name}, {state}", database, run, events, told_after)
            time.sleep(3)  # the next state begins with everything connected again
    return broken


def _nothing() -> None:
    pass


def _purge(database: Database) -> None:
    connection = database.connect()
    connection.execute("DELETE FROM django_q_ormq")
    if database.is_postgres:
        connection.commit()
    connection.close()


def _post(desk: Desk, events: int, pause: float, after_each: Callable[[], None]) -> str:
    """Post events with a pause after each; returns what their ids begin with."""
    run = secrets.token_hex(3)
    for number in range(events):
        desk.post(
            {
                "event_id": f"{run}-{number:05d}",
                "object_type": "customer",
                "metric": "unsubscribed",
                "timestamp": int(time.time()),
                "data": {"identifiers": {"id": f"enterprise-logistics-low-{run}{number}"}},
            }
        )
        after_each()
        time.sleep(pause)
    return run


def _show(name: str, database: Database, run: str, events: int, told_after: float | None) -> bool:
    rows = database.query(
        f"SELECT {database.seconds('e.received_at', 'b.created_at')}, b.id"
        " FROM webhooks_webhookevent e JOIN briefs_signal s ON s.event_id = e.id"
        f" JOIN briefs_brief b ON b.id = s.brief_id WHERE e.event_id LIKE '{run}-%'"
    )
    took = sorted(float(seconds) for seconds, _ in rows)
    lost, doubled = events - len({brief for _, brief in rows}), max(0, len(rows) - events)
    took += [PATIENCE_SECONDS] * lost  # at least that
    p50, p95 = (took[min(len(took) - 1, int(share * len(took)))] for share in (0.5, 0.95))
    must_tell = name.endswith(("away", "frozen"))
    is_late = p95 > GOAL_SECONDS
    is_untold = must_tell and (told_after is None or told_after > GOAL_SECONDS)
    told = "silent" if told_after is None else f"after {told_after:.1f} s"
    print(
        f"{name:<28}brief p50 {p50:6.2f}  p95 {p95:6.2f} s{' MISSED' if is_late else ''}"
        f"  n={events}  lost {lost}, doubled {doubled}"
        + (f"  /readyz {told}{' MISSED' if is_untold else ''}" if must_tell else ""),
        flush=True,
    )
    return bool(is_late or lost or doubled or is_untold)


if __name__ == "__main__":
    main()
