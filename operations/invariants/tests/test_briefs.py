"""Briefs that break a promise are told."""

import pytest

from briefs.models import Brief
from briefs.tests.factories import (
    make_brief,
    make_cause,
    make_customer,
    make_research,
    make_signal,
)
from operations.invariants import briefs
from operations.invariants.tests.breaking import LONG_AGO, THEN, execute, told, without_checks

pytestmark = pytest.mark.django_db


def test_second_open_brief_of_a_customer_is_told():
    execute("DROP INDEX brief_one_open")
    customer = make_customer()

    make_brief(customer=customer)
    make_brief(customer=customer)

    words = f"customer {customer.pk}: there are 2 open briefs"
    assert told(briefs.customer_has_one_open_brief) == [words]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("state = 'closed'", "it is closed without an outcome or without a time"),
        ("outcome = 'retained'", "it is open, and has an outcome or the time of its closing"),
        ("state = 'snoozed'", "it is snoozed, and no time says until when"),
        ("snoozed_until = '2126-01-01'", "it is not snoozed, and is to wake up"),
        (
            f"state = 'closed', outcome = 'churned', closed_at = '{LONG_AGO}', "
            "is_waiting_for_profile = TRUE",
            "it is closed, and waits for a profile",
        ),
    ],
)
def test_brief_whose_row_contradicts_its_state_is_told(values, words):
    without_checks("briefs_brief", "brief_closed_with_outcome")
    brief, _ = make_brief(), make_brief()

    execute(f"UPDATE briefs_brief SET {values} WHERE id = {brief.pk}")

    assert told(briefs.brief_fits_its_state) == [f"brief {brief.pk}: {words}"]


def test_brief_that_sleeps_too_long_is_told():
    brief = make_brief()

    execute(f"UPDATE briefs_brief SET state = 'snoozed', snoozed_until = '{LONG_AGO}'")

    assert told(briefs.snooze_ends) == [f"brief {brief.pk}: it was to wake up long ago"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ("research_id = NULL", "it stands on research that is not there"),
        ("researched_at = NULL", "it stands on research that is not there"),
        ("is_sharing = TRUE", "it says “new”, and shares an answer"),
        ("basis = 'shared'", "it says “shared”, and shares no answer"),
        ("basis = 'playbook'", "its answer came long ago, and it has only the playbook"),
        (
            "renewal_id = research_id",
            "its fresh answer came long ago, and it has the one before",
        ),
        (
            "is_waiting_for_profile = TRUE",
            "it waits for the customer's profile, and has a persona's research",
        ),
    ],
)
def test_brief_that_disagrees_with_its_research_is_told(values, words):
    answer = make_research(status="done", answer="So.", finished_at=THEN)
    brief, _ = (
        make_brief(research=answer, basis=Brief.Basis.NEW, researched_at=THEN) for _ in range(2)
    )

    execute(f"UPDATE briefs_brief SET {values} WHERE id = {brief.pk}")

    assert told(briefs.brief_stands_on_its_research) == [f"brief {brief.pk}: {words}"]


def test_signal_that_a_merge_left_behind_is_told():
    signal, other = make_signal(brief=make_brief()), make_customer()

    execute(f"UPDATE briefs_signal SET customer_id = {other.pk}")

    words = f"signal {signal.pk}: its brief is another customer's"
    assert told(briefs.rows_of_a_merged_customer_moved) == [words]


def test_brief_that_returned_from_another_customers_is_told():
    first, second = make_brief(), make_brief()

    execute(f"UPDATE briefs_brief SET returned_from_id = {first.pk} WHERE id = {second.pk}")

    words = f"brief {second.pk}: it returned from another customer's brief"
    assert told(briefs.rows_of_a_merged_customer_moved) == [words]


def test_brief_of_a_cause_of_another_kind_is_told():
    brief = make_brief(cause=make_cause())

    execute("UPDATE briefs_cause SET kind = 'bounced'")

    words = f"brief {brief.pk}: the message that caused it caused another kind of signal"
    assert told(briefs.rows_of_a_merged_customer_moved) == [words]
