"""Requests that nobody thought of, made up from the schema, against a running server.

A few for each address here, always the same ones. For longer: make fuzz (EXAMPLES=500).
"""

import os
import subprocess
import sys

import pytest

from accounts.models import Role
from accounts.tokens.tests.making import make_token
from accounts.tokens.throttling import PerToken
from briefs.tests.factories import make_brief
from conftest import make_user

PATIENCE = "60"  # seconds: another test may keep the machine busy
EXAMPLES = os.environ.get("EXAMPLES", "2")
# What is made up must be answered as the schema says. A request that breaks the schema may still
# be right: Django reads a parameter without a value, and of two with one name the last.
CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance"
CHECKS += ",response_schema_conformance,response_headers_conformance"


def more(role):
    """A role for make test-all: it may do less than a Lead, who is tested always."""
    return pytest.param(role, marks=pytest.mark.long)


@pytest.mark.django_db
def test_address_that_does_not_exist_is_told_to_programs_in_json(client):
    response = client.get("/api/v1/briefs/0.5/")

    assert response.status_code == response.json()["status"] == 404
    assert response.json()["detail"] == "There is no such address."
    assert response.headers["Content-Type"] == "application/problem+json"


@pytest.mark.processes
@pytest.mark.on_sqlite
@pytest.mark.first
@pytest.mark.parametrize("role", [Role.LEAD, *map(more, (Role.AGENT, Role.EDITOR, Role.VIEWER))])
def test_api_answers_any_request_as_its_schema_says(
    live_server, django_user_model, monkeypatch, tmp_path, role
):
    monkeypatch.setitem(PerToken.THROTTLE_RATES, "token", "100000/min")
    _, token = make_token(make_user(django_user_model, "ann", role), role)
    make_brief()
    phases = "coverage,fuzzing" if "EXAMPLES" in os.environ else "fuzzing"
    url, header = f"{live_server.url}/api/schema/", f"Authorization: Token {token}"

    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "run", url, "--header", header, "--no-color",
         "--generation-deterministic", "--phases", phases,
         "--checks", CHECKS, "--max-examples", EXAMPLES, "--request-timeout", PATIENCE,
         "--wait-for-schema", PATIENCE],
        cwd=tmp_path, capture_output=True, text=True, timeout=3600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
