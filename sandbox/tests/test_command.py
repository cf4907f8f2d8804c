"""`manage.py sandbox`, as a process of its own."""

import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

RUN = """
import sys
import django
from django.conf import settings
from django.core.management import execute_from_command_line
settings.configure(INSTALLED_APPS=["sandbox"])
django.setup()
execute_from_command_line(["manage.py", "sandbox", *sys.argv[1:]])
"""
ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.processes, pytest.mark.on_sqlite]


@contextmanager
def running(*arguments):
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def introduction(process):
    lines = iter(process.stdout.readline, "")
    settings = {}
    for line in lines:
        if found := re.match(r"\s+([A-Z_]+)=(.+)", line):
            settings[found[1]] = found[2]
        if "Ctrl-C" in line:
            return settings
    raise AssertionError("it ended without an introduction")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_prints_settings_that_work_and_stops_cleanly(number):
    with running("--port", "0", "--credits", "7", "--requests-per-minute", "60") as process:
        settings = introduction(process)
        reply = requests.get(
            f"{settings['MAVERA_BASE_URL']}/usage",
            headers={"Authorization": f"Bearer {settings['MAVERA_API_KEY']}"},
            timeout=60,
        )
        process.send_signal(number)
        rest, _ = process.communicate(timeout=60)

    assert reply.json()["credits"]["included"] == 7
    assert reply.headers["X-RateLimit-Limit"] == "60"
    assert re.fullmatch(r"GET /api/v1/usage 200 \d\.\d\d s\nSandbox stopped\.\n", rest)
    assert process.returncode == 0


def test_quiet_prints_no_requests():
    with running("--port", "0", "--quiet") as process:
        settings = introduction(process)
        requests.get(
            f"{settings['CIO_APP_BASE_URL']}/info/ip_addresses",
            headers={"Authorization": f"Bearer {settings['CIO_APP_KEY']}"},
            timeout=60,
        ).raise_for_status()
        process.terminate()
        rest, _ = process.communicate(timeout=60)

    assert rest == "Sandbox stopped.\n"


def test_time_and_paging_are_set_on_the_command_line():
    with running("--port", "0", "--time-scale", "60", "--paging", "offset") as process:
        settings = introduction(process)
        headers = {"Authorization": f"Bearer {settings['MAVERA_API_KEY']}"}
        address = f"{settings['MAVERA_BASE_URL']}/mave/threads"
        reply = requests.get(address, headers=headers, timeout=60)

    assert reply.json()["limit"] == 20
    assert int(reply.headers["X-RateLimit-Reset"]) - time.time() <= 2


@pytest.mark.parametrize("given", ["0", "-1", "nan", "inf", "fast"])
def test_a_speed_that_makes_no_sense_is_refused_in_a_sentence(given):
    with running("--port", "0", f"--time-scale={given}") as process:
        output, _ = process.communicate(timeout=60)

    assert process.returncode
    assert "a number above 0" in output


def test_a_port_in_use_is_said_in_a_sentence():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running("--port", str(port)) as process:
            output, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert f"Cannot listen on http://127.0.0.1:{port}" in output
    assert "Traceback" not in output
