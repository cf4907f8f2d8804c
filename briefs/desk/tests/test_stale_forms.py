"""A form that is based on an old page comes back with what arrived since."""

import re

import pytest
from django.urls import reverse

from briefs.desk.tests.pages import messages, text
from briefs.models import Activity, Brief
from briefs.pipeline import draining
from briefs.tests.factories import (
    make_brief,
    make_event,
    make_payload,
    make_persona,
    make_research,
    make_signal,
)
from briefs.triage.freshness import Seen

pytestmark = pytest.mark.django_db
PERSON = "enterprise-logistics-low-1"
NOT_AT_RISK = {"outcome": "not_at_risk", "note": "They only moved.", "is_persona_wrong": "on"}


def based_on(response):
    """What the forms of this page say that they are based on: all of them the same."""
    [found] = set(re.findall(r'name="based_on" value="([^"]*)"', response.content.decode()))
    return found


def opened(client, brief):
    return based_on(client.get(brief.get_absolute_url()))


def send(client, name, brief, seen, **data):
    data = {"based_on": seen, **data}
    return client.post(reverse(f"briefs:{name}", args=[brief.pk]), data, follow=True)


def complained(brief):
    """Let a spam complaint of the brief's customer come in."""
    identifiers = {"id": brief.customer.external_id}
    make_event(make_payload(metric="spammed", object_type="email",
                            data={"identifiers": identifiers, "subject": "News"}))  # fmt: skip
    draining.drain()


@pytest.fixture
def brief(starter, sandbox):
    make_event(make_payload(data={"identifiers": {"id": PERSON}}))
    draining.drain()
    return Brief.objects.get()


def test_spam_complaint_that_joined_meanwhile_is_not_closed_as_not_at_risk(signed_in, brief):
    seen = opened(signed_in, brief)
    complained(brief)

    response = send(signed_in, "close", brief, seen, **NOT_AT_RISK)

    assert response.status_code == 409
    assert Brief.objects.get().is_open
    page = text(response)
    assert "Nothing was changed: this arrived after you opened the page" in page
    assert "They reported a message of ours as spam." in page
    assert page.count("joined by a further signal: Spam complaint") == 1  # on the timeline alone


def test_nothing_that_was_entered_is_lost_and_the_next_press_closes(signed_in, brief):
    seen = opened(signed_in, brief)
    complained(brief)
    response = send(signed_in, "close", brief, seen, **NOT_AT_RISK)
    form = response.context["close_form"]
    assert (form["outcome"].value(), form["note"].value()) == ("not_at_risk", "They only moved.")
    assert form["is_persona_wrong"].value()

    response = send(signed_in, "close", brief, based_on(response), **NOT_AT_RISK)

    assert messages(response)[0].startswith("Closed: Not at risk.")
    assert Brief.objects.get().is_persona_wrong


@pytest.mark.parametrize("name", ["assign", "close", "retry", "renew"])
def test_every_form_of_the_page_tells_what_arrived(signed_in, name):
    brief = make_brief(research=make_research(status="failed"))
    seen = opened(signed_in, brief)
    make_signal(brief=brief, kind="spam_complaint")
    Brief.objects.update(priority=3)

    response = send(signed_in, name, brief, seen, outcome="no_response")

    assert response.status_code == 409
    assert "The priority is High now; it was Urgent." in text(response)
    assert "They reported a message of ours as spam." in text(response)
    assert not Activity.objects.exists()


def test_act_of_a_colleague_is_told_with_name_and_time(signed_in, lead):
    brief = make_brief()
    seen = opened(signed_in, brief)
    brief.log("called them, no answer", lead)

    response = send(signed_in, "close", brief, seen, outcome="no_response")

    assert response.status_code == 409
    assert [entry.actor for entry in response.context["news"].activities] == [lead]
    assert "lee called them, no answer" in text(response)


def test_another_persona_is_told_by_its_name(signed_in):
    brief = make_brief(persona=make_persona(name="Before"))
    seen = opened(signed_in, brief)
    Brief.objects.update(persona=make_persona(name="After"))

    response = send(signed_in, "close", brief, seen, outcome="no_response")

    assert "The persona is “After” now; it was “Before”." in text(response)


def test_signals_of_a_brief_that_was_merged_into_it_are_told(signed_in):
    other, brief = make_brief(), make_brief()
    old = make_signal(brief=other)
    make_signal(brief=brief)
    seen = opened(signed_in, brief)
    type(old).objects.filter(pk=old.pk).update(brief=brief)
    Brief.objects.filter(pk=brief.pk).update()

    response = send(signed_in, "close", brief, seen, outcome="no_response")

    assert "Signals of another brief of the same person belong to this one now." in text(response)


def test_answer_that_arrived_meanwhile_stops_nobody(signed_in):
    brief = make_brief(research=make_research(status="done", answer="So."))
    seen = opened(signed_in, brief)
    assert Brief.objects.all().research_arrived() == 1

    response = send(signed_in, "close", brief, seen, outcome="no_response")

    assert messages(response)[0].startswith("Closed: No response.")


def test_own_act_on_another_page_stops_nobody(signed_in, user):
    brief = make_brief()
    seen = opened(signed_in, brief)
    brief.assign(user, user)

    response = send(signed_in, "close", brief, seen, outcome="no_response")

    assert messages(response)[0].startswith("Closed: No response.")


def test_further_report_of_the_same_act_stops_nobody(signed_in):
    brief = make_brief()
    first = make_signal(brief=brief)
    seen = opened(signed_in, brief)
    make_signal(brief=brief, same_act_as=first)
    Brief.objects.all().update()

    response = send(signed_in, "close", brief, seen, outcome="no_response")

    assert messages(response)[0].startswith("Closed: No response.")


@pytest.mark.parametrize(
    "said", [None, "", "7", "1-2-x-4-5-6-7", "9" * 400, "-".join(["9" * 30] * 7)]
)
def test_page_of_an_earlier_release_comes_back_once(signed_in, said):
    brief = make_brief()
    url = reverse("briefs:close", args=[brief.pk])
    data = {"outcome": "no_response", "note": "Left"} | ({} if said is None else {"based_on": said})

    response = signed_in.post(url, data)

    assert response.status_code == 409
    assert "this page was opened before Savedesk was updated" in text(response)
    again = send(signed_in, "close", brief, based_on(response), outcome="no_response", note="Left")
    assert messages(again)[0].startswith("Closed: No response.")


def test_form_with_a_mistake_tells_what_arrived_as_well(signed_in):
    brief = make_brief()
    seen = opened(signed_in, brief)
    make_signal(brief=brief, kind="spam_complaint")
    Brief.objects.all().update()

    response = send(signed_in, "close", brief, seen, note="Half a thought")

    assert response.status_code == 422
    assert "They reported a message of ours as spam." in text(response)
    assert "Say how it ended." in text(response)


def test_poll_of_the_research_keeps_what_the_page_is_based_on(signed_in):
    brief = make_brief(research=make_research(status="failed"))
    seen = opened(signed_in, brief)
    make_signal(brief=brief)
    Brief.objects.all().update()

    url = reverse("briefs:research", args=[brief.pk])
    section = signed_in.get(url, {"seen": "another", "based_on": seen})

    assert based_on(section) == seen
    assert send(signed_in, "retry", brief, based_on(section)).status_code == 409


def test_what_a_page_showed_is_read_as_it_was_written():
    seen = Seen.of(make_brief())

    assert Seen.read(str(seen)) == seen
