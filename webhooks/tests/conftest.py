"""What the tests that start a real web server share."""

import pytest

from webhooks.tests.real_server import Server, empty_database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The URL of a database to copy, because migrating a new one for each test takes seconds."""
    with empty_database(tmp_path_factory.mktemp("migrated")) as url:
        Server(url).manage("migrate", "--noinput", "-v0")
        yield url
