"""The command that lists dead letters and replays them."""

import pytest
from django.core.management import CommandError, call_command

from briefs.dead_letters.tests.test_letters import make_dead, make_failed, make_quarantined

pytestmark = pytest.mark.django_db


def run(capsys, *options):
    call_command("dead_letters", *options)
    return capsys.readouterr().out


def test_letters_are_listed_with_reason_and_tries(capsys):
    event = make_dead()
    make_quarantined(reason_code="signed_test")

    printed = run(capsys)

    assert f"event-{event.pk}" in printed
    assert "5 tries  customer unsubscribed, event" in printed
    assert "failed 5 times, last with KeyError" in printed
    assert "Dead letters: 1.\nSigned tests, with which nothing is wrong: 1." in printed


def test_nothing_failed_is_said(capsys):
    assert run(capsys) == "Nothing failed.\n"


def test_dry_run_changes_nothing_and_a_replay_does(capsys):
    event, failed = make_dead(), make_failed()

    printed = run(capsys, "--dry-run", "--kind", "event")
    event.refresh_from_db()

    assert "1  Event: read and processed again" in printed
    assert "It costs 0 credits at most. Nothing is changed." in printed
    assert event.status == "dead"

    assert run(capsys, "--replay", "--id", f"event-{event.pk}") == "1 replayed, 0 left.\n"
    event.refresh_from_db()
    failed.refresh_from_db()
    assert (event.status, failed.status) == ("pending", "failed")


def test_name_of_no_letter_is_told(capsys):
    with pytest.raises(CommandError, match="No dead letter is called event-9"):
        run(capsys, "--id", "event-9")


def test_name_of_no_letter_is_told_after_the_others_were_replayed(capsys):
    event = make_dead()

    with pytest.raises(CommandError, match=r"No dead letter is called event-999999\."):
        run(capsys, "--replay", "--id", f"event-{event.pk}", "event-999999")

    event.refresh_from_db()
    assert event.status == "pending"
