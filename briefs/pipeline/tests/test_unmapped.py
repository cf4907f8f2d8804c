"""A brief that was opened on an unknown profile, and a later signal that brings the profile."""

import pytest

from briefs.models import Brief, Priority, Signal
from briefs.notifying.tests.listener import make_target
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload, make_threshold
from personas.models import Persona, Severity, SignalRule
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db


@pytest.fixture
def unmapped(starter, sandbox, settings):
    """Opened while nobody could be looked up; since then the key is set."""
    key, settings.CIO_APP_KEY = settings.CIO_APP_KEY, ""
    signal(metric="unsubscribed")
    brief = Brief.objects.get()
    assert (brief.persona.is_unknown, brief.is_waiting_for_profile) == (True, False)
    settings.CIO_APP_KEY = key
    return brief


def signal(person="enterprise-retail-low-1", **fields):
    event = make_event(make_payload(data={"identifiers": {"id": person}}, **fields))
    draining.drain()
    event.refresh_from_db()
    return event


def test_further_signal_that_brings_the_profile_maps_the_brief(unmapped):
    make_threshold()
    target = make_target("json://example.com/", minimum_priority=Priority.URGENT)

    event = signal(metric="spammed")

    unmapped.refresh_from_db()
    assert "joined the customer's open brief" in event.status_reason
    assert unmapped.persona.name == "Enterprise, low usage"
    assert unmapped.priority == Priority.URGENT
    assert unmapped.question_facts
    assert unmapped.research.status == "queued"
    assert unmapped.persona_why in [a.text.removeprefix("the profile arrived: ")
                                    for a in unmapped.activities.all()]  # fmt: skip
    assert target.notifications.get().brief == unmapped


def test_worst_signal_so_far_decides_the_priority_of_the_mapped_brief(unmapped):
    make_threshold()
    Signal.objects.update(severity=Severity.HIGH)
    SignalRule.objects.update(severity=Severity.LOW)

    signal(metric="spammed")

    unmapped.refresh_from_db()
    assert unmapped.priority == Priority.URGENT


def test_mapped_brief_and_a_new_one_with_its_question_share_one_answer(unmapped):
    make_event(make_payload(metric="unsubscribed",
                            data={"identifiers": {"id": "enterprise-retail-low-2"}}))  # fmt: skip
    signal(metric="spammed")

    unmapped.refresh_from_db()
    assert [brief.research for brief in Brief.objects.open()] == [unmapped.research] * 2


def test_running_the_first_event_again_maps_the_brief_too(unmapped):
    event = WebhookEvent.objects.get()
    event.replay()

    draining.drain()

    unmapped.refresh_from_db()
    event.refresh_from_db()
    assert unmapped.persona.name == "Enterprise, low usage"
    assert f"already led to brief {unmapped.pk}, which has a persona now" in event.status_reason


@pytest.mark.parametrize("why", ["taken", "still unknown", "no brief", "waiting"])
def test_brief_that_a_signal_must_not_map_stays_as_it_is(unmapped, user, settings, why):
    if why == "taken":
        unmapped.assign(user, user)
    elif why == "still unknown":
        settings.CIO_APP_KEY = ""
    elif why == "no brief":
        Persona.objects.filter(name="Enterprise, low usage").update(opens_brief=False)
    else:
        Brief.objects.update(is_waiting_for_profile=True)

    signal(metric="spammed")

    unmapped.refresh_from_db()
    assert (unmapped.persona.is_unknown, unmapped.research) == (True, None)
