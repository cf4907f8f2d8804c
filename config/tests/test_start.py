"""A start: a wrong variable is one sentence, no traceback, and an exit code that is not zero."""

import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config import environment

GOOD = {
    "SECRET_KEY": "Jr4kq9Zt-of-these-tests",
    "CIO_WEBHOOK_SECRET": "3b9f-signs-these-tests",
    "DATABASE_URL": "sqlite:///:memory:",
}


def start(*command, **variables):
    return subprocess.run(
        [sys.executable, *command],
        env={"PATH": os.environ["PATH"], **GOOD, **variables},
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["supervise", "doctor", "migrate", "check", "qcluster"])
def test_no_command_starts_with_a_wrong_value(command):
    done = start("manage.py", command, PORT="abc")

    assert done.returncode == 1
    assert done.stdout + done.stderr == (
        "Savedesk cannot start: PORT is 'abc'; it must be a whole number from 1 to 65535.\n"
    )


def test_right_values_are_no_reason_for_a_warning():
    done = start("manage.py", "check", "--database", "default")

    assert (done.returncode, done.stderr) == (0, "")


def test_web_server_says_so_without_a_traceback():
    done = start("-c", "import config.wsgi", DATABASE_URL="postgers://u:hunter2@db/n")

    assert done.returncode == 1
    assert done.stderr.startswith("Savedesk cannot start: DATABASE_URL begins with postgers://. ")
    assert done.stderr.count("\n") == 1


def test_supervisor_says_at_its_start_what_only_looks_like_a_variable():
    script = """
import django
django.setup()
from django.core.management import call_command
from operations.management.commands import supervise
supervise.Supervisor.run = lambda supervisor: None
call_command("supervise", "--no-web")
"""
    module = {"DJANGO_SETTINGS_MODULE": "config.settings"}

    done = start("-c", script, **module, DATABSE_URL="postgres://u:hunter2@db/n")

    assert done.returncode == 0, done.stderr
    assert "DATABSE_URL is no variable of Savedesk. Did you mean DATABASE_URL?" in done.stderr
    assert "hunter2" not in done.stderr


# .env ---------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch):
    """An .env, whose variables are gone again after the test."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr("environ.Env.ENVIRON", os.environ)
    return tmp_path / ".env"


def test_lines_fill_in_what_the_environment_does_not_set(file):
    os.environ.update(FIRST="of the environment")
    file.write_text("\ufeff# a comment\n\n  # another\nexport FIRST=1\nSECOND='x y'\nTHIRD=a#b\n")

    env = environment.of_this_process(file)

    assert env.text("FIRST") == "of the environment"
    assert (env.text("SECOND"), env.text("THIRD")) == ("x y", "a#b")
    assert env.known == ["FIRST", "SECOND", "THIRD"]


def test_file_need_not_exist(file):
    assert environment.of_this_process(file).lines == {}


@pytest.mark.parametrize("line", ["SECRET_KEY = hunter2", "SECRET_KEY: hunter2", " PORT=1", "hm"])
def test_line_that_would_be_passed_over_is_refused_by_its_number(file, line, caplog):
    file.write_text(f"PORT=8000\n{line}\n")

    with pytest.raises(ImproperlyConfigured, match=r"^Line 2 of \.env cannot be read\. ") as caught:
        environment.of_this_process(file)

    assert "hunter2" not in str(caught.value) + caplog.text


def test_file_in_another_encoding_is_refused(file):
    file.write_bytes("SECRET_KEY=hunter2".encode("utf-16"))

    with pytest.raises(ImproperlyConfigured, match="is no text in UTF-8"):
        environment.of_this_process(file)


def test_file_that_cannot_be_read_is_refused(file):
    file.mkdir()  # as docker mounts a file that does not exist

    with pytest.raises(ImproperlyConfigured, match=r"cannot be read \(Is a directory\)"):
        environment.of_this_process(file)
