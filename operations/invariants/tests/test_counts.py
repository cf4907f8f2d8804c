"""A number on a page that is not that of its rows is told.

Pages count rows when they are asked, so no row makes them wrong. Here the code of each is broken.
"""

import dataclasses
from datetime import timedelta

import pytest
from django.utils import timezone

from briefs.dossier.companies import Company
from briefs.finding import counting
from briefs.finding.folds import Folds
from briefs.insights.costs import CostReport
from briefs.reading.incidents import Extent
from briefs.tests.factories import make_brief, make_cause, make_customer, make_event
from operations import figures
from operations.invariants import counts
from operations.invariants.tests.breaking import told

pytestmark = pytest.mark.django_db


def test_tab_that_counts_other_briefs_than_it_holds_is_told(user, monkeypatch):
    make_brief(due_at=timezone.now() - timedelta(minutes=1))
    make_brief(assignee=user)
    assert told(counts.tab_has_its_number) == []

    monkeypatch.setattr(counting, "counted", lambda asked: dict.fromkeys(asked, 3))

    assert told(counts.tab_has_its_number) == [
        "tab open: 3 are shown, 2 are there",
        "tab unassigned: 3 are shown, 1 are there",
        "tab snoozed: 3 are shown, 0 are there",
        "tab waiting: 3 are shown, 0 are there",
        "tab closed: 3 are shown, 0 are there",
        "tab all: 3 are shown, 2 are there",
        "tab overdue: 3 are shown, 1 to 1 are due",
    ]


def test_fold_that_counts_other_briefs_than_it_holds_is_told(monkeypatch):
    cause = make_cause()
    for _ in range(5):
        make_brief(cause=cause, priority=2)
    assert told(counts.fold_has_its_number) == []

    monkeypatch.setattr(Folds, "of", lambda briefs: Folds({cause.pk: 4}, {1: cause.pk}))

    assert f"fold of incident or message {cause.pk}: 4 are shown, 5 are there" in told(
        counts.fold_has_its_number
    )


def test_incident_that_counts_other_briefs_than_it_has_is_told(monkeypatch):
    incident = make_cause(incident_at=timezone.now())
    make_brief(cause=incident)
    assert told(counts.incident_has_its_number) == []

    monkeypatch.setattr(Extent, "of_all", lambda all: {incident.pk: Extent(2, 0, None, None)})

    words = "it says 2 briefs, 0 of them open: there are 1 and 1"
    assert told(counts.incident_has_its_number) == [f"incident {incident.pk}: {words}"]


def test_company_that_counts_other_briefs_than_it_has_is_told(monkeypatch):
    make_brief(customer=make_customer(company="Acme"), company="Acme")
    make_brief(customer=make_customer(company="ACME"), company="ACME")
    assert told(counts.company_has_its_numbers) == []

    monkeypatch.setattr(Company, "open_count", 1)

    words = "number of briefs of “acme”, open: 1 are shown, 2 are there"
    assert words in told(counts.company_has_its_numbers)


def test_dead_letters_that_leave_out_a_kind_are_told(monkeypatch):
    make_event(status="dead", status_reason="failed 5 times")
    make_event(status="quarantined", status_reason="no JSON")
    assert told(counts.dead_letters_are_all_told) == []

    monkeypatch.setattr(counts.Choice, "groups", lambda choice: [])

    assert told(counts.dead_letters_are_all_told) == [
        "dead letters of kind event: 0 are shown, 1 are there",
        "dead letters of kind quarantined: 0 are shown, 1 are there",
    ]


def test_insights_that_leave_out_a_persona_are_told(monkeypatch):
    make_brief()
    assert told(counts.insights_add_up) == []
    report = counts.cost_report

    def without_personas(period) -> CostReport:
        return dataclasses.replace(report(period), by_persona={})

    monkeypatch.setattr(counts, "cost_report", without_personas)

    words = "figure of Insights by persona opened: 0 are shown, 1 are there"
    assert told(counts.insights_add_up) == [words]


def test_health_page_that_counts_no_failed_event_is_told(monkeypatch):
    make_event(status="dead", status_reason="failed 5 times")
    assert told(counts.health_page_has_its_numbers) == []

    monkeypatch.setattr(figures.Figures, "dead", figures.Count(0))

    words = "figure of the health page dead: 0 are shown, 1 are there"
    assert told(counts.health_page_has_its_numbers) == [words]
