"""The command that looks for broken promises."""

import json

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from briefs.tests.factories import make_event
from operations import invariants
from operations.invariants.snapshot import snapshot
from webhooks.models import WebhookEvent


@pytest.fixture
def unfit(db):
    """An event that says it is over, and not when."""
    return make_event(status="dead", status_reason="failed 5 times")


def run(capsys, *options):
    """What it prints, and the words with which it fails."""
    try:
        call_command("check_invariants", *options)
    except CommandError as error:
        return capsys.readouterr().out, str(error)
    return capsys.readouterr().out, ""


@pytest.mark.django_db
def test_every_promise_is_named_with_the_rows_looked_at_and_found(capsys):
    printed, failure = run(capsys)

    assert failure == ""
    for promise in invariants.PROMISES:
        assert f"looked at       0 found  {promise.words}" in printed
    assert f"{len(invariants.PROMISES)} promises: 0 broken." in printed


def test_row_that_breaks_a_promise_is_named_with_what_to_do(capsys, unfit):
    printed, failure = run(capsys, "--only", "event_is_in_one_state")

    assert "BROKEN           1 looked at       1 found  Each stored event is in one" in printed
    assert f"event {unfit.pk}: it ended, and no time says when" in printed
    assert "manage.py reprocess_events --ids" in printed
    assert failure == "1 promises: 1 broken."


def test_programs_read_the_same(capsys, unfit):
    printed, failure = run(capsys, "--only", "event_is_in_one_state", "--json")

    (told,) = json.loads(printed)
    assert (told["name"], told["looked_at"], told["found"]) == ("event_is_in_one_state", 1, 1)
    row = {"kind": "event", "key": unfit.pk, "words": "it ended, and no time says when"}
    assert told["rows"] == [row]
    assert failure == "1 promises: 1 broken."


def test_look_is_of_one_moment_and_neither_writes_nor_keeps_others_from_it(threaded_db):
    """What another process stores meanwhile is not seen. On SQLite there is one writer at a time:
    it waits for none of this."""
    other = connection.copy()

    with snapshot():
        before = WebhookEvent.objects.count()
        with other.cursor() as cursor:
            cursor.execute("INSERT INTO webhooks_bell (id, is_rung) VALUES (1, FALSE)")
        assert not _bells()
        with pytest.raises(Exception, match=r"readonly|read-only"):
            WebhookEvent.objects.filter(pk=0).update(tries=0)
    other.close()

    assert (before, _bells()) == (0, 1)
    assert not make_event().tries  # it can be written again


def _bells():
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM webhooks_bell")
        return cursor.fetchone()[0]
