"""The page of dead letters."""

import pytest

from briefs.dead_letters.letters import Choice
from briefs.dead_letters.tests.test_letters import make_dead, make_failed, make_quarantined
from briefs.desk.tests.pages import messages, text

pytestmark = pytest.mark.django_db
URL = "/dead-letters/"


@pytest.fixture
def page(client, lead):
    client.force_login(lead)
    return client


def test_nothing_failed_is_said(page):
    make_quarantined(reason_code="signed_test")

    shown = text(page.get(URL))

    assert "Nothing failed" in shown
    assert "1 signed test of the connection is kept as well" in shown


def test_reasons_are_lines_that_open(page):
    for _ in range(3):
        make_dead()
    make_quarantined()

    listed = page.get(URL)
    group = next(one for one in Choice().groups() if one.number == 3)
    opened = page.get(URL, {"group": group.key})

    assert "3 × Event failed 5 times, last with KeyError" in text(listed)
    assert f'href="{URL}?group={group.key}"' in listed.content.decode()
    assert text(opened).count("customer unsubscribed, event") == 6  # each with its button


def test_replay_shows_before_what_it_does(page):
    event = make_dead()

    asked = page.post(URL, {"id": f"event-{event.pk}"})
    event.refresh_from_db()

    assert event.status == "dead"
    assert "1 · Event: read and processed again" in text(asked)
    assert 'name="sure"' in asked.content.decode()

    done = page.post(URL, {"id": f"event-{event.pk}", "sure": "1"}, follow=True)
    event.refresh_from_db()
    assert event.status == "pending"
    assert messages(done) == ["1 replayed."]

    again = page.post(URL, {"id": f"event-{event.pk}", "sure": "1"}, follow=True)
    assert messages(again) == ["Nothing was replayed: it was already, or somebody else did."]


def test_filter_of_kind_and_words_is_kept_for_the_replay(page):
    make_dead()
    make_dead("another")
    make_failed()

    shown = page.get(URL, {"kind": "event", "reason": "another"})

    assert "1 given up" in text(shown)
    assert '<input type="hidden" name="reason" value="another">' in shown.content.decode()


def test_health_page_leads_to_it(page):
    assert f'href="{URL}"' in page.get("/webhook-health/").content.decode()
