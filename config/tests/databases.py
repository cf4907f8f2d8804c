"""Which tests run on which database: SQLite, PostgreSQL, or both.

A test that opens no database runs once: none of the two can change its result. Of the others, those
run on both databases whose rooms have SQL of our own.
"""

import re
from functools import cache
from pathlib import Path

import pytest

# The fixtures through which a test opens the database.
DATABASE = {"db", "transactional_db", "empty_database"}

# Rooms of pages, forms and words, whose statements Django writes. What we write in SQL ourselves is
# in other rooms, and is tested on both databases. `make test-all` runs these on PostgreSQL as well.
PAGES = (
    "accounts/people", "accounts/signing_in", "accounts/tests", "accounts/tokens", "briefs/desk",
    "briefs/notifying", "config", "operations/tests/test_queue_admin", "personas/starter",
    "webhooks/tests/test_admin",
)  # fmt: skip

# Rooms and modules that leave their SQL to Django, but for a lock or two that the demo's test takes
# on SQLite, and for the triggers that count writes to rules, which `personas/rules/tests/
# test_versions.py` has on both. In make test they run on PostgreSQL, which teams run, and in make
# test-all on SQLite as well.
ORM = (
    "briefs/admin", "briefs/api", "briefs/dossier", "briefs/downloads", "briefs/foreseeing",
    "briefs/models", "briefs/pipeline", "briefs/reprocessing/tests/test_jobs",
    "briefs/reprocessing/tests/test_reapplying", "briefs/research", "briefs/saving",
    "briefs/triage", "operations/tests/test_alarms", "operations/tests/test_budget_levels",
    "operations/tests/test_health", "operations/tests/test_openings",
    "operations/tests/test_progress", "operations/tests/test_reapply_rules",
    "operations/tests/test_register", "operations/tests/test_reprocess_events",
    "operations/tests/test_send_test_event", "operations/tests/test_upgrade.",
    "personas/admin", "personas/rules/tests/test_applying", "personas/rules/tests/test_exchange",
    "personas/rules/tests/test_reconstructing", "personas/rules/tests/test_restoring",
    "personas/tests/test_rules_commands",
)  # fmt: skip

# Of these words, a file with tests for PostgreSQL has one.
OPENS = re.compile(
    r"\b(db|django_db|transactional_db|threaded_db|empty_database|starter|live_server"
    r"|processes|on_postgresql)\b"
)
ON_SQLITE = re.compile(r"^pytestmark = (?:.*|\[[^\]]*)\bon_sqlite\b", re.MULTILINE)


class Databases:
    """A plugin of pytest."""

    def pytest_ignore_collect(self, collection_path: Path, config: pytest.Config) -> bool | None:
        """On PostgreSQL, files without a test for it are not even read: they are more than half."""
        if "not on_sqlite" not in config.option.markexpr or collection_path.suffix != ".py":
            return None
        path = collection_path.relative_to(config.rootpath).as_posix()
        return True if is_for_sqlite_alone(path, config.rootpath) else None

    @pytest.hookimpl(tryfirst=True)  # before the tests are chosen by their markers
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        for item in items:
            _mark(item)
            path = item.nodeid.partition("::")[0]
            is_on_both = not item.get_closest_marker("on_sqlite")
            if is_on_both and is_for_sqlite_alone(path, config.rootpath):
                raise pytest.UsageError(
                    f"{item.nodeid} runs on PostgreSQL too, which its file does not show: "
                    "see OPENS in config/tests/databases.py"
                )


def _mark(item: pytest.Item) -> None:
    """Pages run on SQLite alone, but for upgrades: the migrations differ."""
    markers = {marker.name for marker in item.iter_markers()}
    if {"on_sqlite", "on_postgresql"} <= markers:
        raise pytest.UsageError(f"{item.nodeid} is for either database alone, so it never runs")
    is_opened = DATABASE & set(getattr(item, "fixturenames", ()))
    is_page = item.nodeid.startswith(PAGES) and "upgrade" not in item.nodeid
    if is_page and "on_postgresql" not in markers:
        item.add_marker(pytest.mark.on_sqlite)
        if (is_opened or "django_db" in markers) and "browser" not in markers:
            item.add_marker(pytest.mark.page)
    if not is_opened and not markers & {"django_db", "processes", "on_postgresql"}:
        item.add_marker(pytest.mark.on_sqlite)
    if item.nodeid.startswith(ORM) and not item.get_closest_marker("on_sqlite"):
        item.add_marker(pytest.mark.again)


@cache
def is_for_sqlite_alone(path: str, root: Path) -> bool:
    """Whether no test of this file runs on PostgreSQL, as far as its text shows."""
    text = (root / path).read_text()
    is_page = path.startswith(PAGES) and not re.search("on_postgresql|upgrade", path + text)
    return is_page or bool(ON_SQLITE.search(text)) or not OPENS.search(text)
