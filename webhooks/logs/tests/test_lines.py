"""Log lines: their form, and that nobody is named in them."""

import json
import logging
import logging.config
import subprocess
import sys

import pytest

from webhooks.logs import lines
from webhooks.logs.scrubbing import scrubbed


def record(message="hm", *given, **fields):
    return logging.makeLogRecord(
        {"name": "briefs.x", "levelname": "WARNING", "msg": message, "args": given, **fields}
    )


def test_line_of_json_says_when_where_and_what():
    line = json.loads(lines.Json("queue", "one.example").format(record("event %d failed", 7)))

    assert line["message"] == "event 7 failed"
    assert (line["level"], line["logger"]) == ("warning", "briefs.x")
    assert (line["service"], line["host"]) == ("queue", "one.example")
    assert line["time"].endswith("+00:00")


def test_line_of_json_has_no_fields_but_ours():
    """Django adds the request to its records, with the address that was asked for."""
    line = lines.Json("web", "one").format(record(request="/?q=robin", status_code=404))

    assert "robin" not in line


@pytest.mark.parametrize("form", [lines.Text(), lines.Json("web", "one")])
def test_traceback_quotes_nobody(form):
    try:
        raise ValueError("no robin@example.com, +44 20 7946 0958")
    except ValueError:
        line = form.format(record(exc_info=sys.exc_info()))

    assert "ValueError" in line
    assert "example.com" not in line
    assert "7946" not in line


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("duplicate key\nDETAIL:  Key (email)=(Robin Ray) already exists.\nnext", "next"),
        ("at postgres://user:pa55word@db:5432/x", "postgres://…@db:5432/x"),
        ("Authorization: Bearer abcdefgh12345678", "Bearer …"),
        ("GET https://api.example.com/v1/x?email=robin", "https://api.example.com/v1/x?…"),
        ("<robin.ray@mail.example.com> bounced", "<…@…> bounced"),
        ("research 7: 503 (service_unavailable)", "research 7: 503 (service_unavailable)"),
    ],
)
def test_what_may_name_somebody_is_taken_out(text, left):
    found = scrubbed(text)

    assert left in found
    assert not [word for word in ("obin", "pa55word", "abcdefgh") if word in found]


def test_packages_of_others_never_log_what_is_for_finding_faults():
    found = lines.configuration("debug", "json", service="web", host="one")

    assert found["loggers"]["briefs"]["level"] == "DEBUG"
    assert found["root"]["level"] == "INFO"
    assert found["loggers"]["urllib3"]["level"] == "WARNING"


def test_configuration_of_errors_alone_is_for_all():
    found = lines.configuration("error", "text", service="web", host="one")

    assert {one["level"] for one in found["loggers"].values()} == {"ERROR"}


def test_first_process_of_the_web_server_imports_nothing_of_django():
    code = "import sys, operations.supervising.web_server; print('django' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
