"""The demo's command: on which port it is, and what it says when it cannot go on."""

import os
import re

import pytest
import requests
from django.core.management.base import CommandError

from sandbox.demo import Demo
from sandbox.management.commands.demo import Command
from sandbox.processes import Failed, Processes


def wanted(*options):
    return Command().create_parser("manage.py", "demo").parse_args(options).port


@pytest.mark.parametrize(("port", "number"), [("8123", 8123), ("", 8000)])
def test_port_of_the_environment_is_taken(monkeypatch, port, number):
    monkeypatch.setenv("PORT", port)

    assert wanted() == number
    assert wanted("--port", "9000") == 9000


def test_without_a_port_it_is_8000(monkeypatch):
    monkeypatch.delenv("PORT", raising=False)

    assert wanted() == 8000


def test_port_that_is_no_number_is_named(monkeypatch):
    monkeypatch.setenv("PORT", "http")
    parser = Command()
    parser._called_from_command_line = False

    with pytest.raises(CommandError, match="invalid int value: 'http'"):
        parser.create_parser("manage.py", "demo").parse_args([])


def _answer(code, body, **headers):
    answer = requests.Response()
    answer.status_code, answer._content = code, body
    answer.headers.update(headers)
    return answer


def test_webhook_answered_503_is_sent_again_when_the_answer_says(monkeypatch, tmp_path):
    waited = []
    monkeypatch.setattr("sandbox.demo.time.sleep", waited.append)
    answers = [_answer(503, b"{}", **{"Retry-After": "5"}), _answer(200, b'{"status": "stored"}')]
    demo = Demo(print, port=0, folder=tmp_path)
    monkeypatch.setattr(demo, "_post", lambda event, key: answers.pop(0))

    assert demo.post({}) == (200, "stored")
    assert waited == [5]


def test_process_that_ended_is_told_with_its_log(tmp_path):
    processes, log = Processes(dict(os.environ)), tmp_path / "savedesk.log"
    processes.start(log, "no-such-command")
    processes.running[0].wait(timeout=60)

    with pytest.raises(Failed, match=re.escape(f"Why stands at the end of {log}")):
        processes.check()
    assert "no-such-command" in log.read_text()
