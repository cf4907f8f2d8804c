"""The test database is migrated once, and each of pytest's workers gets a copy.

All migrations take seconds of a core, and there are half a dozen workers. The process that directs
them makes the template while they collect the tests: it gives them none before.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.plugin import blocking_manager_key

from config.tests import restoring

TEMPLATE = "SAVEDESK_TEST_TEMPLATE"  # names it in the environment of the workers


class Template:
    """A plugin of pytest. Without workers the only process migrates its own database."""

    def pytest_configure(self, config: pytest.Config) -> None:
        if hasattr(config, "workerinput"):
            connection.creation.create_test_db = _copy  # type: ignore[method-assign]
        if not getattr(config.option, "tx", None):  # this process runs tests
            restoring.install()

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self, session: pytest.Session) -> Iterator[None]:
        if not getattr(session.config.option, "tx", None):
            return (yield)
        file = Path(tempfile.mkdtemp(prefix="savedesk-tests-")) / "template.sqlite3"
        os.environ[TEMPLATE] = "test_template" if _is_server() else str(file)
        session.config.add_cleanup(lambda: (file.unlink(missing_ok=True), file.parent.rmdir()))
        result = yield  # the workers are started
        with session.config.stash[blocking_manager_key].unblock():
            _make()
        return result


def name() -> str:
    """Of PostgreSQL's database to copy; its own template of new databases, without workers."""
    return os.environ.get(TEMPLATE, "template1")


def url() -> str:
    """The template's address for DATABASE_URL; empty without workers."""
    server = os.environ.get("TEST_DATABASE_URL", "")
    if TEMPLATE not in os.environ:
        return ""
    if not server:
        return f"sqlite:///{os.environ[TEMPLATE]}"
    address, _, query = server.partition("?")
    return f"{address.rpartition('/')[0]}/{name()}" + (f"?{query}" if query else "")


def _make() -> None:
    usual = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "test_template" if _is_server() else None
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    if not _is_server():
        with closing(sqlite3.connect(os.environ[TEMPLATE])) as file:
            connection.connection.backup(file)
    connection.close()  # PostgreSQL copies no database that somebody is connected to
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = usual


def _copy(verbosity: int = 1, autoclobber: bool = False, **options: Any) -> str:
    """In place of `create_test_db`, which migrates an empty database; returns the copy's name."""
    creation = connection.creation
    connection.settings_dict["TEST"]["TEMPLATE"] = os.environ[TEMPLATE]  # of PostgreSQL
    name = creation._create_test_db(verbosity, autoclobber, options.get("keepdb", False))
    connection.close()
    connection.settings_dict["NAME"] = settings.DATABASES["default"]["NAME"] = name
    connection.ensure_connection()
    if not _is_server():
        with closing(sqlite3.connect(os.environ[TEMPLATE])) as template:
            template.backup(connection.connection)
    return name


def _is_server() -> bool:
    return connection.vendor == "postgresql"
