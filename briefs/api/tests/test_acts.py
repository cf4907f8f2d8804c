"""What a program may do with a brief, and what it is refused."""

import json
import re
import urllib.error
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from accounts.models import Role
from briefs.api.tests.acting import Program
from briefs.api.tests.test_schema import validate
from briefs.models import Brief, Comment, ContactLog
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_offer,
    make_reason,
    make_signal,
)
from conftest import make_user
from webhooks.clock import database_now

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.on_sqlite,  # one of many: what differs is in test_repeating and test_day
    pytest.mark.begins_at("2026-12-01T12:00"),
]

GUIDE = Path(__file__).parents[3] / "docs/api.md"
PHONED = {"channel": "phone", "is_reached": False, "note": "Rang out."}
# Each act with something that it takes.
ACTS = {
    "assign": {"to": "me"},
    "contacts": PHONED,
    "snooze": {"until": "tomorrow"},
    "wake": {},
    "comments": {"text": "Who knows them?"},
    "close": {"outcome": "no_response"},
    "correct": {"note": "They wrote."},
    "reopen": {"why": "They wrote."},
}


@pytest.fixture
def agent(django_user_model):
    return make_user(django_user_model, "kim", "Agent")


@pytest.fixture
def program(client, agent):
    return Program(client, agent)


def make_closed(**kw):
    fields = {
        "state": "closed",
        "outcome": "churned",
        "closed_at": database_now(),
        "note": "",
        **kw,
    }
    fields["closing_note"] = fields.pop("note")
    return make_brief(**fields)


def brief_for(name, **kw):
    """One on which this act is possible."""
    if name in ("correct", "reopen"):
        return make_closed(
            closing_reason=make_reason(), offer_id="discount", offer_percent=10, **kw
        )
    if name == "wake":
        until = database_now() + timedelta(days=3)
        return make_brief(state="snoozed", snoozed_until=until, **kw)
    return make_brief(**kw)


# All of them


def example(schema, name):
    """What the schema shows that is sent."""
    described = schema["paths"][f"/api/v1/briefs/{{id}}/{name}/"]["post"].get("requestBody", {})
    examples = described.get("content", {}).get("application/json", {}).get("examples", {})
    return next((one["value"] for one in examples.values()), {})


@pytest.mark.parametrize("name", ACTS)
def test_example_of_the_schema_is_answered_as_it_says(program, schema, name):
    brief, sent = brief_for(name), example(schema, name)
    if "reason" in sent:
        sent = {**sent, "reason": make_reason().pk}

    done = program.act(brief, name, **sent)

    status = 201 if name in ("contacts", "comments") else 200
    assert done.status_code == status, done.content
    validate(schema, f"/api/v1/briefs/{{id}}/{name}/", status, done.json(), "post")
    brief.refresh_from_db()
    assert brief.activities.filter(actor__username="kim").exists()
    tag = done.json().get("brief_etag") or done["ETag"]
    assert tag == program.see(brief)


@pytest.mark.parametrize("name", ACTS)
def test_act_without_if_match_is_refused(program, schema, name):
    refused = program.act(brief_for(name), name, seen=None, **ACTS[name])

    assert (refused.status_code, refused.json()["code"]) == (428, "if_match_missing")
    assert refused["Content-Type"] == "application/problem+json"
    validate(schema, f"/api/v1/briefs/{{id}}/{name}/", 428, refused.json(), "post")


@pytest.mark.parametrize("name", ACTS)
def test_act_on_what_has_changed_since_is_refused_and_told(program, schema, lead, name):
    brief = brief_for(name)
    seen = program.see(brief)
    brief.log("called the account owner", lead)

    refused = program.act(brief, name, seen=seen, **ACTS[name])

    assert (refused.status_code, refused.json()["code"]) == (412, "stale")
    [told] = refused.json()["news"]["activities"]
    assert (told["actor"], told["text"]) == ("lee", "called the account owner")
    assert refused["ETag"] == program.see(brief)
    assert not brief.activities.filter(actor__username="kim").exists()
    validate(schema, f"/api/v1/briefs/{{id}}/{name}/", 412, refused.json(), "post")


@pytest.mark.parametrize("name", ACTS)
def test_act_needs_a_permission_of_the_person_and_of_the_token(client, lead, name):
    program = Program(client, lead, Role.VIEWER)

    refused = program.act(brief_for(name), name, **ACTS[name])

    assert refused.status_code == 403
    assert "briefs.work_brief" in refused.json()["detail"]


@pytest.mark.parametrize("name", ACTS)
def test_field_that_is_not_known_is_refused(program, schema, name):
    refused = program.act(brief_for(name), name, **ACTS[name], nonsense=1)

    assert (refused.status_code, refused.json()["code"]) == (400, "invalid")
    assert "There is no such field." in refused.json()["errors"]["nonsense"][0]
    validate(schema, f"/api/v1/briefs/{{id}}/{name}/", 400, refused.json(), "post")


@pytest.mark.parametrize("name", ["assign", "contacts", "snooze", "wake", "close"])
def test_closed_brief_is_left_as_it_is(program, schema, name):
    refused = program.act(make_closed(), name, **ACTS[name])

    assert (refused.status_code, refused.json()["code"]) == (409, "closed")
    validate(schema, f"/api/v1/briefs/{{id}}/{name}/", 409, refused.json(), "post")
    assert Brief.objects.get().outcome == "churned"


def test_guide_shows_every_act_with_the_example_of_the_schema(schema):
    shown = re.findall(r"POST /api/v1/briefs/7/(\w+)/\n\n(.+)", GUIDE.read_text())

    assert {name: json.loads(sent) for name, sent in shown} == {
        name: example(schema, name) for name in ACTS
    }


# If-Match


def test_signal_that_arrived_since_is_told_in_words(program):
    brief = make_brief()
    seen = program.see(brief)
    make_signal(brief=brief, customer=brief.customer, kind="spam_complaint")
    brief.log("a further signal")

    news = program.act(brief, "close", seen=seen, outcome="retained").json()["news"]

    assert [one["words"] for one in news["happenings"]] == [
        "They reported a message of ours as spam."
    ]


def test_what_a_program_did_itself_needs_the_new_etag_too(program):
    brief = make_brief()
    seen = program.see(brief)
    program.act(brief, "comments", text="One")

    assert program.act(brief, "comments", seen=seen, text="Two").status_code == 412


@pytest.mark.parametrize("weakened", ["W/{}", '"other", {}', "*"])
def test_if_match_takes_a_weak_one_several_and_any(program, weakened):
    brief = make_brief()

    done = program.act(brief, "assign", seen=weakened.format(program.see(brief)), to="me")

    assert done.status_code == 200


def test_etag_of_another_brief_is_none_of_this_one(program):
    seen = program.see(make_brief())

    assert program.act(make_brief(), "assign", seen=seen, to="me").status_code == 412


@pytest.mark.parametrize("garbage", ["", "1", '"1"', '"1-2-3-4-5-6-7-8"', '"1-' + "9" * 30 + '"'])
def test_if_match_that_says_nothing_is_refused(program, garbage):
    refused = program.act(make_brief(), "assign", seen=garbage or " ", to="me")

    assert refused.status_code == 412
    assert "names no ETag of this brief" in refused.json()["detail"]


# Each


def test_brief_is_given_to_a_colleague_and_back(program, lead):
    brief = make_brief()

    given = program.act(brief, "assign", to="lee").json()["assignee"]
    back = program.act(brief, "assign", to=None).json()["assignee"]

    assert (given, back) == ("lee", None)


@pytest.mark.parametrize("to", ["nobody-here", "vic", "a\u0000b", "\ud800", 7, "", []])
def test_brief_is_given_to_nobody_who_cannot_work_on_it(program, django_user_model, to):
    make_user(django_user_model, "vic", "Viewer")

    refused = program.act(make_brief(), "assign", to=to)

    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["to"])


def test_contacts_are_listed_oldest_first(program, schema):
    brief = make_brief()
    program.act(brief, "contacts", **PHONED, next_date="2026-12-03")
    program.act(brief, "contacts", channel="email", is_reached=True)

    listed = program.get(f"briefs/{brief.pk}/contacts/").json()

    validate(schema, "/api/v1/briefs/{id}/contacts/", 200, listed)
    assert [one["channel"] for one in listed["results"]] == ["phone", "email"]
    assert listed["results"][0]["next_date"] == "2026-12-03"
    assert program.get(f"briefs/{brief.pk}/").json()["first_touch_at"]


def test_contact_without_its_fields_names_them(program):
    refused = program.act(make_brief(), "contacts", channel="pigeon", next_date="2026-11-01")

    assert refused.status_code == 400
    assert set(refused.json()["errors"]) == {"channel", "is_reached"}
    assert not ContactLog.objects.exists()


def test_day_that_is_over_is_refused(program):
    refused = program.act(make_brief(), "contacts", **PHONED, next_date="2026-11-01")

    assert refused.json()["errors"] == {"next_date": ["This day is over."]}


def test_brief_is_snoozed_and_woken(program):
    brief = make_brief()

    asleep = program.act(brief, "snooze", until="day", day="2026-12-07").json()
    awake = program.act(brief, "wake").json()

    assert (asleep["state"], asleep["snoozed_until"][:10]) == ("snoozed", "2026-12-07")
    assert (awake["state"], awake["snoozed_until"]) == ("new", None)


def test_moving_it_again_asks_why(program):
    brief = make_brief()
    program.act(brief, "contacts", **PHONED, next_date="2026-12-03")

    refused = program.act(brief, "snooze", until="monday")

    assert list(refused.json()["errors"]) == ["why_moved"]
    moved = program.act(brief, "snooze", until="monday", why_moved="They are away.")
    assert moved.status_code == 200


def test_comment_tells_whom_it_mentions(program, schema, lead):
    brief = make_brief()

    written = program.act(brief, "comments", text="@lee @nobody-here: who knows them?").json()

    assert (written["mentioned"], written["unknown_mentions"]) == (["lee"], ["nobody-here"])
    listed = program.get(f"briefs/{brief.pk}/comments/").json()
    validate(schema, "/api/v1/briefs/{id}/comments/", 200, listed)
    assert [one["text"] for one in listed["results"]] == [written["text"]]


def test_closing_as_churned_asks_for_reason_and_offer(program):
    brief, reason = make_brief(), make_reason("Too dear")

    refused = program.act(brief, "close", outcome="churned")
    assert Brief.objects.get().is_open
    closed = program.act(
        brief, "close", outcome="churned", reason=reason.pk, offer="discount", offer_percent=20
    )

    assert (refused.status_code, set(refused.json()["errors"])) == (400, {"reason", "offer"})
    shown = closed.json()
    assert shown["closing_reason"] == {"id": reason.pk, "name": "Too dear"}
    assert (shown["state"], shown["offer"], shown["offer_percent"]) == ("closed", "discount", 20)


def test_reason_that_is_no_longer_offered_is_refused(program):
    old = make_reason(is_active=False)

    refused = program.act(make_brief(), "close", outcome="churned", reason=old.pk, offer="help")

    assert refused.json()["errors"] == {"reason": ["There is no such closing reason."]}


@pytest.mark.parametrize("code", ["gone", "trip", "\ud800", "\0", ["help"], 7, True])
def test_offer_that_is_unknown_or_switched_off_is_refused(program, code):
    make_offer(is_active=False)

    refused = program.act(make_brief(), "close", outcome="no_response", offer=code)

    assert refused.status_code == 400
    assert list(refused.json()["errors"]) == ["offer"]
    assert Brief.objects.get().is_open


def test_refusal_says_that_there_is_no_such_offer(program):
    refused = program.act(make_brief(), "close", outcome="no_response", offer="gone")

    assert refused.json()["errors"] == {"offer": ["There is no such offer."]}


def test_offer_of_the_team_is_taken_by_its_code_with_what_it_asks_for(program):
    brief = make_brief()
    make_offer(asks="words")

    refused = program.act(brief, "close", outcome="no_response", offer="trip")
    shown = program.act(
        brief, "close", outcome="no_response", offer="trip", offer_words="To Rome."
    ).json()

    assert list(refused.json()["errors"]) == ["offer_words"]
    assert (shown["offer"], shown["offer_words"]) == ("trip", "To Rome.")


@pytest.mark.parametrize("nothing", ["", None])
def test_offer_may_be_left_unsaid(program, nothing):
    shown = program.act(make_brief(), "close", outcome="no_response", offer=nothing).json()

    assert (shown["state"], shown["offer"]) == ("closed", None)


def test_offer_and_reason_that_were_switched_off_stay_when_the_ending_is_corrected(program):
    reason = make_reason(is_active=False)
    brief = make_closed(closing_reason=reason, offer=make_offer(is_active=False))

    shown = program.act(brief, "correct", reason=reason.pk, offer="trip", note="Sold.").json()

    assert (shown["offer"], shown["closing_note"]) == ("trip", "Sold.")


def test_what_a_correction_does_not_send_stays(program):
    brief = make_closed(closing_reason=make_reason("Gone"), offer_id="pause", note="Sold.")

    shown = program.act(brief, "correct", outcome="retained").json()

    assert (shown["outcome"], shown["offer"], shown["closing_note"]) == (
        "retained",
        "pause",
        "Sold.",
    )
    assert shown["closing_reason"]["name"] == "Gone"


@pytest.mark.parametrize(("brief", "code"), [({}, "open"), ({"outcome": "withdrawn"}, "withdrawn")])
def test_only_what_people_closed_is_corrected(program, brief, code):
    brief = make_closed(**brief) if brief else make_brief()

    refused = program.act(brief, "correct", outcome="no_response")

    assert (refused.status_code, refused.json()["code"]) == (409, code)


def test_brief_is_not_reopened_beside_another(program):
    customer = make_customer()
    closed, other = make_closed(customer=customer), make_brief(customer=customer)

    refused = program.act(closed, "reopen")

    assert refused.status_code == 409
    assert refused.json()["open_brief"] == other.pk


def test_closing_reasons_are_listed(program):
    reason = make_reason("Aaa", position=0)

    [first, *_] = program.get("closing-reasons/").json()["results"]
    one = program.get(f"closing-reasons/{reason.pk}/").json()

    assert one["name"] == "Aaa"
    assert set(first) == {"id", "name", "position", "is_active"}


def test_offers_are_listed_with_what_they_ask_for(program, schema):
    make_offer(position=0, asks="words", is_active=False)

    listed = program.get("offers/").json()
    one = program.get("offers/trip/").json()

    validate(schema, "/api/v1/offers/", 200, listed)
    validate(schema, "/api/v1/offers/{code}/", 200, one)
    assert [offer["code"] for offer in listed["results"]] == [
        "trip", "nothing", "help", "pause", "discount", "other",
    ]  # fmt: skip
    assert listed["results"][0] == one
    assert one == {"code": "trip", "name": "A trip", "asks": "words", "position": 0,
                   "is_active": False}  # fmt: skip


def test_brief_tells_from_which_it_returned(program):
    before = make_closed()
    brief = make_brief(customer=before.customer, returned_from=before)

    assert program.get(f"briefs/{brief.pk}/").json()["returned_from"] == before.pk


# What else may be sent


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [("{", "application/json", 400), ("[" * 200_000, "application/json", 400),
     ("[]", "application/json", 400), ("to=me", "application/x-www-form-urlencoded", 415),
     ('{"\\ud800": 1}', "application/json", 400), ("9" * 3_000_000, "application/json", 413)],
)  # fmt: skip
def test_body_that_is_no_object_of_json_is_refused(client, program, body, kind, status):
    brief = make_brief()
    headers = {**program.header, "If-Match": program.see(brief)}

    path = f"/api/v1/briefs/{brief.pk}/assign/"
    refused = client.post(path, body, content_type=kind, headers=headers)

    assert refused.status_code == refused.json()["status"] == status
    assert refused["Content-Type"] == "application/problem+json"


def test_brief_that_does_not_exist_is_told(program):
    refused = program.client.post("/api/v1/briefs/9/wake/", headers=program.header)

    assert (refused.status_code, refused.json()["title"]) == (404, "Not Found")


def test_viewer_reads_no_notes_and_no_comments(client, program, lead):
    brief = make_brief()
    program.act(brief, "contacts", **PHONED)
    program.act(brief, "comments", text="Rosa left the company.")
    viewer = Program(client, lead, Role.VIEWER)

    shown = [viewer.get(f"briefs/{brief.pk}/{name}/").content.decode()
             for name in ("contacts", "comments")]  # fmt: skip

    assert "Rang out" not in shown[0]
    assert "Rosa" not in shown[1]
    assert Comment.objects.exists()


def test_page_of_the_desk_needs_its_token_against_forgery(django_user_model):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(make_user(django_user_model, "kim", "Agent"))

    refused = browser.post(f"/api/v1/briefs/{make_brief().pk}/wake/", headers={"If-Match": "*"})

    assert refused.status_code == 403
    assert "CSRF" in refused.json()["detail"]


@pytest.mark.parametrize("name", ACTS)
def test_act_may_be_asked_what_it_takes(program, name):
    path = f"/api/v1/briefs/{make_brief().pk}/{name}/"

    assert program.client.options(path, headers=program.header).status_code == 200


def test_program_acts_over_http(live_server, client, agent):
    brief = make_brief()
    header = Program(client, agent).header
    url = f"{live_server.url}/api/v1/briefs/{brief.pk}/"
    with urllib.request.urlopen(urllib.request.Request(url, headers=header)) as got:
        tag = got.headers["ETag"]

    def assign(to):
        sent = {**header, "If-Match": tag, "Content-Type": "application/json"}
        body = json.dumps({"to": to}).encode()
        return urllib.request.urlopen(urllib.request.Request(f"{url}assign/", body, sent))

    with assign("me") as done:
        assert done.headers["Content-Location"] == f"/api/v1/briefs/{brief.pk}/"
        assert json.load(done)["assignee"] == "kim"
    with pytest.raises(urllib.error.HTTPError, match="412"):
        assign(None)
