"""Mave's chat: requests, answers, credits, and how many at once."""

import threading
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

import pytest
import requests

from sandbox import REVOKED_KEY
from sandbox.credits import price
from sandbox.tests.clients import ask, mavera


def error_of(reply):
    return reply.status_code, reply.json()["error"]["code"], reply.json()["error"]["param"]


def test_an_answer_has_the_documented_fields(sandbox):
    reply = ask(mavera(sandbox), "What keeps a customer?")

    body = reply.json()
    assert reply.status_code == 200
    assert (body["object"], body["role"]) == ("mave_message", "assistant")
    assert body["id"].startswith("mave_msg_")
    assert body["thread_id"].startswith("mave_thread_")
    assert body["content"].startswith("## What is probably going on")
    assert body["sources"][0].keys() == {"title", "url", "domain"}
    assert body["validation"]["confidence_score"] == 0.58
    assert body["created_at"].endswith("Z")


def test_an_answer_says_in_personas_used_that_it_is_the_sandbox(sandbox):
    personas = ask(mavera(sandbox)).json()["personas_used"]

    assert [persona["name"] for persona in personas] == ["Sandbox researcher"]


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_field", "message"),
        ({"message": "  "}, "missing_field", "message"),
        ({"message": 7}, "invalid_field", "message"),
        ({"message": "x" * 10_001}, "invalid_field", "message"),
        ({"message": "x", "thread_id": None}, "invalid_field", "thread_id"),
        ({"message": "x", "workspace_id": 1}, "invalid_field", "workspace_id"),
        ({"message": "x", "stream": True}, "invalid_field", "stream"),
    ],
)
def test_a_bad_request_is_a_400_that_names_the_field(sandbox, body, code, param):
    reply = mavera(sandbox).post("mave/chat", json=body)

    assert error_of(reply) == (400, code, param)
    assert sandbox.credits_used == 0


def test_a_body_that_is_not_json_lacks_its_message(sandbox):
    assert error_of(mavera(sandbox).post("mave/chat", data="hello"))[1] == "missing_field"


def test_stream_false_is_answered(sandbox):
    assert ask(mavera(sandbox), stream=False).status_code == 200


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("sk_123", "invalid_api_key"),
        ("mvra_live_nobody_knows_this_one", "invalid_api_key"),
        (REVOKED_KEY, "revoked_api_key"),
    ],
)
def test_a_wrong_key_is_a_401_that_says_which_kind(sandbox, key, code):
    assert error_of(ask(mavera(sandbox, key))) == (401, code, None)


def test_no_key_is_a_401_of_its_own(sandbox):
    reply = requests.get(f"{sandbox.mavera_base_url}/usage", timeout=60)

    assert error_of(reply) == (401, "missing_api_key", None)


def test_an_unknown_thread_is_a_404_and_costs_nothing(sandbox):
    reply = ask(mavera(sandbox), thread_id="mave_thread_gone")

    assert error_of(reply) == (404, "resource_not_found", None)
    assert sandbox.credits_used == 0


@pytest.mark.parametrize(
    ("length", "complexity", "least", "most"),
    [
        (1, "SIMPLE", 10, 15),
        (399, "SIMPLE", 10, 15),
        (400, "MODERATE", 20, 30),
        (1_200, "COMPLEX", 30, 50),
        (3_000, "STRATEGIC", 40, 75),
    ],
)
def test_the_price_follows_from_the_length_of_the_message(length, complexity, least, most):
    named, cost = price("x" * length)

    assert named == complexity
    assert least <= cost <= most


def test_credits_in_the_answer_are_those_taken(sandbox):
    client = mavera(sandbox)

    costs = [ask(client).json()["usage"]["credits_used"] for _ in range(2)]

    assert costs[0] == costs[1]
    assert sandbox.credits_used == sum(costs)


def test_a_call_that_costs_more_than_is_left_is_a_402_and_takes_nothing(sandbox):
    client = mavera(sandbox)
    sandbox.credits = ask(client).json()["usage"]["credits_used"] + 5

    reply = ask(client)

    assert error_of(reply) == (402, "credits_exhausted", None)
    assert sandbox.credits_used == sandbox.credits - 5


def test_an_answer_takes_as_long_as_the_latency(sandbox):
    sandbox.latency = 0.1

    ask(mavera(sandbox))

    call = sandbox.requests[0]
    assert 0.1 <= call.finished - call.started < 60


def test_the_eleventh_call_at_once_is_refused_and_seen(sandbox, monkeypatch):
    may_answer = threading.Event()
    monkeypatch.setattr(sandbox._mavera.chat, "_pause", lambda seconds: may_answer.wait(60))

    with ThreadPoolExecutor(11) as pool:
        calls = [pool.submit(ask, mavera(sandbox)) for _ in range(11)]
        wait(calls, return_when=FIRST_COMPLETED)  # all others think
        may_answer.set()

    assert sorted(call.result().status_code for call in calls) == [200] * 10 + [429]
    assert sandbox.max_in_flight == 11


def test_one_call_after_the_other_is_never_two_at_once(sandbox):
    client = mavera(sandbox)

    replies = [ask(client) for _ in range(12)]

    assert {reply.status_code for reply in replies} == {200}
    assert sandbox.max_in_flight == 1
