"""Mavera around the chat: rate limit headers, usage, personas."""

import time

from sandbox.tests.clients import app_api, ask, mavera

LIMITS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")


def test_every_answer_carries_the_rate_limit_errors_included(sandbox):
    client = mavera(sandbox)
    replies = [
        client.get("usage"),
        ask(client, ""),
        client.get("nowhere"),
        client.put("usage"),
        mavera(sandbox, "wrong").get("usage"),
    ]

    assert [reply.status_code for reply in replies] == [200, 400, 404, 405, 401]
    assert all(name in reply.headers for reply in replies for name in LIMITS)


def test_the_rate_limit_counts_down_and_says_when_it_is_over(sandbox):
    client = mavera(sandbox)
    sandbox.requests_per_minute = 2

    replies = [client.get("usage") for _ in range(3)]

    assert [reply.headers["X-RateLimit-Remaining"] for reply in replies] == ["1", "0", "0"]
    assert replies[2].status_code == 429
    assert 31 <= int(replies[2].headers["Retry-After"]) <= 60
    assert 31 <= int(replies[2].headers["X-RateLimit-Reset"]) - time.time() <= 61
    assert replies[2].json()["error"]["code"] == "rate_limit_exceeded"


def test_time_may_run_faster_for_the_limit_and_whatever_tells_of_it(sandbox):
    client = mavera(sandbox)
    sandbox.requests_per_minute = 1
    sandbox.time_scale = 2

    replies = [client.get("usage") for _ in range(2)]

    assert replies[1].status_code == 429
    assert 1 <= int(replies[1].headers["Retry-After"]) <= 30
    assert 0 <= int(replies[1].headers["X-RateLimit-Reset"]) - time.time() <= 31


def test_time_may_run_faster_for_mave(sandbox):
    sandbox.latency, sandbox.time_scale = 60, 600

    ask(mavera(sandbox))

    call = sandbox.requests[0]
    assert 0.1 <= call.finished - call.started < 50


def test_the_worst_minute_counts_every_request_to_mavera(sandbox):
    client = mavera(sandbox)
    client.get("mave/threads")
    client.get("nowhere")
    mavera(sandbox, "wrong").get("usage")
    app_api(sandbox).get("info/ip_addresses")

    assert sandbox.worst_minute == 3


def test_usage_tells_what_is_used_and_left(sandbox):
    client = mavera(sandbox)
    cost = ask(client).json()["usage"]["credits_used"]

    usage = client.get("usage").json()

    assert usage["credits"]["used"] == cost
    assert usage["credits"]["remaining"] == 5000 - cost
    assert usage["rate_limit"] == {"requests_per_minute": 120}
    assert usage["api_requests"]["total_requests"] == 1
    assert usage["api_requests"]["error_count"] == 0


def test_usage_counts_errors(sandbox):
    client = mavera(sandbox)
    ask(client, "")

    assert client.get("usage").json()["api_requests"]["error_count"] == 1


def test_personas_are_listed_searched_and_paged(sandbox):
    client = mavera(sandbox)

    first = client.get("personas?limit=4").json()
    rest = client.get("personas", params={"cursor": first["next_cursor"]}).json()
    found = client.get("personas?search=founder&category=company").json()

    assert (len(first["data"]), len(rest["data"])) == (4, 2)
    assert [persona["name"] for persona in found["data"]] == ["Startup Founder"]
    assert sandbox.credits_used == 0
