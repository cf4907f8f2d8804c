"""Scripted faults, as a client meets them."""

import time

import pytest
import requests

from sandbox.faults import KINDS, Faults
from sandbox.tests.clients import app_api, ask, control, mavera

LOOK_UP = "customers/acme-1003/attributes"


def test_a_fault_happens_as_often_as_asked_then_all_is_well(sandbox):
    sandbox.faults.add("mave/chat", "503", count=2)
    client = mavera(sandbox)

    assert [ask(client).status_code for _ in range(3)] == [503, 503, 200]


def test_faults_of_a_route_happen_in_turn_and_on_no_other(sandbox):
    sandbox.faults.add("mave/chat", "500")
    sandbox.faults.add("mave/chat", "429")
    client = mavera(sandbox)

    assert client.get("usage").status_code == 200
    assert [ask(client).status_code for _ in range(3)] == [500, 429, 200]


def test_a_fault_may_come_after_right_answers(sandbox):
    sandbox.faults.add("segments", "none", count=2)
    sandbox.faults.add("segments", "500")
    client = app_api(sandbox)

    assert [client.get("segments").status_code for _ in range(4)] == [200, 200, 500, 200]


def test_a_fault_without_a_count_lasts_until_cleared(sandbox):
    sandbox.faults.add("usage", "500", count=None)
    client = mavera(sandbox)

    assert [client.get("usage").status_code for _ in range(3)] == [500] * 3
    sandbox.faults.clear()
    assert client.get("usage").status_code == 200


@pytest.mark.parametrize("status", ["401", "402", "403", "429", "500", "503"])
def test_a_status_of_mavera_comes_in_its_shape_and_costs_nothing(sandbox, status):
    sandbox.faults.add("mave/chat", status, retry_after=7)

    reply = ask(mavera(sandbox))

    assert reply.status_code == int(status)
    assert reply.json()["error"].keys() == {"message", "type", "code", "param"}
    assert reply.headers.get("Retry-After") == ("7" if status == "429" else None)
    assert sandbox.credits_used == 0


@pytest.mark.parametrize("status", ["401", "429", "500", "503"])
def test_a_status_of_the_app_api_comes_in_its_shape(sandbox, status):
    sandbox.faults.add("customers/attributes", status)

    reply = app_api(sandbox).get(LOOK_UP)

    assert reply.status_code == int(status)
    assert reply.json()["errors"][0]["status"] == status
    assert ("Retry-After" in reply.headers) == (status == "429")


def test_a_key_that_may_not_do_this_is_forbidden(sandbox):
    sandbox.faults.add("mave/threads", "403")

    reply = mavera(sandbox).get("mave/threads")

    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("status", ["502", "504"])
def test_a_gateway_answers_with_a_web_page_whichever_api_is_behind_it(sandbox, status):
    sandbox.faults.add("mave/chat", status)
    sandbox.faults.add("customers/attributes", status)

    replies = [ask(mavera(sandbox)), app_api(sandbox).get(LOOK_UP)]

    assert [reply.status_code for reply in replies] == [int(status)] * 2
    assert all(reply.headers["Content-Type"].startswith("text/html") for reply in replies)
    assert sandbox.credits_used == 0


def test_a_429_of_a_daily_quota_does_not_say_how_long_to_wait(sandbox):
    sandbox.faults.add("customers/attributes", "429", retry_after=None)

    assert "Retry-After" not in app_api(sandbox).get(LOOK_UP).headers


def test_a_scripted_429_of_mavera_has_nothing_remaining(sandbox):
    sandbox.faults.add("usage", "429", retry_after=3000)

    reply = mavera(sandbox).get("usage")

    assert reply.headers["X-RateLimit-Remaining"] == "0"
    assert 2900 <= int(reply.headers["X-RateLimit-Reset"]) - time.time() <= 3001


def test_a_hanging_request_gets_no_answer_then_is_closed(sandbox):
    for seconds in (600, 0.1):
        sandbox.faults.add("customers/attributes", "hang", seconds=seconds)
    client = app_api(sandbox)

    with pytest.raises(requests.ReadTimeout):
        client.get(LOOK_UP, timeout=0.1)
    with pytest.raises(requests.ConnectionError):
        client.get(LOOK_UP)


def test_a_dropped_request_was_not_paid(sandbox):
    sandbox.faults.add("mave/chat", "drop")
    client = mavera(sandbox)

    with pytest.raises(requests.ConnectionError):
        ask(client)

    assert sandbox.credits_used == 0
    assert sandbox.requests[0].status is None
    assert client.get("mave/threads").json()["data"] == []


def test_a_web_page_comes_in_place_of_json(sandbox):
    sandbox.faults.add("mave/chat", "html")

    reply = ask(mavera(sandbox))

    assert reply.status_code == 200
    assert reply.headers["Content-Type"].startswith("text/html")


def test_an_empty_answer_of_mave_was_paid(sandbox):
    sandbox.faults.add("mave/chat", "empty")

    assert ask(mavera(sandbox)).json()["content"] == ""
    assert sandbox.credits_used > 0


def test_an_empty_answer_elsewhere_has_no_body(sandbox):
    sandbox.faults.add("customers/attributes", "empty")

    reply = app_api(sandbox).get(LOOK_UP)

    assert (reply.status_code, reply.content) == (200, b"")


def test_a_truncated_answer_ends_in_the_middle(sandbox):
    sandbox.faults.add("customers/attributes", "truncated")

    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        app_api(sandbox).get(LOOK_UP)


def test_mave_may_ask_back(sandbox):
    sandbox.faults.add("mave/chat", "clarify")

    body = ask(mavera(sandbox)).json()

    assert "?" in body["content"]
    assert body["sources"] == []
    assert "validation" not in body
    assert body["usage"]["credits_used"] == 10


def test_validation_may_be_missing(sandbox):
    sandbox.faults.add("mave/chat", "no_validation")
    client = mavera(sandbox)

    assert "validation" not in ask(client, "Anything").json()
    assert "validation" in ask(client, "Anything").json()


def test_sources_may_be_missing(sandbox):
    sandbox.faults.add("mave/chat", "no_sources")

    assert ask(mavera(sandbox)).json()["sources"] == []


def test_a_paid_answer_that_was_dropped_is_found_in_its_thread(sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped")
    client = mavera(sandbox)

    with pytest.raises(requests.ConnectionError):
        ask(client, "Ref: r-1")

    thread = client.get("mave/threads").json()["data"][0]
    messages = client.get(f"mave/threads/{thread['id']}").json()["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[0]["content"] == "Ref: r-1"
    assert sandbox.credits_used == thread["credits_used"] > 0


def test_a_paid_answer_may_come_a_while_after_the_connection_was_dropped(sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    client = mavera(sandbox)

    with pytest.raises(requests.ConnectionError):
        ask(client)

    assert client.get("mave/threads").json()["data"][0]["message_count"] == 1


def test_a_call_that_mave_still_thinks_over_is_in_flight_though_its_connection_is_gone(sandbox):
    sandbox.faults.add("mave/chat", "paid_then_dropped", seconds=600)
    client = mavera(sandbox)

    with pytest.raises(requests.ConnectionError):
        ask(client)
    ask(client)

    assert sandbox.max_in_flight == 2


def test_a_lost_answer_was_paid_and_never_appears_in_its_thread(sandbox):
    sandbox.faults.add("mave/chat", "lost")
    client = mavera(sandbox)

    with pytest.raises(requests.ConnectionError):
        ask(client, "Ref: r-1")

    (thread,) = client.get("mave/threads").json()["data"]
    details = client.get(f"mave/threads/{thread['id']}").json()
    assert [message["content"] for message in details["messages"]] == ["Ref: r-1"]
    assert (thread["current_phase"], thread["complexity"]) == ("TRIAGE", None)
    assert sandbox.credits_used > 0


def test_a_slow_answer_is_right_and_takes_longer(sandbox):
    sandbox.faults.add("mave/chat", "slow", seconds=0.2)

    reply = ask(mavera(sandbox))

    call = sandbox.requests[0]
    assert reply.json()["content"]
    assert call.finished - call.started >= 0.2


@pytest.mark.parametrize(
    ("route", "fault", "options"),
    [
        ("mave", "500", {}),
        ("mave/chat", "418", {}),
        ("usage", "clarify", {}),
        ("customers", "402", {}),
        ("mave/threads", "lost", {}),
        ("usage", "500", {"count": 0}),
    ],
)
def test_a_fault_that_cannot_happen_is_refused(route, fault, options):
    with pytest.raises(ValueError, match=r"\.$"):
        Faults().add(route, fault, **options)


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"none", "slow"}))
def test_every_kind_can_happen_to_the_chat(sandbox, kind):
    sandbox.faults.add("mave/chat", kind, seconds=0.01)
    client = mavera(sandbox)

    try:
        spoilt = ask(client, "Anything")
        is_as_usual = spoilt.status_code == 200 and "validation" in spoilt.json()
        is_as_usual = is_as_usual and spoilt.json()["content"] and spoilt.json()["sources"]
    except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError, ValueError):
        is_as_usual = False

    assert not is_as_usual
    assert ask(client).status_code == 200


def test_faults_are_scripted_over_http(sandbox):
    body = {"route": "usage", "fault": "429", "count": 2, "retry_after": 3}

    reply = control(sandbox).post("faults", json=body)

    assert reply.json() == {"faults": [{**body, "seconds": 0.0}]}
    assert mavera(sandbox).get("usage").headers["Retry-After"] == "3"
    assert control(sandbox).get("faults").json()["faults"][0]["count"] == 1


def test_faults_are_cleared_over_http(sandbox):
    sandbox.faults.add("usage", "500")

    control(sandbox).delete("faults")

    assert mavera(sandbox).get("usage").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"route": "usage"},
        {"route": "usage", "fault": 500},
        {"route": "usage", "fault": "500", "times": 2},
        {"route": "usage", "fault": "500", "count": True},
        {"route": "usage", "fault": "clarify"},
    ],
)
def test_a_bad_script_is_a_400_with_a_sentence(sandbox, body):
    reply = control(sandbox).post("faults", json=body)

    assert reply.status_code == 400
    assert reply.json()["error"].endswith(".")
