"""The test's database behind a real PgBouncer in transaction mode."""

from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from django.db import connections
from psycopg.conninfo import make_conninfo

from sandbox import pgbouncer

needs_pgbouncer = pytest.mark.skipif(
    not pgbouncer.PROGRAM, reason="PgBouncer is not installed (apt-get install pgbouncer)"
)


def address(wrapper, **changed):
    """Where a connection of Django's goes, for PostgreSQL's own clients."""
    given = {**wrapper.get_connection_params(), **changed}
    parts = ("host", "port", "user", "password", "dbname")
    return make_conninfo(**{part: given[part] for part in parts if given.get(part)})


@contextmanager
def behind_pgbouncer(*, size=1, **changed):
    """Let Django's connection go through a pooler with so many connections to the server.

    changed: the user as whom the pooler connects, if not the same.
    """
    direct = connections["default"]
    with pgbouncer.pgbouncer(address(direct, **changed), size=size) as url:
        pooled = direct.copy()
        parts = urlsplit(url)
        pooled.settings_dict.update(HOST=parts.hostname, PORT=str(parts.port))
        connections["default"] = pooled
        try:
            yield pooled
        finally:
            pooled.close()
            connections["default"] = direct
