"""Reading Mavera's balance, over HTTP."""

import socket

import pytest

from providers import mavera
from providers.mavera import Mave, MaveError
from sandbox.wire import json_reply


def failure():
    with pytest.raises(MaveError) as caught:
        Mave().usage()
    return caught.value


def test_balance_is_read(sandbox):
    Mave().chat("What keeps such a customer?")

    usage = Mave().usage()

    assert (usage.used, usage.included) == (sandbox.credits_used, 5000)
    assert usage.remaining == 5000 - sandbox.credits_used < 5000
    assert (usage.requests_per_minute, usage.has_auto_recharge) == (120, False)


def test_numbers_that_are_none_are_unknown(sandbox):
    report = {"credits": {"used": "many", "included": True, "remaining": None}}
    sandbox._listener.answer = lambda request: json_reply(report)

    usage = Mave().usage()

    assert (usage.used, usage.included, usage.remaining) == (None, None, None)
    assert usage.requests_per_minute is None


@pytest.mark.parametrize("body", [{}, [], {"credits": []}, "x"])
def test_report_of_another_shape_is_a_failure(sandbox, body):
    sandbox._listener.answer = lambda request: json_reply(body)

    assert "without a report" in str(failure())


@pytest.mark.parametrize(
    ("fault", "words"),
    [("401", "refuses the API key"), ("402", "credits are used up"), ("500", "answered 500")],
)
def test_refusal_says_why(sandbox, fault, words):
    sandbox.faults.add("usage", fault)

    error = failure()

    assert (error.http_status, words in str(error)) == (int(fault), True)
    assert sandbox.mavera_key not in str(error)


def test_server_that_does_not_answer_is_given_up_soon(sandbox, monkeypatch):
    monkeypatch.setattr(mavera, "READ_SECONDS", 0.2)
    sandbox.faults.add("usage", "hang")

    assert "did not answer" in str(failure())


def test_request_to_a_closed_port_counts_as_not_sent(sandbox, settings):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.MAVERA_BASE_URL = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = failure()

    assert "cannot be reached" in str(error)
    assert not error.is_sent
