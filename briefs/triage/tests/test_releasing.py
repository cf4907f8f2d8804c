"""Briefs of somebody who can no longer work on them."""

import pytest
from django.utils import timezone

from briefs.models import Activity, Brief
from briefs.tests.factories import make_brief, make_cause
from briefs.triage import releasing
from conftest import make_user

pytestmark = pytest.mark.django_db


def test_open_briefs_become_new_and_say_who_left_and_who_released_them(user, lead):
    user.first_name, user.last_name = "Robin", "Berg"
    brief = make_brief()
    brief.assign(user, user)
    before = brief.revision

    assert releasing.release_all(user, releasing.LEFT, lead) == 1

    brief.refresh_from_db()
    assert (brief.state, brief.assignee, brief.revision) == (Brief.State.NEW, None, before + 1)
    entry = brief.activities.last()
    assert (entry.text, entry.actor) == ("made it unassigned: Robin Berg left the team", lead)


def test_what_was_done_keeps_its_name(user, lead):
    brief = make_brief()
    brief.assign(user, user)

    releasing.release_all(user, releasing.LEFT, lead)

    first = brief.activities.first()
    assert (first.text, first.actor) == ("took it", user)


def test_snoozed_brief_is_seen_at_once(user):
    brief = make_brief(assignee=user, state="snoozed", snoozed_until=timezone.now())

    releasing.release_all(user, releasing.LEFT)

    brief.refresh_from_db()
    assert (brief.state, brief.snoozed_until) == (Brief.State.NEW, None)


def test_closed_briefs_and_those_of_others_stay(user, lead, django_user_model):
    closed, others, free = make_brief(), make_brief(), make_brief()
    closed.assign(user, user)
    closed.close("retained", "", user)
    others.assign(make_user(django_user_model, "ann", "Agent"), None)
    before = Activity.objects.count()

    assert releasing.release_all(user, releasing.LEFT, lead) == 0

    assert Activity.objects.count() == before
    assert Brief.objects.get(pk=closed.pk).assignee == user
    assert Brief.objects.get(pk=others.pk).state == Brief.State.IN_PROGRESS
    assert Brief.objects.get(pk=free.pk).revision == 0


def test_incident_of_somebody_who_left_is_nobodys(user, lead):
    incident = make_cause(incident_at=timezone.now(), assignee=user)
    closed = make_cause(message="newsletter:6", incident_at=timezone.now(), ended_at=timezone.now(),
                        assignee=user)  # fmt: skip

    releasing.release_all(user, releasing.LEFT, lead)

    incident.refresh_from_db()
    closed.refresh_from_db()
    assert (incident.assignee, closed.assignee) == (None, user)
    assert incident.entries.get().text == "nobody owns it: robin left the team"
