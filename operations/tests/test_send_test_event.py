"""The command that sends one test event: over HTTP. Its pauses do the work of the workers."""

import io
import json
import socket

import pytest
from django.core.management import CommandError, call_command

from briefs.models import Brief, MaveCall, Research, ResearchPolicy
from briefs.pipeline import draining
from briefs.research import sharing, working
from operations import following
from personas.models import Customer
from webhooks.models import WebhookEvent

KNOWN = "enterprise-banking-low-1"


@pytest.fixture
def receiver(sandbox, live_server, starter):
    return f"{live_server.url}/webhooks/customerio/"


@pytest.fixture
def workers(monkeypatch):
    """Do one step of both clusters whenever the command waits."""

    def work():
        if not draining.drain():
            working.run_next()

    monkeypatch.setattr(following, "pause", work)


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """A busy machine has a minute for each step."""
    for name in ("ANSWER_SECONDS", "STORED_SECONDS", "PROCESSED_SECONDS"):
        monkeypatch.setattr(following, name, 60.0)


@pytest.fixture
def impatient(monkeypatch):
    for name in ("STORED_SECONDS", "PROCESSED_SECONDS"):
        monkeypatch.setattr(following, name, 0.1)


def send(url, **options):
    said = io.StringIO()
    call_command("send_test_event", url=url, stdout=said, **options)
    return said.getvalue()


def failure(url, **options):
    with pytest.raises(CommandError) as caught:
        send(url, **options)
    return str(caught.value)


def test_known_customer_is_followed_to_the_end_of_the_research(receiver, workers):
    said = send(receiver, customer=KNOWN)

    brief = Brief.objects.get()
    steps = [
        "answered 200: stored",
        "claimed by a worker",
        "processed: opened a brief: rule “Unsubscribed”",
        "signal: Unsubscribed",
        "looked up just now",
        "persona: Enterprise, regulated industry",
        f"brief {brief.pk}, high: {receiver.removesuffix('/webhooks/customerio/')}/briefs/",
        "its research: no research yet",
        "waiting for its turn",
        "answered, 4 sources",
        "the brief rests on it: new",
    ]
    places = [said.index(step) for step in steps]
    assert places == sorted(places)


def test_without_a_customer_nothing_is_spent(receiver, workers):
    said = send(receiver)

    assert "unknown to Customer.io" in said
    assert "none is bought for a person whom Customer.io does not know" in said
    assert not MaveCall.objects.exists()


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("spam", "signal: Spam complaint"),
        ("bounced", "signal: Address gone"),
        ("preferences", "signal: All topics off"),
        ("subscribed", "good news, no brief"),
    ],
)
def test_every_kind_is_understood(receiver, workers, kind, words):
    assert words in send(receiver, kind=kind, customer="free-retail-high-1")


@pytest.mark.parametrize(
    ("given", "identifiers"),
    [
        ("acme-1", {"id": "acme-1"}),
        ("cio_0300", {"cio_id": "0300"}),
        ("a@example.com", {"email": "a@example.com"}),
    ],
)
def test_customer_is_named_by_any_identifier(receiver, given, identifiers):
    send(receiver, customer=given, no_wait=True)

    assert WebhookEvent.objects.get().identifiers == identifiers


def test_every_event_is_new(receiver):
    send(receiver, no_wait=True)
    send(receiver, no_wait=True)

    first, second = WebhookEvent.objects.order_by("pk")
    assert (first.is_verified, first.deliveries, second.deliveries) == (True, 1, 1)


def test_payload_is_sent_with_an_id_and_a_time_of_its_own(receiver, tmp_path):
    payload = {"event_id": "old", "object_type": "email", "metric": "opened", "timestamp": 1}
    (tmp_path / "event.json").write_text(json.dumps(payload))

    send(receiver, payload=str(tmp_path / "event.json"), customer="acme-1", no_wait=True)

    event = WebhookEvent.objects.get()
    assert event.event_id != "old"
    assert (event.kind, event.identifiers) == ("email opened", {"id": "acme-1"})
    assert event.payload["timestamp"] > 1


def test_event_that_no_rule_names_is_told_as_processed(receiver, workers, tmp_path):
    (tmp_path / "event.json").write_text('{"object_type": "email", "metric": "opened"}')

    said = send(receiver, payload=str(tmp_path / "event.json"))

    assert "ignored: no churn signal: no active rule speaks of “email opened”" in said


@pytest.mark.parametrize(
    ("content", "words"), [("[]", "no JSON object"), ("{", "not JSON"), (None, "cannot be read")]
)
def test_payload_that_cannot_be_sent_is_refused_with_the_reason(tmp_path, content, words):
    if content is not None:
        (tmp_path / "event.json").write_text(content)

    assert words in failure("", payload=str(tmp_path / "event.json"))


def test_dry_run_prints_the_event_and_sends_nothing(receiver):
    assert json.loads(send(receiver, dry_run=True))["metric"] == "unsubscribed"
    assert not WebhookEvent.objects.exists()


def test_research_that_is_paused_is_not_waited_for(receiver, workers):
    ResearchPolicy.current().pause("credits are used up")

    said = send(receiver, customer=KNOWN)

    assert "no longer followed: research is paused: credits are used up" in said


def test_it_ends_only_when_the_brief_stands_on_the_answer(receiver, monkeypatch):
    steps = [draining.drain, working.run_next, lambda: None, sharing.upgrade_briefs]
    monkeypatch.setattr(following, "pause", lambda: steps.pop(0)())
    monkeypatch.setattr(Research, "briefs_rest_on_it", lambda self: None)  # the worker dies there

    said = send(receiver, customer=KNOWN)

    assert said.index("answered, 4 sources") < said.index("the brief rests on it: new")
    assert steps == []


def test_answer_that_does_not_reach_its_brief_is_an_error(receiver, workers, monkeypatch):
    monkeypatch.setattr(Research, "briefs_rest_on_it", lambda self: None)
    monkeypatch.setattr(following, "UPGRADED_SECONDS", 0.05)

    words = failure(receiver, customer=KNOWN)

    assert "the answer is saved, but the brief does not rest on it" in words


def test_try_that_fails_is_told_and_the_next_one_is_waited_for(receiver, sandbox, monkeypatch):
    def work():
        Research.objects.update(available_at=None)  # the pause between two tries is over
        return draining.drain() or working.run_next()

    monkeypatch.setattr(following, "pause", work)
    sandbox.faults.add("mave/chat", "500")

    said = send(receiver, customer=KNOWN)

    assert said.count("waiting for its turn") == 2
    assert "the brief rests on it: new" in said


# Where it stops ---------------------------------------------------------------------------------


def test_without_workers_it_points_to_the_clusters(receiver, impatient):
    said = failure(receiver)

    assert "no worker has claimed it" in said
    assert "manage.py doctor" in said


def test_event_that_fails_is_told_with_the_reason(receiver, workers, monkeypatch):
    def fail(events, rulebook):
        raise RuntimeError("a fault of our own")

    monkeypatch.setattr(draining.understanding, "understand", fail)

    assert "try 1 failed: RuntimeError: a fault of our own" in failure(receiver)


def test_other_secret_is_a_401_that_points_to_the_secret(receiver, settings, monkeypatch):
    monkeypatch.setattr(following, "sign", lambda secret, timestamp, body: "0" * 64)

    said = failure(receiver)

    assert "401" in said
    assert "CIO_WEBHOOK_SECRET" in said
    assert settings.CIO_WEBHOOK_SECRETS[0] not in said


def test_closed_port_points_to_the_web_server(db):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/webhooks/customerio/"

        assert "is the web server running" in failure(url)


def test_address_of_something_else_is_no_receiver(sandbox, db):
    assert "does the address end in /webhooks/customerio/?" in failure(f"{sandbox.url}/x/")


def test_web_server_on_another_database_is_found_out(receiver, impatient, monkeypatch):
    monkeypatch.setattr(following.Following, "_event", lambda self: None)

    assert "another DATABASE_URL" in failure(receiver)


def test_customers_state_is_as_the_event_says(receiver, workers):
    send(receiver, kind="unsubscribed", customer=KNOWN)

    assert Customer.objects.get().is_unsubscribed is True
