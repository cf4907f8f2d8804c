"""The demo's command: on which port it is."""

import pytest
from django.core.management.base import CommandError

from sandbox.management.commands.demo import Command


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
