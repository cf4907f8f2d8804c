"""The whole product behind PgBouncer in transaction mode."""

import os

import pytest

from operations.supervising.tests import test_processes
from sandbox.pgbouncer import pgbouncer
from webhooks.tests.pooler import needs_pgbouncer

pytestmark = [pytest.mark.processes, pytest.mark.on_postgresql, pytest.mark.first]

database_on_server = test_processes.database_url
demo = test_processes.demo  # its fixtures ask for `database_url`, which is the one below


@pytest.fixture
def database_url(database_on_server):
    """Two connections to the server are all that web server and clusters get."""
    with pgbouncer(database_on_server, size=2) as url:
        yield url


@needs_pgbouncer
@pytest.mark.skipif(not os.environ.get("TEST_DATABASE_URL"), reason="TEST_DATABASE_URL names none")
def test_signal_becomes_a_brief_and_its_research_arrives(demo):
    demo._start()

    demo._enterprise_unsubscribes()

    assert "researched: new" in "\n".join(demo.lines)
