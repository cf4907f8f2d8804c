"""What is installed is pinned with hashes, and what is known against it is found."""

import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTS = ("requirements.txt", "requirements-dev.txt")
EXTRAS = ("redis", "sqs")
ALL = (*LISTS, *(f"requirements-{extra}.txt" for extra in EXTRAS))
# The answer of the service for one package, in the form of the OSV schema.
FLAW = {
    "id": "GHSA-made-up",
    "summary": "Made up",
    "affected": [
        {
            "package": {"name": "requests", "ecosystem": "PyPI"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}],
        }
    ],
}


def pins(name):
    """{name: (version, number of hashes)} of a list."""
    text = re.sub(r"^ *#.*\n", "", (ROOT / name).read_text(), flags=re.M)
    blocks = re.findall(r"^[^ ].*(?:\n .*)*", text, re.M)
    found = [(re.match(r"([\w.-]+)==([\w.]+)", block), block) for block in blocks]
    return {match[1]: (match[2], block.count("--hash=sha256:")) for match, block in found}


def named(*groups):
    """What pyproject.toml names, as {name: version}."""
    content = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups_of_tests = content["project"], content["dependency-groups"]
    extras = project["optional-dependencies"]
    lists = {"run": project["dependencies"], **extras, **groups_of_tests}
    lines = [line for group in groups for line in lists[group]]
    matches = [re.match(r"([\w.-]+)(?:\[.*\])?==([\w.]+)", line) for line in lines]
    return {match[1].lower(): match[2] for match in matches}


@pytest.mark.parametrize("name", ALL)
def test_every_package_is_pinned_with_hashes(name):
    assert all(hashes for _, hashes in pins(name).values())


@pytest.mark.parametrize("name", ALL)
def test_lists_name_no_place_to_install_from(name):
    assert not re.search(r"://|^ *--(?!hash)", (ROOT / name).read_text(), re.M)


def test_lists_hold_what_pyproject_names_in_its_version():
    run, everything = pins(LISTS[0]), pins(LISTS[1])

    assert named("run").items() <= {name: version for name, (version, _) in run.items()}.items()
    assert named("dev").items() <= {name: pin[0] for name, pin in everything.items()}.items()
    assert run.items() <= everything.items()


@pytest.mark.parametrize("extra", EXTRAS)
def test_list_for_a_broker_holds_all_that_runs_and_is_what_is_tested(extra):
    run, everything, with_broker = pins(LISTS[0]), pins(LISTS[1]), pins(f"requirements-{extra}.txt")

    assert run.items() < with_broker.items() <= everything.items()
    assert named(extra).items() <= {name: pin[0] for name, pin in with_broker.items()}.items()


@contextmanager
def vulnerability_service(answers):
    """Says {} of every package but those in `answers`."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            body = json.dumps(answers.get(asked["package"]["name"], {})).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def audit(url):
    environment = {"PIP_AUDIT_VULNERABILITY_SERVICE": "osv", "PIP_AUDIT_OSV_URL": url}
    return subprocess.run(
        [sys.executable, ".ci/audit.py"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_package_with_a_known_flaw_fails_the_audit_and_is_named():
    with vulnerability_service({"requests": {"vulns": [FLAW]}}) as url:
        done = audit(url)

    version = pins(LISTS[0])["requests"][0]
    assert f"requests {version}: GHSA-made-up, fixed in 99.1" in done.stderr
    assert done.returncode == 1


def test_packages_without_a_known_flaw_pass_the_audit():
    with vulnerability_service({}) as url:
        done = audit(url)

    assert "packages audited: no known vulnerability." in done.stdout
    assert done.returncode == 0


def test_service_that_cannot_be_reached_is_said_and_fails_nothing():
    done = audit("http://127.0.0.1:9/")

    assert done.stdout == (
        "Packages not audited: the service of pip-audit cannot be reached from here.\n"
    )
    assert done.returncode == 0
