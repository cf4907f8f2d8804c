"""A client that is generated from the committed schema does a person's day."""

import csv
import importlib
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler

from accounts.models import Role
from accounts.tokens.tests.making import make_token
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_signal

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_sqlite,
    pytest.mark.begins_at("2026-12-01T10:00"),
]

SCHEMA = Path(__file__).parents[3] / "docs/openapi.json"


@pytest.fixture
def generated(tmp_path, monkeypatch):
    """The package of the client. Ruff, which would format it, is left out. YAML is text to it."""
    options = "post_hooks: []\ncontent_type_overrides: {application/yaml: text/plain}\n"
    (tmp_path / "options.yml").write_text(options)
    subprocess.run(
        [sys.executable, "-m", "openapi_python_client", "generate", "--path", SCHEMA,
         "--output-path", tmp_path / "savedesk_client", "--meta", "none",
         "--config", tmp_path / "options.yml", "--fail-on-warning"],
        check=True, capture_output=True, timeout=600,
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("savedesk_client")


@pytest.fixture
def call(generated, user):
    """Call a function of the client by its address; an answer that is not described is an error."""
    _, token = make_token(user, Role.LEAD)
    client = generated.AuthenticatedClient(
        base_url="http://localhost",
        token=token,
        raise_on_unexpected_status=True,
        httpx_args={"transport": httpx.WSGITransport(WSGIHandler())},
    )

    def answer(name, *given, status=200, **asked):
        module = importlib.import_module(f"savedesk_client.api.v1.v1_{name}")
        got = module.sync_detailed(*given, client=client, **asked)
        assert got.status_code == status, got.content
        return got

    return answer


@pytest.fixture
def body(generated):
    def make(name, **fields):
        models = importlib.import_module("savedesk_client.models")
        return getattr(models, name).from_dict(fields)

    return make


def test_generated_client_does_a_day(call, body, user):
    for _ in range(3):
        brief = make_brief()
        make_signal(brief=brief, customer=brief.customer)

    # The list, page by page.
    first = call("briefs_list", page_size=2).parsed
    [cursor] = parse_qs(urlsplit(first.next_).query)["cursor"]
    rest = call("briefs_list", page_size=2, cursor=cursor).parsed
    assert rest.next_ is None
    listed = [row.id for row in (*first.results, *rest.results)]
    assert sorted(listed) == sorted(Brief.objects.values_list("pk", flat=True))
    pk = listed[0]

    # One brief: read, taken, called, commented on, snoozed, closed.
    def act(name, entry, status=200, **fields):
        tag = call("briefs_retrieve", pk).headers["ETag"]
        return call(f"briefs_{name}_create", pk, body=body(entry, **fields), if_match=tag,
                    status=status).parsed  # fmt: skip

    assert act("assign", "AssignToRequest", to="me").assignee == user.username
    act(
        "contacts",
        "LogContactRequest",
        201,
        channel="phone",
        is_reached=True,
        note="They call back.",
    )
    act("comments", "WriteCommentRequest", 201, text="Who decides there?")
    assert act("snooze", "SnoozeUntilRequest", until="tomorrow").state == "snoozed"
    [reason, *_] = call("closing_reasons_list").parsed.results
    closed = act("close", "CloseWithRequest", outcome="retained", reason=reason.id, offer="nothing")
    assert (closed.state, closed.outcome) == ("closed", "retained")
    assert [one.note for one in closed.contacts] == ["They call back."]
    assert [one.text for one in closed.comments] == ["Who decides there?"]

    # What happened is taken along.
    assert "Who decides there?" in call("briefs_markdown_retrieve", pk).parsed
    state = importlib.import_module("savedesk_client.models").V1BriefsCsvRetrieveState("closed")
    text = call("briefs_csv_retrieve", state=state).parsed
    [row] = csv.DictReader(text.removeprefix("\ufeff").splitlines())
    assert (row["Brief"], row["Outcome"]) == (str(pk), "Retained")
