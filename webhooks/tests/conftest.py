"""What the tests that start a real web server share."""

import pytest

from config.tests import template
from webhooks.tests.real_server import Server, empty_database


@pytest.fixture(scope="session")
def migrated(tmp_path_factory):
    """The URL of a database to copy, because migrating a new one for each test takes seconds."""
    if template.url():
        yield template.url()
        return
    with empty_database(tmp_path_factory.mktemp("migrated")) as url:
        Server(url).manage("migrate", "--noinput", "-v0")
        yield url
