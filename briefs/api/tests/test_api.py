"""The REST API: who may read, what is there, and what it costs."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import ApiToken
from briefs.finding.words import indexing
from briefs.models import MaveHealth, ResearchPolicy
from briefs.tests.factories import (
    make_brief,
    make_customer,
    make_event,
    make_payload,
    make_persona,
    make_research,
    make_signal,
    make_step,
)
from personas.models import PersonaCondition
from webhooks.models import WebhookEvent

pytestmark = pytest.mark.django_db

ROUTES = ["/api/v1/briefs/", "/api/v1/events/", "/api/v1/personas/", "/api/v1/customers/"]


@pytest.fixture
def get(client, user):
    """GET with a token, as a program would."""
    row, token = ApiToken.objects.create(user=user, last_used_at=timezone.now())
    assert not row.role  # all that the user may

    def send(path, **query):
        response = client.get(path, query, headers={"Authorization": f"Token {token}"})
        assert response.status_code == 200, response.content
        return response.json()

    return send


def ids(page) -> list[int]:
    return [item["id"] for item in page["results"]]


# Who may read


@pytest.mark.parametrize("path", [*ROUTES, "/api/schema/"])
def test_without_a_token_the_answer_is_401(client, path):
    assert client.get(path).status_code == 401


@pytest.mark.parametrize("path", [*ROUTES, "/api/schema/", "/api/docs/"])
def test_signed_in_user_needs_no_token(signed_in, path):
    assert signed_in.get(path).status_code == 200


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_can_be_written(signed_in, path, method):
    assert getattr(signed_in, method)(path).status_code == 405


# Briefs


def test_brief_in_a_list_says_what_to_do_and_what_it_stands_on(get, user):
    research = make_research(
        status="done", credits=40, finished_at=timezone.now() - timedelta(hours=3, minutes=5)
    )
    brief = make_brief(
        persona=research.persona, research=research, basis="shared", is_sharing=True, assignee=user
    )
    make_step()

    [item] = get("/api/v1/briefs/")["results"]

    assert item["url"] == f"http://testserver/briefs/{brief.pk}/"
    assert item["priority"] == "urgent"
    assert (item["kind"], item["kind_label"]) == ("unsubscribed", "Unsubscribed")
    assert (item["basis"], item["basis_words"]) == ("shared", "Research: shared, 3 h old")
    assert item["first_step"] == "Have the account owner call."
    assert item["first_step_source"] == "for “Unsubscribed”"
    assert item["first_step_channels"] == ["phone"]
    assert (item["first_step_reason"], item["came_back"]) == ("", "")
    assert item["assignee"] == user.username
    assert item["customer"]["external_id"] == brief.customer.external_id
    assert item["persona"] == {"id": brief.persona.pk, "name": brief.persona.name, "value": "high"}
    assert item["research"]["credits"] == 40
    assert item["research"]["is_shared"]


def test_list_carries_neither_answers_nor_attributes(get):
    make_brief(research=make_research(answer="a long answer"))

    [item] = get("/api/v1/briefs/")["results"]

    assert "answer" not in item["research"]
    assert "attributes" not in item["customer"]


def test_brief_without_research_says_so_with_null(get):
    brief = make_brief()

    assert get("/api/v1/briefs/")["results"][0]["research"] is None
    assert get(f"/api/v1/briefs/{brief.pk}/")["research"] is None


def test_brief_in_full_tells_the_whole_story(get, user):
    research = make_research(
        status="done",
        answer="**Call** them.",
        sources=[{"title": "Study", "url": "https://example.com/"}],
        personas_used=["Buyer"],
        validation={"confidence_score": 0.82},
    )
    brief = make_brief(
        research=research, persona_why="plan is “pro”", question_facts=["plan is pro"]
    )
    signal = make_signal(brief=brief, message={"campaign_name": "Autumn"})
    echo = make_signal(brief=brief, same_act_as=signal, event=None)
    brief.log("took it", user)

    item = get(f"/api/v1/briefs/{brief.pk}/")

    assert item["persona_why"] == "plan is “pro”"
    assert item["question_facts"] == ["plan is pro"]
    assert item["playbook"].startswith("## First step")
    assert item["research"]["answer"] == "**Call** them."
    assert item["research"]["sources"][0]["title"] == "Study"
    assert item["research"]["personas_used"] == ["Buyer"]
    assert item["research"]["confidence"] == 82
    assert item["customer"]["attributes"]["plan"] == "enterprise"
    assert item["customer"]["fetched_at"]
    told = {row["id"]: row for row in item["signals"]}
    assert told[signal.pk]["event"] == signal.event.pk
    assert told[signal.pk]["event_id"] == signal.event.event_id
    assert told[signal.pk]["message"] == {"campaign_name": "Autumn"}
    assert told[echo.pk]["same_act_as"] == signal.pk
    assert told[echo.pk]["event"] is None
    assert item["activities"][0]["actor"] == user.username


def test_brief_says_what_its_research_cost_it_and_how_old_it_is(get):
    at = timezone.now() - timedelta(hours=3)
    done = {"status": "done", "credits": 40, "finished_at": at}
    make_brief(research=make_research(**done), basis="new")
    make_brief(research=make_research(**done), basis="shared", is_sharing=True)
    make_brief(research=make_research())

    waiting, shared, new = (item["research"] for item in get("/api/v1/briefs/")["results"])

    assert 3 * 3600 <= new["age_seconds"] < 3 * 3600 + 60
    assert (new["brief_credits"], shared["brief_credits"]) == (40, 0)
    assert (waiting["age_seconds"], waiting["brief_credits"]) == (None, None)


def test_brief_on_its_playbook_alone_says_why(get):
    make_brief(research=make_research(status="running"))
    make_brief(research=make_research(status="done"), basis="new")

    new, waiting = get("/api/v1/briefs/")["results"]

    assert (new["basis_why"], waiting["basis_why"]) == ("", "under way")


def test_brief_in_full_says_what_is_cited_and_what_must_not_be_done(get):
    research = make_research(
        status="done",
        answer="Send an e-mail [1].",
        sources=[{"title": "A", "url": "https://a.example/"}, {"title": "B", "url": "x"}],
        validation={"hallucination_risk": "High", "unsupported_claims": ["All of it."]},
    )
    customer = make_customer(is_unsubscribed=True)
    brief = make_brief(research=research, basis="new", customer=customer)

    item = get(f"/api/v1/briefs/{brief.pk}/")["research"]

    assert item["hallucination_risk"] == "high"
    assert item["unsupported_claims"] == ["All of it."]
    cited = [(source["number"], source["is_cited"]) for source in item["reading"]["sources"]]
    assert cited == [(1, True), (2, False)]
    assert item["reading"]["advises_closed"] == ["email"]
    assert not item["reading"]["is_without_sources"]


def test_brief_in_full_says_whether_a_fresh_answer_is_under_way(get):
    brief = make_brief(research=make_research(status="done"), renewal=make_research())
    other = make_brief(research=make_research(status="done"))

    assert get(f"/api/v1/briefs/{brief.pk}/")["is_renewing"]
    assert not get(f"/api/v1/briefs/{other.pk}/")["is_renewing"]


def test_without_a_state_all_briefs_are_listed_newest_first(get):
    old, new = make_brief(), make_brief()
    old.close("retained")

    assert ids(get("/api/v1/briefs/")) == [new.pk, old.pk]


@pytest.mark.parametrize(
    ("query", "value"),
    [("state", "closed"), ("kind", "bounced"), ("priority", 1), ("assignee", "me"),
     ("research", "shared"), ("persona", "wanted"), ("q", "wanted@example.com")],
)  # fmt: skip
def test_briefs_are_narrowed_down_as_in_the_inbox(get, user, query, value):
    make_brief()
    persona = make_persona()
    wanted = make_brief(
        kind="bounced", priority=1, assignee=user, basis="shared", persona=persona,
        customer=make_customer(email="wanted@example.com"),
    )  # fmt: skip
    wanted.close("retained")
    indexing.run()

    page = get("/api/v1/briefs/", **{query: persona.pk if query == "persona" else value})

    assert ids(page) == [wanted.pk]


def test_unknown_filter_value_is_refused_in_words(signed_in):
    response = signed_in.get("/api/v1/briefs/", {"kind": "nonsense"})

    assert response.status_code == 400
    assert "kind" in response.json()


def test_list_of_briefs_needs_no_query_per_brief(get, django_assert_num_queries, user, settings):
    settings.MAVERA_API_KEY = "key"
    make_persona(month_budget=1000)
    for _ in range(20):
        make_brief(research=make_research(), assignee=user)

    ResearchPolicy.current(), MaveHealth.current()
    # Token, permissions, count, page; policy, health, spent by all; personas with a budget,
    # spent by them; whether thresholds are set; first steps, signals.
    with django_assert_num_queries(12):
        page = get("/api/v1/briefs/")

    assert len(page["results"]) == 20


def test_list_of_closed_briefs_needs_no_query_per_offer(get, django_assert_max_num_queries):
    for code in ("help", "pause", "nothing", "other", "discount") * 4:
        make_brief().close("retained", offer_id=code)

    with django_assert_max_num_queries(13):
        page = get("/api/v1/briefs/?state=closed")

    assert {one["offer"] for one in page["results"]} >= {"help", "pause"}


def test_brief_tells_what_holds_its_research_back(get, settings):
    settings.MAVERA_API_KEY = "key"
    ResearchPolicy.current().pause("end of quarter")
    brief = make_brief(research=make_research())

    assert get(f"/api/v1/briefs/{brief.pk}/")["basis_why"] == "paused"


def test_brief_in_full_needs_no_query_per_signal_or_activity(get, django_assert_num_queries, user):
    brief = make_brief(research=make_research())
    for _ in range(10):
        make_signal(brief=brief)
        brief.log("looked at it", user)

    # Token, permissions, brief, signals, activities, their actors, contacts, comments; first steps,
    # about channels.
    with django_assert_num_queries(10):
        get(f"/api/v1/briefs/{brief.pk}/")


# Events


def test_event_tells_what_it_led_to(get):
    brief = make_brief()
    event = make_event(status="processed")
    signal = make_signal(brief=brief, event=event)

    [item] = get("/api/v1/events/")["results"]

    assert item["signal"] == {
        "id": signal.pk, "kind": "unsubscribed", "detail": "", "effect": "opens_brief",
        "customer": brief.customer.pk, "brief": brief.pk, "rules_version": None,
    }  # fmt: skip
    assert not {"headers", "body", "payload"} & item.keys()


def test_event_in_full_carries_its_payload_and_no_headers(get):
    event = make_event(make_payload(metric="bounced"), headers={"User-Agent": "x"})

    item = get(f"/api/v1/events/{event.pk}/")

    assert item["payload"]["metric"] == "bounced"
    assert item["signal"] is None
    assert "headers" not in item


def test_event_says_what_it_said_of_its_time_and_hides_passwords(get):
    event = make_event(
        make_payload(data={"recipient": "https://ann:secret@hooks.example.com"}),
        occurred_at=None,
        stated_time="1924992000",
    )

    item = get(f"/api/v1/events/{event.pk}/")

    assert (item["occurred_at"], item["stated_time"]) == (None, "1924992000")
    assert item["payload"]["data"] == {"recipient": "https://…@hooks.example.com"}


@pytest.mark.parametrize(
    ("body", "payload"),
    [
        (b"not json", {}),
        (b'{"a": NaN, "b": 1e999}', {"a": "NaN", "b": "Infinity"}),
        (b'{"a": "\\ud800"}', {"a": "?"}),
        (b'{"a": ' + b"[" * 5000, {}),
    ],
)
def test_payload_with_values_json_has_no_form_for_is_answered(get, body, payload):
    event = make_event(body=body, status="quarantined")

    assert get(f"/api/v1/events/{event.pk}/")["payload"] == payload


def test_deeply_nested_payload_does_not_break_the_response(get):
    depth = 900
    event = make_event(body=b'{"a": ' + b"[" * depth + b"]" * depth + b"}")

    assert "payload" in get(f"/api/v1/events/{event.pk}/")


@pytest.mark.parametrize(
    ("query", "value"),
    [("status", "dead"), ("metric", "bounced"), ("object_type", "email"), ("event_id", "evt-1"),
     ("received_after", "2026-11-02T00:00:00Z"), ("received_before", "2026-11-04T00:00:00Z")],
)  # fmt: skip
def test_events_are_narrowed_down(get, query, value):
    wanted = make_event(event_id="evt-1", object_type="email", metric="bounced", status="dead")
    other = make_event()
    set_received(wanted, "2026-11-03T00:00:00Z")
    set_received(other, "2026-11-01" if query == "received_after" else "2026-11-05")

    assert ids(get("/api/v1/events/", **{query: value})) == [wanted.pk]


def set_received(event, at: str) -> None:
    moment = at if "T" in at else f"{at}T00:00:00Z"
    WebhookEvent.objects.filter(pk=event.pk).update(received_at=moment)


def test_list_of_events_needs_no_query_per_event_and_reads_no_body(get, django_assert_num_queries):
    for _ in range(20):
        make_signal()

    with django_assert_num_queries(4) as queries:  # token, permissions, count, page
        get("/api/v1/events/")

    assert not [query for query in queries if '"body"' in query["sql"]]


# Personas and customers


def test_persona_tells_its_conditions_as_the_team_typed_them(get):
    persona = make_persona()
    PersonaCondition.objects.create(persona=persona, field="plan", operator="in", value="pro, biz")

    item = get(f"/api/v1/personas/{persona.pk}/")

    assert item["conditions"] == ["plan is one of pro, biz"]


def test_customer_is_found_by_address_whatever_its_case(get):
    wanted = make_customer(email="robin@example.com")
    make_customer()

    page = get("/api/v1/customers/", email="Robin@Example.com")

    assert ids(page) == [wanted.pk]
    assert get(f"/api/v1/customers/{wanted.pk}/")["attributes"]["plan"] == "enterprise"


def test_customers_are_found_by_words(get):
    wanted = make_customer(attributes={"name": "Zoë Müller"}, company="Acme")
    make_customer()
    indexing.run()

    assert ids(get("/api/v1/customers/", q="muller acme")) == [wanted.pk]


@pytest.mark.parametrize("path", ["/api/v1/personas/", "/api/v1/customers/"])
def test_other_lists_need_no_query_per_row(get, django_assert_max_num_queries, path):
    for _ in range(10):
        make_brief()

    with django_assert_max_num_queries(6):
        get(path)


# Pages


def test_page_size_is_fifty_and_may_be_chosen_up_to_two_hundred(get):
    persona = make_persona()
    for _ in range(201):
        make_brief(persona=persona)

    assert len(get("/api/v1/briefs/")["results"]) == 50
    assert len(get("/api/v1/briefs/", page_size=1000)["results"]) == 200
    assert "cursor=" in get("/api/v1/briefs/")["next"]


# Schema and docs


def test_schema_names_every_route(signed_in):
    schema = signed_in.get("/api/schema/", headers={"Accept": "application/json"})

    paths = json.loads(schema.content)["paths"]
    assert {f"{route}{{id}}/" for route in ROUTES} <= set(paths)


def test_docs_redirect_a_stranger_to_the_login(client):
    response = client.get("/api/docs/")

    assert response.status_code == 302
    assert response.headers["Location"] == "/login/?next=/api/docs/"


def test_docs_obey_the_content_security_policy(signed_in):
    response = signed_in.get("/api/docs/")

    html = response.content.decode()
    assert "'unsafe-inline'" not in response.headers["Content-Security-Policy"]
    assert "<style" not in html
    assert html.count("<script") == html.count("<script src=") == 3


def test_docs_script_has_an_address_of_its_own(signed_in):
    response = signed_in.get("/api/docs/", {"script": ""})

    assert response.headers["Content-Type"].startswith("application/javascript")
    assert b"/api/schema/" in response.content
