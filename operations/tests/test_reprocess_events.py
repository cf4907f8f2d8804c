"""Reprocessing: the command, its selectors, and the replay that it shares with the admin."""

import json
import os
import shlex
import signal
import sys
from datetime import UTC, datetime, timedelta
from io import StringIO
from unittest.mock import Mock

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command, get_commands
from django.db import OperationalError, connection
from django.utils import timezone
from django_q.models import OrmQ

from briefs.models import Brief, Research, Signal
from briefs.pipeline import draining
from briefs.reprocessing.selecting import moment
from briefs.reprocessing.tests.making import make_fitting
from briefs.tests.factories import make_customer, make_event, make_payload
from personas.models import SignalRule
from webhooks import replay as replaying
from webhooks import waking
from webhooks.models import Bell, WebhookEvent
from webhooks.replay import replay

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_workers(monkeypatch):
    """None run, so nothing is gained by waiting for them."""
    monkeypatch.setattr(replaying, "PATIENCE_SECONDS", 0)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("reprocess_events", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def make_quarantined(body: bytes, **kw) -> WebhookEvent:
    fields = {"event_id": "sha256:0", "status": "quarantined", "status_reason": "unreadable",
              "object_type": "", "metric": "", "identifiers": {}, "occurred_at": None,
              "body": body, "body_size": len(body), **kw}  # fmt: skip
    return make_event(**fields)


def test_replayed_event_is_due_again_and_keeps_how_it_ended():
    event = make_event(status="ignored", status_reason="no rule", tries=2)

    out = run("--status", "ignored")

    event.refresh_from_db()
    assert event.status == "pending"
    assert event.history[0]["reason"] == "no rule"
    assert out.splitlines()[-1] == "1 queued, 0 skipped."


def test_waiting_event_is_skipped_with_the_reason():
    event = make_event()

    out = run("--ids", event.event_id)

    assert "waiting to be processed already" in out
    assert out.splitlines()[-1] == "0 queued, 1 skipped."


def test_without_a_selector_nothing_runs():
    with pytest.raises(CommandError, match="Say which events"):
        run()


def test_selectors_narrow_each_other_down():
    wanted = make_event(status="dead", metric="bounced")
    make_event(status="dead", metric="unsubscribed")
    make_event(status="ignored", metric="bounced")
    old = make_event(status="dead", metric="bounced")
    WebhookEvent.objects.filter(pk=old.pk).update(received_at=timezone.now() - timedelta(days=8))

    run("--status", "dead", "--metric", "bounced", "--since", "7d")

    assert list(WebhookEvent.objects.filter(status="pending")) == [wanted]


def test_events_are_named_by_our_id_or_by_customerios():
    ours, theirs = make_event(status="dead"), make_event(status="dead")

    out = run("--ids", str(ours.pk), theirs.event_id)

    assert out.splitlines()[-1] == "2 queued, 0 skipped."


def test_unknown_id_is_named_and_fails_the_command_after_the_rest_is_done():
    event = make_event(status="dead")

    with pytest.raises(CommandError, match="1 of the ids"):
        run("--ids", event.event_id, "no-such-event")

    event.refresh_from_db()
    assert event.status == "pending"


def test_dry_run_counts_per_status_and_kind_and_changes_nothing():
    make_event(status="dead", metric="bounced", object_type="email")
    make_event(status="dead", metric="bounced", object_type="email")

    out = run("--status", "dead", "--dry-run")

    assert out.split()[:6] == ["2", "Failed,", "can", "be", "retried", "email"]
    assert out.splitlines()[-1] == "2 selected, nothing changed."
    assert WebhookEvent.objects.filter(status="dead").count() == 2


# What would change, and whether to go on


@pytest.fixture
def bounced(starter):
    """An event that led to a brief, and that is our own fault by today's rules."""
    event = make_event(
        make_payload(
            object_type="email",
            metric="bounced",
            data={"identifiers": {"id": "ann"}, "failure_message": "550 5.1.1 user unknown"},
        )
    )
    draining.drain()
    rule = SignalRule.objects.filter(pk=Signal.objects.get().rule_id)
    assert rule.update(kind="blocked", effect="notice")
    return event


@pytest.fixture
def terminal(monkeypatch):
    """Runs the command as at a terminal; the answers to its questions are given, in order."""

    class Screen(StringIO):
        def isatty(self):
            return True

    def at_terminal(*arguments, answers=()):
        given = list(answers)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
        monkeypatch.setattr("builtins.input", lambda words: given.pop(0))
        screen = Screen()
        call_command("reprocess_events", *arguments, stdout=screen)
        assert not given, "it asked less often"
        return screen.getvalue()

    return at_terminal


def status_of(event) -> str:
    event.refresh_from_db()
    return event.status


def test_there_is_one_command_of_this_name():
    apps = [path.parts[-4] for path in settings.BASE_DIR.glob("*/management/commands/repro*.py")]

    assert apps == ["operations"]
    assert get_commands()["reprocess_events"] == "operations"


def test_dry_run_shows_what_would_change_and_changes_nothing(bounced):
    brief = Brief.objects.get()

    out = run("--status", "processed", "--dry-run")

    lines = [" ".join(line.split()) for line in out.split("\n")]

    assert lines[:4] == [
        "1 Processed email bounced",
        "",
        "1 read anew, nobody looked up: 1 change.",
        "1 Address gone → Blocked by policy, withdraws brief",
    ]
    assert (
        f"{bounced.pk} 2026-11-23 14:02 Address gone → Blocked by policy, "
        f"withdraws brief {brief.pk}" in lines
    )
    assert any(line.startswith("no brief: a notice for the engineer") for line in lines)
    assert lines[-2] == "1 selected, nothing changed."
    assert status_of(bounced) == "processed"
    assert Brief.objects.get().is_open


def test_dry_run_without_rules_says_what_to_do():
    make_event(status="dead")

    assert "run manage.py load_starter_rules" in run("--status", "dead", "--dry-run")


def test_at_a_terminal_it_shows_what_would_change_and_asks(terminal, bounced):
    out = terminal("--status", "processed", answers=["n"])

    assert "Address gone → Blocked by policy, withdraws brief" in out
    assert out.splitlines()[-1] == "Nothing was changed."
    assert status_of(bounced) == "processed"

    out = terminal("--status", "processed", answers=["y"])

    assert out.splitlines()[-1] == "1 queued, 0 skipped."
    assert status_of(bounced) == "pending"


def test_at_a_terminal_it_asks_nothing_if_nothing_would_change(terminal, bounced):
    SignalRule.objects.filter(kind="blocked").update(kind="address_gone", effect="opens_brief")

    out = terminal("--status", "processed")

    assert "0 change." in out
    assert status_of(bounced) == "pending"


def test_yes_neither_shows_nor_asks(terminal, bounced):
    assert terminal("--status", "processed", "--yes") == "1 queued, 0 skipped.\n"


def test_without_a_terminal_it_neither_shows_nor_asks(bounced):
    assert run("--status", "processed") == "1 queued, 0 skipped.\n"


# Quarantined events


def test_quarantined_event_that_is_readable_now_becomes_an_event():
    body = json.dumps(make_payload(event_id="evt-1", metric="bounced")).encode()
    event = make_quarantined(body)

    report = replay(WebhookEvent.objects.all())

    event.refresh_from_db()
    assert (event.event_id, event.metric, event.status) == ("evt-1", "bounced", "pending")
    assert event.history[0]["reason"] == "unreadable"
    assert report.words == "1 queued, 0 skipped"


@pytest.mark.parametrize(
    ("body", "fields", "reason"),
    [
        (b"not json", {}, "the body is not JSON"),
        (b'{"event_id": "evt-1"}', {"body_size": 11_000_000}, "only the start"),
        (b'{"event_id": "taken"}', {}, "is stored already"),
    ],
)
def test_quarantined_event_that_stays_unusable_is_skipped_with_the_reason(body, fields, reason):
    make_event(event_id="taken")
    event = make_quarantined(body, **fields)

    report = replay(WebhookEvent.objects.filter(pk=event.pk))

    event.refresh_from_db()
    assert (event.status, event.event_id) == ("quarantined", "sha256:0")
    assert report.words == "0 queued, 1 skipped"
    assert reason in next(iter(report.reasons))


def test_one_bad_row_does_not_stop_the_others(monkeypatch):
    bad, good = make_event(status="dead"), make_event(status="dead")
    original = WebhookEvent._as_read_today

    def fail_for_bad(event):
        if event.pk == bad.pk:
            raise ValueError("broken row")
        return original(event)

    monkeypatch.setattr(WebhookEvent, "_as_read_today", fail_for_bad)

    with pytest.raises(CommandError, match="1 failed"):
        run("--status", "dead")

    good.refresh_from_db()
    assert good.status == "pending"


def test_more_than_one_chunk_is_replayed(monkeypatch):
    monkeypatch.setattr(replaying, "CHUNK", 2)
    for _ in range(5):
        make_event(status="dead")
    done = []

    report = replay(WebhookEvent.objects.filter(status="dead"), progress=done.append)

    assert report.queued == 5
    assert done == [2, 4, 5]


def test_bell_is_rung_once_for_all():
    for _ in range(3):
        make_event(status="dead")

    replay(WebhookEvent.objects.all())

    assert Bell.objects.get().is_rung
    assert OrmQ.objects.count() == 1


def test_nothing_queued_rings_no_bell():
    make_event()

    replay(WebhookEvent.objects.all())

    assert OrmQ.objects.count() == 0


def test_dead_broker_does_not_fail_the_replay(monkeypatch, caplog):
    event = make_event(status="dead")
    monkeypatch.setattr(waking, "async_task", Mock(side_effect=ConnectionError))

    report = replay(WebhookEvent.objects.all())

    event.refresh_from_db()
    assert event.status == "pending"
    assert report.queued == 1
    assert "briefs.tasks.drain not put into the queue" in caplog.text


NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("24h", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 16, 12, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T06:30", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),
    ],
)
def test_since_reads_dates_and_ages(words, expected):
    assert moment(words, NOW) == expected


@pytest.mark.parametrize("words", ["yesterday", "2026-02-31", "7w", ""])
def test_since_refuses_what_it_cannot_read(words):
    with pytest.raises(ValueError, match="neither a date"):
        moment(words, NOW)


# Selectors


def selected() -> list[WebhookEvent]:
    return list(WebhookEvent.objects.filter(status="pending").order_by("pk"))


def test_reason_is_found_in_any_case_of_any_alphabet():
    event = make_event(status="ignored", status_reason="No rule speaks of “Ärzte”")

    run("--reason", "ärzte", "--status", "ignored")

    event.refresh_from_db()
    assert event.status == "pending"


def test_reason_and_until_and_limit_and_after_id_narrow_down():
    events = [make_event(status="ignored", status_reason="No rule speaks of it") for _ in range(4)]
    make_event(status="ignored", status_reason="the event names no person")
    late = make_event(status="ignored", status_reason="no rule speaks of it")
    WebhookEvent.objects.filter(pk=late.pk).update(received_at=timezone.now() + timedelta(days=1))

    out = run(
        "--reason", "no rule", "--until", f"{timezone.now():%Y-%m-%dT%H:%M:%S.%f}",
        "--after-id", str(events[0].pk), "--limit", "2",
    )  # fmt: skip

    assert selected() == events[1:3]
    assert out.splitlines()[-1] == "2 queued, 0 skipped."


@pytest.mark.parametrize("named", ["cio_id", "id", "email"])
def test_customer_is_named_by_any_identifier_of_now_or_of_the_event(named):
    identifiers = {"id": "ann", "cio_id": "c0000007", "email": "ann@example.com"}
    event = make_event(make_payload(data={"identifiers": identifiers}), status="dead")
    make_event(status="dead")

    run("--customer", identifiers[named])

    assert selected() == [event]


@pytest.mark.parametrize("selectors", [["--limit", "5"], ["--after-id", "5"]])
def test_limit_and_after_id_alone_do_not_say_which_events(selectors):
    with pytest.raises(CommandError, match="Say which events"):
        run(*selectors)


def test_dry_run_tells_what_new_questions_would_cost(starter):
    customer = make_customer(attributes={"plan": "free"})
    make_event(make_payload(data={"identifiers": {"cio_id": customer.cio_id}}))
    draining.drain()
    make_fitting("free")

    out = run("--metric", "unsubscribed", "--dry-run")

    assert "It would ask 1 new question to Mave: 10 to 75 credits." in out
    assert Research.objects.count() == 0


# Stopped, and gone on with


@pytest.fixture
def five(monkeypatch):
    """Five events, two of them at a time."""
    monkeypatch.setattr(replaying, "CHUNK", 2)
    return [make_event(status="dead") for _ in range(5)]


def interrupt_after(batches, monkeypatch, interrupt):
    """Let something happen in place of the next batch."""
    make_due, done = replaying.make_due, []

    def make_due_or_not(keys):
        if len(done) == batches:
            done.append(keys)
            interrupt(keys)
        done.append(keys)
        return make_due(keys)

    monkeypatch.setattr(replaying, "make_due", make_due_or_not)


def go_on(error) -> str:
    """Run the command that the error names."""
    [line] = [line for line in str(error.value).splitlines() if line.startswith("manage.py")]
    _, name, *arguments = shlex.split(line)
    assert name == "reprocess_events"
    return run(*arguments)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_it_after_the_batch_and_the_command_that_goes_on_is_named(
    five, monkeypatch, number
):
    interrupt_after(1, monkeypatch, lambda keys: os.kill(os.getpid(), number))

    with pytest.raises(CommandError, match=f"Stopped after event {five[3].pk}: {number.name}") as e:
        run("--status", "dead")
    assert selected() == five[:4]

    assert go_on(e).splitlines()[-1] == "1 queued, 0 skipped."
    assert {len(event.history) for event in selected()} == {1}


def test_lost_connection_ends_it_after_the_last_batch_that_was_written(five, monkeypatch):
    def lose(keys):
        raise OperationalError("server closed the connection")

    interrupt_after(1, monkeypatch, lose)
    monkeypatch.setattr(connection, "close", lambda: None)  # it is that of the test

    with pytest.raises(CommandError, match=f"Stopped after event {five[1].pk}: the database") as e:
        run("--status", "dead")

    assert go_on(e).splitlines()[-1] == "3 queued, 0 skipped."
    assert {len(event.history) for event in selected()} == {1}


def test_batch_that_was_written_without_an_answer_is_not_queued_twice(five, monkeypatch):
    """The connection broke in the commit: the events are due, and the command was not told."""
    add = replaying.Report.add

    def break_off_once(report, keys, outcomes):
        monkeypatch.setattr(replaying.Report, "add", add)
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(replaying.Report, "add", break_off_once)
    monkeypatch.setattr(connection, "close", lambda: None)

    with pytest.raises(CommandError, match=f"Stopped after event {five[1].pk}: the database") as e:
        run("--status", "dead")

    assert go_on(e).splitlines()[-1] == "3 queued, 0 skipped."
    assert {len(event.history) for event in selected()} == {1}


def test_limit_that_is_left_is_in_the_command_that_goes_on(five, monkeypatch):
    interrupt_after(0, monkeypatch, lambda keys: os.kill(os.getpid(), signal.SIGINT))

    with pytest.raises(CommandError, match="--limit 2") as e:
        run("--status", "dead", "--limit", "4")
    go_on(e)

    assert selected() == five[:4]


# Its pace


def test_no_more_is_queued_than_workers_can_take_soon(five, monkeypatch):
    """Workers take the oldest events first: a new one would wait for all that are queued."""
    monkeypatch.setattr(replaying, "AHEAD", 1)
    monkeypatch.setattr(replaying, "PATIENCE_SECONDS", 60)
    most = []

    def work(seconds):
        most.append(WebhookEvent.objects.all().due().count())
        WebhookEvent.objects.filter(status="pending").update(status="ignored")

    monkeypatch.setattr(replaying, "let_receiver_in", lambda: None)
    monkeypatch.setattr(replaying.time, "sleep", work)

    run("--status", "dead")

    assert most == [4], "two batches, and then it waits"


def test_without_workers_all_is_queued_after_a_while(five, monkeypatch):
    monkeypatch.setattr(replaying, "AHEAD", 0)

    assert run("--status", "dead").splitlines()[-1] == "5 queued, 0 skipped."
