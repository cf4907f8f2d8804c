"""Files that show no test for PostgreSQL are not read there."""

import pytest

from config.tests.databases import is_for_sqlite_alone


@pytest.mark.parametrize(
    ("path", "text", "is_alone"),
    [
        ("briefs/research/tests/test_pace.py", "pytestmark = pytest.mark.django_db", False),
        ("briefs/research/tests/test_pace.py", "def test_pace(starter):", False),
        ("briefs/research/tests/test_pace.py", "def test_pace():", True),
        ("briefs/research/tests/test_pace.py", "pytestmark = [m.django_db, m.on_sqlite]", True),
        ("briefs/desk/tests/test_list.py", "pytestmark = pytest.mark.django_db", True),
        ("briefs/desk/tests/test_list.py", "@pytest.mark.on_postgresql", False),
        ("accounts/tokens/tests/test_upgrade.py", "pytestmark = pytest.mark.django_db", False),
    ],
)
def test_file_without_a_test_for_postgresql_is_told_by_its_text(tmp_path, path, text, is_alone):
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.write_text(text)

    assert is_for_sqlite_alone(path, tmp_path) is is_alone
