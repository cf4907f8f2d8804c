"""Ingest: signed webhooks through the real web server into a durable row, beside its ceilings.

    make bench                       the table on SQLite and PostgreSQL
    python -m benchmarks.ingest      the same, by hand

Every ratio is taken in one run on one machine. The ceilings:

- bare server: a process that answers at once and does nothing (how much the generator can send),
- HMAC only: Python's http.server checking the signature and storing nothing,
- one psycopg connection that commits the same INSERT in a loop, without HTTP,
- pgbench with as many clients, where it is installed.
"""

import argparse
import multiprocessing
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks import load
from sandbox.postgres import postgres

ROOT = Path(__file__).resolve().parent.parent
INSERT = """INSERT INTO webhooks_webhookevent (event_id, object_type, metric, identifiers, body,
    body_size, body_sha256, headers, is_verified, status, status_reason, received_at,
    last_received_at, deliveries, tries, history)
    VALUES ({id}, 'email', 'delivered', '{{}}', {body}, 380, '', '{{}}', true, 'pending', '',
    now(), now(), 1, 0, '[]')"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(database_url: str, port: int) -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DEBUG": "0",
        "SECRET_KEY": "key-of-the-benchmarks",
        "CIO_WEBHOOK_SECRET": load.SECRET,
        "CIO_APP_KEY": "",
        "MAVERA_API_KEY": "",
        "DATABASE_URL": database_url,
        "WEB_DATABASE_URL": "",
        "BROKER_URL": "orm://",
        "PORT": str(port),
    }


def manage(env: dict[str, str], *arguments: str) -> None:
    command = [sys.executable, "manage.py", *arguments]
    subprocess.run(command, cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - ours


@contextmanager
def process(env: dict[str, str], *command: str) -> Iterator[None]:
    """A process group for as long as the block lasts."""
    running = subprocess.Popen(  # noqa: S603 - our own commands
        command, cwd=ROOT, env=env, start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        running.terminate()
        try:
            running.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, 9)


def web_command(env: dict[str, str]) -> list[str]:
    """The command that the supervisor runs for the web server."""
    code = (
        "import django, json; django.setup();"
        "from operations.supervising.services import web_command;"
        "print(json.dumps(web_command('127.0.0.1')))"
    )
    done = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-c", code], cwd=ROOT, env=env, check=True, capture_output=True, text=True
    )
    import json

    command: list[str] = json.loads(done.stdout)
    return command


def wait_for(port: int) -> None:
    """Until something answers there. A connection alone may wait for a server that loads."""
    for _ in range(200):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as peer:
                peer.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                if peer.recv(65536):
                    return
        except OSError:
            time.sleep(0.05)
    raise SystemExit(f"nothing answers on {port}")


def measure(port: int, connections: int, seconds: float) -> load.Result:
    ready = load.requests(int(seconds * 12000) + connections, secrets.token_hex(4), port)
    return load.run(ready, port, connections, seconds)


def show(name: str, result: load.Result, ceiling: float | None = None) -> None:
    ratio = f"{result.rate / ceiling:5.2f}" if ceiling else "    -"
    wrong = {code: count for code, count in result.codes.items() if code != "200"}
    print(
        f"{name:<44}{result.rate:>8.0f}/s {ratio}  p50 {result.percentile(0.5):6.1f}  "
        f"p99 {result.percentile(0.99):6.1f}  p99.9 {result.percentile(0.999):6.1f} ms"
        + (f"  NOT 200: {wrong}" if wrong else ""),
        flush=True,
    )


# Ceilings -----------------------------------------------------------------------------------------


class _HmacOnly(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        import hashlib
        import hmac

        body = self.rfile.read(int(self.headers["Content-Length"]))
        signed = f"v0:{self.headers['X-CIO-Timestamp']}:".encode() + body
        hmac.compare_digest(
            hmac.new(load.SECRET.encode(), signed, hashlib.sha256).hexdigest(),
            self.headers["X-CIO-Signature"],
        )
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    def log_message(self, *args: Any) -> None:
        pass


def _hmac_only(port: int) -> None:
    ThreadingHTTPServer.request_queue_size = 128
    ThreadingHTTPServer(("127.0.0.1", port), _HmacOnly).serve_forever()


def _bare(port: int) -> None:
    """Answers everything with 200, as fast as one Python process can."""
    import selectors

    listener = socket.create_server(("127.0.0.1", port))
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                selector.register(listener.accept()[0], selectors.EVENT_READ)
                continue
            peer: Any = key.fileobj
            if peer.recv(65536):
                peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            else:
                selector.unregister(peer)
                peer.close()


def ceiling_of(serve: Any, connections: int, seconds: float) -> load.Result:
    port = free_port()
    server = multiprocessing.Process(target=serve, args=(port,), daemon=True)
    server.start()
    wait_for(port)
    try:
        return measure(port, connections, seconds)
    finally:
        server.kill()


def commits_in_a_loop(url: str, seconds: float) -> float:
    """Rows a second that one psycopg connection commits one by one."""
    import psycopg

    statement = INSERT.format(id="%s", body="%s")
    run, count, body = secrets.token_hex(4), 0, b"x" * 380
    with psycopg.connect(url, autocommit=True) as connection:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            connection.execute(statement, (f"loop-{run}-{count}", body))
            count += 1
    return count / seconds


def pgbench(url: str, clients: int, seconds: float) -> float | None:
    if not shutil.which("pgbench"):
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        identity = "'pgbench-' || gen_random_uuid()"
        script.write(INSERT.format(id=identity, body="'x'::bytea").replace("\n", " ") + ";\n")
        script.flush()
        done = subprocess.run(  # noqa: S603 - pgbench on our own server
            ["pgbench", "-n", "-f", script.name, "-c", str(clients), "-j", "2",  # noqa: S607 - found on the PATH
             "-T", str(int(seconds)), url],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    for line in done.stdout.splitlines():
        if line.startswith("tps"):
            return float(line.split()[2])
    return None


# The table ----------------------------------------------------------------------------------------


def table(name: str, url: str, seconds: float, ceiling: float | None) -> None:
    port = free_port()
    env = environment(url, port)
    manage(env, "migrate", "--noinput")
    manage(env, "load_starter_rules")
    with process(env, *web_command(env)):
        wait_for(port)
        measure(port, 16, 1)  # warm
        for connections in (16, 64):
            show(f"{name}, {connections} connections", measure(port, connections, seconds), ceiling)
        alone = measure(port, 16, seconds)
        with process(env, sys.executable, "manage.py", "supervise", "--no-web"):
            time.sleep(3)
            beside = measure(port, 16, seconds)
            show(f"{name}, 16 connections, drain running", beside, ceiling)
        print(f"{'  with the drain : without':<44}{'':>10} {beside.rate / alone.rate:5.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="for each line (%(default)g)")
    seconds = parser.parse_args().seconds
    print(f"{os.cpu_count()} cores, {seconds:.0f} s each; ratio to the psycopg loop of this run\n")
    show("ceiling: bare server", ceiling_of(_bare, 16, 2))
    show("ceiling: http.server, HMAC only", ceiling_of(_hmac_only, 16, 2))
    with postgres() as url:
        manage(environment(url, 1), "migrate", "--noinput")
        loop = commits_in_a_loop(url, seconds)
        print(f"{'ceiling: one psycopg connection committing':<44}{loop:>8.0f}/s  1.00")
        if rate := pgbench(url, 16, seconds):
            print(f"{'ceiling: pgbench, 16 clients':<44}{rate:>8.0f}/s {rate / loop:5.2f}")
        table("PostgreSQL", url, seconds, loop)
    with tempfile.TemporaryDirectory() as folder:
        table("SQLite", f"sqlite:///{folder}/bench.sqlite3", seconds, None)


if __name__ == "__main__":
    main()
