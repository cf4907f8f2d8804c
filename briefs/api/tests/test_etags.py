"""A client asks again for a brief, and is told only what changed."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from briefs.models import Brief
from briefs.tests.factories import make_brief, make_research, make_signal
from webhooks.tests.clock import clock

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-12-01T12:00")]


@pytest.fixture
def brief():
    at = timezone.now() - timedelta(minutes=90)
    return make_brief(basis="new", research=make_research(status="done", finished_at=at))


def get(client, brief, tag=None):
    headers = {"If-None-Match": tag} if tag else {}
    return client.get(reverse("api:brief-detail", args=[brief.pk]), headers=headers)


def test_brief_that_is_as_before_is_not_sent_again(signed_in, brief):
    tag = get(signed_in, brief)["ETag"]
    clock.set("2026-12-01T12:00:05")

    response = get(signed_in, brief, tag)

    assert (response.status_code, response.content, response["ETag"]) == (304, b"", tag)


def rename(row, **fields):
    type(row).objects.filter(pk=row.pk).update(**fields)


CHANGES = {
    "an act": lambda brief: brief.log("called them"),
    "a signal": lambda brief: make_signal(brief=brief),
    "the revision": lambda brief: Brief.objects.update(),
    "the persona": lambda brief: rename(brief.persona, playbook="Call."),
    "the customer": lambda brief: rename(brief.customer, attributes={"plan": "free"}),
    "the research": lambda brief: rename(brief.research, credits=75),
}


@pytest.mark.parametrize("what", CHANGES)
def test_etag_changes_with_what_is_shown(signed_in, brief, what):
    before = get(signed_in, brief)
    CHANGES[what](brief)

    after = get(signed_in, brief, before["ETag"])

    assert after.status_code == 200
    assert after["ETag"] != before["ETag"]
    assert after.json() != before.json()


def test_revision_is_in_the_list_and_the_detail(signed_in, brief):
    brief.log("called them")

    listed = signed_in.get(reverse("api:brief-list")).json()["results"][0]

    assert listed["revision"] == get(signed_in, brief).json()["revision"] == 1
