"""PgBouncer in transaction mode in front of a PostgreSQL, where it is installed.

It opens few connections to the server and lends them to its clients, for a transaction each.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict

from sandbox.processes import free_port

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
_SETTINGS = """[databases]
* = {server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 1000
"""


@contextmanager
def pgbouncer(url: str, *, size: int = 20) -> Iterator[str]:
    """Run it in front of the server of this URL; yields the URL of the same database through it.

    It connects as that URL's user, whoever its clients are. size: connections to the server.
    """
    server = conninfo_to_dict(url)
    name = str(server["dbname"])
    there = " ".join(f"{key}={server[key]}" for key in ("host", "port") if server.get(key))
    port = free_port(0)
    with tempfile.TemporaryDirectory(prefix="savedesk-pgbouncer-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - it may run as another user; the folder has no secret
        settings = Path(folder) / "pgbouncer.ini"
        settings.write_text(
            _SETTINGS.format(server=f"{there} user={server['user']}", port=port, size=size)
        )
        with _running(settings, Path(folder) / "log", port, _user(str(server.get("host")))):
            yield f"postgresql://{quote(str(server['user']))}@127.0.0.1:{port}/{name}"


def _user(host: str) -> list[str]:
    """It does not run as root. Only their owner may reach sockets in a temporary folder."""
    if os.geteuid() != 0:
        return []
    return ["-u", Path(host).owner() if host.startswith("/") else "nobody"]


@contextmanager
def _running(settings: Path, log: Path, port: int, as_user: list[str]) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - a program of the machine
            [str(PROGRAM), "-q", *as_user, str(settings)], stdout=output, stderr=output
        )
    try:
        _wait_for(port, process, log)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PgBouncer does not listen: {log.read_text()}")
