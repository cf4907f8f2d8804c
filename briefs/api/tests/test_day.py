"""A day of two colleagues whose programs work on briefs over the API."""

import pytest

from briefs.api.tests.acting import Program
from briefs.models import Brief
from briefs.tests.factories import make_brief, make_reason
from conftest import make_user
from webhooks.tests.clock import clock

pytestmark = [pytest.mark.django_db, pytest.mark.begins_at("2026-12-01T10:00")]


def test_a_day_over_the_api_with_two_tokens(client, django_user_model):
    kim, ann = (Program(client, make_user(django_user_model, name, "Agent"))
                for name in ("kim", "ann"))  # fmt: skip
    make_brief(priority=1)
    brief, reason = make_brief(priority=4), make_reason("Price")

    # The most urgent one: nobody answers, and a colleague knows them better.
    [first, *_] = kim.get("briefs/?ordering=-priority").json()["results"]
    assert first["id"] == brief.pk
    called = kim.act(brief, "contacts", channel="phone", is_reached=False,
                     note="No answer", next_date="2026-12-03").json()  # fmt: skip
    asked = kim.act(brief, "comments", called["brief_etag"], text="@ann You know them.").json()
    assert asked["mentioned"] == ["ann"]
    given = kim.act(brief, "assign", asked["brief_etag"], to="ann")
    assert (given.json()["assignee"], given.json()["due_at"][:10]) == ("ann", "2026-12-03")

    # Kim is late: Ann has snoozed it meanwhile, and Kim's program is told so.
    asleep = ann.act(brief, "snooze", until="signal", why_moved="They are at a fair.")
    assert asleep.json()["is_snoozed_for_signal"]
    late = kim.act(brief, "close", given["ETag"], outcome="no_response")
    assert late.status_code == 412
    assert "until they signal again" in late.json()["news"]["activities"][-1]["text"]

    # They signal, so it wakes; Ann reaches them and closes it, and corrects herself.
    clock.set("2026-12-01T14:00")
    Brief.objects.filter(pk=brief.pk).wake("woke up: they signalled again")
    ann.act(brief, "contacts", channel="phone", is_reached=True)
    sent = {"outcome": "retained", "reason": reason.pk, "offer": "discount", "offer_percent": 10}
    closed = ann.act(brief, "close", key="close-1", **sent)
    again = ann.act(brief, "close", asleep["ETag"], key="close-1", **sent)
    assert closed.json() == again.json()
    corrected = ann.act(brief, "correct", closed["ETag"], offer_percent=20).json()
    assert (corrected["outcome"], corrected["offer_percent"]) == ("retained", 20)

    # It was closed too early.
    opened = kim.act(brief, "reopen", why="They wrote again.").json()
    assert (opened["state"], opened["assignee"]) == ("in_progress", "kim")
    said = [one["actor"] for one in opened["activities"]]
    assert said == ["kim", "kim", "kim", "ann", None, "ann", "ann", "ann", "kim"]
