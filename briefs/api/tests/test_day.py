"""A day over the API with two tokens: that of a person who works on briefs, and the lead's."""

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.models import Brief
from briefs.pipeline import draining
from briefs.tests.factories import make_event, make_payload
from conftest import make_user
from webhooks.tests.clock import clock

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.begins_at("2026-12-01T10:00"),
    pytest.mark.usefixtures("starter", "sandbox"),
]


def signal(person, metric="unsubscribed", object_type="customer"):
    data, now = {"identifiers": {"id": person}}, int(timezone.now().timestamp())
    make_event(make_payload(data=data, metric=metric, object_type=object_type, timestamp=now))
    draining.drain()


def test_a_day_over_the_api_with_two_tokens(client, django_user_model, lead):
    kim = Program(client, make_user(django_user_model, "kim", "Agent"))
    lee = Program(client, lead, Role.LEAD)
    make_user(django_user_model, "ann", "Agent")
    for number in (1, 2):
        signal(f"enterprise-logistics-low-{number}")

    # Kim takes the most urgent one. Nobody answers, so it sleeps until they signal again.
    listed = kim.get("briefs/?state=unassigned&ordering=-priority").json()["results"]
    brief, other = (Brief.objects.get(pk=row["id"]) for row in listed)
    taken = kim.act(brief, "assign", to="me")
    called = kim.act(brief, "contacts", taken["ETag"], channel="phone", is_reached=False,
                     note="No answer", next_date="2026-12-03").json()  # fmt: skip
    asked = kim.act(brief, "comments", called["brief_etag"], text="@lee You know them.").json()
    assert asked["mentioned"] == ["lee"]
    asleep = kim.act(brief, "snooze", asked["brief_etag"], until="signal", why_moved="At a fair.")
    assert (asleep.json()["state"], asleep.json()["assignee"]) == ("snoozed", "kim")

    # The lead gives the other one to Ann.
    assert lee.act(other, "assign", to="ann").json()["assignee"] == "ann"
    assert lee.get("briefs/?state=unassigned").json()["results"] == []

    # They signal, so it wakes. Kim's program does not know yet, and is told.
    clock.set("2026-12-01T14:00")
    signal(brief.customer.external_id, "spammed", "email")
    late = kim.act(brief, "contacts", asleep["ETag"], channel="email", is_reached=True)
    [happened] = late.json()["news"]["happenings"]
    assert (late.status_code, happened["kind"]) == (412, "spam_complaint")
    reached = kim.act(brief, "contacts", late["ETag"], channel="chat", is_reached=True).json()

    # Kim closes it. The answer is lost on its way, so the program sends it again.
    [reason, *_] = kim.get("closing-reasons/").json()["results"]
    sent = {"outcome": "retained", "reason": reason["id"], "offer": "discount", "offer_percent": 10}
    closed = kim.act(brief, "close", reached["brief_etag"], "close-1", **sent)
    again = kim.act(brief, "close", reached["brief_etag"], "close-1", **sent)
    assert (closed.status_code, closed.json()) == (again.status_code, again.json())

    # The lead corrects it, and finds that it was closed too early.
    corrected = lee.act(brief, "correct", offer_percent=20).json()
    assert (corrected["outcome"], corrected["offer_percent"]) == ("retained", 20)
    opened = lee.act(brief, "reopen", why="They wrote again.")
    assert (opened.json()["state"], opened.json()["assignee"]) == ("in_progress", "lee")
    asleep = lee.act(brief, "snooze", opened["ETag"], until="tomorrow")
    awake = lee.act(brief, "wake", asleep["ETag"])
    back = lee.act(brief, "assign", awake["ETag"], to="kim").json()

    # Everything stands in the log with its person, and on the page.
    by_people = [one["actor"] for one in back["activities"] if one["actor"]]
    assert by_people == ["kim"] * 6 + ["lee"] * 5
    browser = Client()
    browser.force_login(lead)
    page = browser.get(brief.get_absolute_url()).content.decode()
    for words in ("No answer", "@lee You know them.", "At a fair.", "They wrote again."):
        assert words in page
