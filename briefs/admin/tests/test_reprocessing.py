"""Reprocessing in the admin: from the list of events to a job that is watched and undone."""

import json
import re

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import reverse

from briefs.models import ReprocessingJob
from briefs.reprocessing import ordering
from briefs.reprocessing.tests.making import finish, look, make_fitting, make_open, reapply, reload
from briefs.tests.factories import make_event
from conftest import make_user

pytestmark = pytest.mark.django_db

EVENTS = reverse("admin:webhooks_webhookevent_changelist")
JOBS = reverse("admin:briefs_reprocessingjob_changelist")


@pytest.fixture
def page(client, lead):
    client.force_login(lead)
    return client


def page_of(job) -> str:
    return reverse("admin:briefs_reprocessingjob_change", args=[job.pk])


def turn(client, job, to):
    address = reverse("admin:briefs_reprocessingjob_turn", args=[job.pk])
    return client.post(address, {"to": to}, follow=True)


def choose(client, *events, query="", **sent):
    """Tick these events in the list and choose “Reprocess…”."""
    keys = [event.pk for event in events]
    return client.post(EVENTS + query, {"action": "reprocess", ACTION_CHECKBOX_NAME: keys, **sent})


def order(client, answer, **sent):
    """Press a button of the page that the action shows."""
    selectors = answer.context["selectors"]
    address = reverse("admin:webhooks_webhookevent_reprocess")
    return client.post(address, {"selectors": selectors, **sent})


@pytest.mark.usefixtures("starter")
def test_chosen_events_are_looked_at_first_and_then_reprocessed(page, lead):
    chosen, other = make_event(status="dead"), make_event(status="dead")

    asked = choose(page, chosen)
    assert "1 event:" in asked.content.decode()
    dry = order(page, asked, dry_run="1")
    look = finish(ReprocessingJob.objects.get())
    assert (look.is_dry_run, dry["Location"]) == (True, page_of(look))
    assert reload(chosen).status == "dead"
    assert 'value="repeat"' in page.get(page_of(look)).content.decode()
    turn(page, look, "repeat")

    job = finish(ReprocessingJob.objects.exclude(pk=look.pk).get())
    assert job.actor == lead
    assert (reload(chosen).status, reload(other).status) == ("pending", "dead")


def test_all_that_match_the_filter_are_kept_as_the_filter(page):
    events = [make_event(status="dead", metric="bounced") for _ in range(2)]
    make_event(status="ignored", metric="bounced")

    asked = choose(page, events[0], query="?status__exact=dead&metric=bounced", select_across=1)

    assert json.loads(asked.context["selectors"]) == {"status": ["dead"], "metric": "bounced"}
    assert asked.context["number"] == 2


def test_day_above_the_list_is_kept_as_a_period(page):
    event = make_event(status="dead")
    at = event.received_at
    day = f"?received_at__year={at.year}&received_at__month={at.month}&received_at__day={at.day}"

    asked = choose(page, event, query=day, select_across=1)

    selection = asked.context["selection"]
    assert selection.since <= at < selection.until
    assert not selection.ids


def test_filter_that_no_job_can_keep_names_the_events_themselves(page):
    event = make_event(status="dead")

    asked = choose(page, event, query="?is_verified__exact=1", select_across=1)

    assert json.loads(asked.context["selectors"]) == {"ids": [str(event.pk)]}


def test_page_of_a_job_under_way_loads_itself_again_and_needs_no_script(page):
    make_event(status="dead")
    order(page, choose(page, make_event(status="dead")))
    job = ReprocessingJob.objects.get()

    under_way = page.get(page_of(job)).content.decode()
    finish(job)
    done = page.get(page_of(job)).content.decode()

    assert '<meta http-equiv="refresh" content="5">' in under_way
    assert 'http-equiv="refresh"' not in done
    assert 'value="100"' in done
    assert not re.search(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", done)


def test_job_is_paused_let_go_on_and_cancelled_by_its_buttons(page):
    order(page, choose(page, make_event(status="dead")))
    job = ReprocessingJob.objects.get()

    for to, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        assert f'value="{to}"' in page.get(page_of(job)).content.decode()
        turn(page, job, to)
        assert reload(job).state == state
    assert "this job is cancelled" in turn(page, job, "pause").content.decode()


@pytest.mark.usefixtures("starter")
def test_rules_are_applied_to_open_briefs_after_a_look_and_undone(page):
    brief = make_open("free")
    before = brief.persona
    make_fitting("free", name="Another")

    page.post(reverse("admin:briefs_reprocessingjob_reapply"))
    dry = finish(ReprocessingJob.objects.get())
    assert reload(brief).persona == before
    rows = page.get(reverse("admin:briefs_reprocessedbrief_changelist")).content.decode()
    assert "→ “Another”" in rows
    turn(page, dry, "repeat")
    job = finish(ReprocessingJob.objects.latest("pk"))
    assert reload(brief).persona.name == "Another"
    turn(page, job, "undo")
    finish(job)

    assert reload(brief).persona == before
    assert (
        f"job {job.pk}" in page.get(page_of(ReprocessingJob.objects.latest("pk"))).content.decode()
    )


@pytest.mark.usefixtures("starter")
def test_page_lists_what_would_change_by_kind(page, user):
    make_open("free")
    make_open("free").assign(user, user)
    make_fitting("free")

    shown = page.get(page_of(look())).content.decode()

    assert "1 another persona" in shown
    assert "1 left as it is, because somebody works on it" in shown


def test_list_of_jobs_shows_their_progress(page, lead, django_assert_max_num_queries):
    for _ in range(3):
        reapply(lead)

    with django_assert_max_num_queries(12):
        shown = page.get(JOBS).content.decode()

    assert shown.count("100 %: 0 of 0") == 3


def test_editor_neither_sees_nor_orders_jobs(client, django_user_model):
    job = ordering.reapply(None, is_dry_run=True)
    event = make_event(status="dead")
    client.force_login(make_user(django_user_model, "ed", "Editor"))

    answers = [
        client.get(JOBS),
        client.get(page_of(job)),
        client.post(reverse("admin:briefs_reprocessingjob_reapply")),
        client.post(reverse("admin:briefs_reprocessingjob_turn", args=[job.pk]), {"to": "cancel"}),
        client.post(reverse("admin:webhooks_webhookevent_reprocess"), {"selectors": "{}"}),
    ]

    assert [answer.status_code for answer in answers] == [403] * 5
    choose(client, event)
    assert ReprocessingJob.objects.count() == 1


@pytest.mark.parametrize("selectors", ["", "[]", "{}", '{"colour": "red"}', '{"since": "x"}'])
def test_form_with_other_selectors_is_refused(page, selectors):
    address = reverse("admin:webhooks_webhookevent_reprocess")

    assert page.post(address, {"selectors": selectors}).status_code == 400
