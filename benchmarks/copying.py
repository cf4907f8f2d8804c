"""The move from SQLite to PostgreSQL, beside bare COPY of the same rows.

    python -m benchmarks.copying [--briefs 20000]

A file of SQLite is filled by `benchmarks.filling`: five events for each brief. `copy_from_sqlite`
copies and compares it. The ceiling: the lines that PostgreSQL then writes by COPY are read by COPY
into tables of the same columns without an index, in one transaction, by one process that does
nothing else.
"""

import argparse
import time
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg import sql

from benchmarks import ingest
from benchmarks.installation import new_sqlite
from sandbox.postgres import postgres
from sandbox.processes import Processes

FILL = """
from datetime import datetime
from benchmarks import filling
filling.Filling({briefs}, datetime.fromisoformat("{now}")).write()
"""


def bare(url: str) -> tuple[int, float]:
    """Copy all tables by COPY alone; rows, and seconds."""
    with psycopg.connect(url) as connection:
        query = "SELECT relname FROM pg_stat_user_tables WHERE n_live_tup > 0"
        names = [name for (name,) in connection.execute(query).fetchall()]
        lines = {name: _written(connection, name) for name in names}
        began = time.monotonic()
        for name in names:
            copied = {"bare": sql.Identifier(f"bare_{name}"), "table": sql.Identifier(name)}
            connection.execute(sql.SQL("CREATE TABLE {bare} (LIKE {table})").format(**copied))
            copy = sql.SQL("COPY {bare} FROM STDIN").format(**copied)
            with connection.cursor() as cursor, cursor.copy(copy) as into:
                for number in range(0, len(lines[name]), 2_000):
                    into.write(b"".join(lines[name][number : number + 2_000]))
        connection.commit()
        seconds = time.monotonic() - began
    return sum(map(len, lines.values())), seconds


def _written(connection: "psycopg.Connection[Any]", name: str) -> list[bytes]:
    copy = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(name))
    with connection.cursor() as cursor, cursor.copy(copy) as out:
        return [bytes(line) for line in out]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--briefs", type=int, default=20_000, help="(%(default)s)")
    given = parser.parse_args()
    with new_sqlite() as file, postgres() as url:
        now = datetime.now(UTC).replace(tzinfo=None)
        Processes(ingest.environment(file.url, 1)).manage(
            "shell", "-c", FILL.format(briefs=given.briefs, now=now.isoformat())
        )
        target = Processes(ingest.environment(url, 1))
        target.manage("migrate", "--noinput")  # the copy alone is measured
        began = time.monotonic()
        told = target.manage("copy_from_sqlite", str(file.path))
        seconds = time.monotonic() - began
        print(told.splitlines()[-1])
        rows, ceiling = bare(url)
    print(f"copied and compared  {rows / seconds:>10,.0f} rows/s  in {seconds:.1f} s")
    print(f"bare COPY            {rows / ceiling:>10,.0f} rows/s  in {ceiling:.1f} s")
    print(f"ratio                {ceiling / seconds:>10.2f}")


if __name__ == "__main__":
    main()
