"""What was paid for which question, as only the provider knows it."""

from contextlib import suppress

import pytest
import requests

from sandbox.charges import Charges
from sandbox.tests.clients import ask, control, mavera


def referenced(number):
    return f"What keeps a customer?\n\nReference: savedesk-{number}-abc"


def figures(sandbox):
    return [(charge.question, charge.times, charge.answers) for charge in sandbox.charges]


def test_a_question_paid_again_is_told_whatever_its_reference(sandbox):
    client = mavera(sandbox)

    costs = [ask(client, referenced(n)).json()["usage"]["credits_used"] for n in (1, 2)]
    ask(client, "And else?")

    assert figures(sandbox) == [("What keeps a customer?", 2, 2), ("And else?", 1, 1)]
    assert sandbox.charges[0].credits == sum(costs)


@pytest.mark.parametrize(
    ("fault", "answers"),
    [("paid_then_dropped", 1), ("truncated", 1), ("lost", 0), ("empty", 0), ("clarify", 0)],
)
def test_an_answer_counts_where_it_can_still_be_fetched(sandbox, fault, answers):
    sandbox.faults.add("mave/chat", fault)

    with suppress(requests.RequestException):
        ask(mavera(sandbox))

    assert [(charge.times, charge.answers) for charge in sandbox.charges] == [(1, answers)]


@pytest.mark.parametrize("fault", ["402", "403", "429", "500", "drop", "html"])
def test_a_question_that_was_refused_was_not_paid(sandbox, fault):
    sandbox.faults.add("mave/chat", fault)

    with suppress(requests.RequestException):
        ask(mavera(sandbox))

    assert sandbox.charges == []


def test_charges_are_listed_over_http(sandbox):
    ask(mavera(sandbox), referenced(1))

    (charge,) = control(sandbox).get("charges").json()["charges"]

    assert charge.pop("credits") == sandbox.credits_used
    assert charge == {"question": "What keeps a customer?", "times": 1, "answers": 1}


def test_a_reference_within_a_sentence_belongs_to_the_question():
    charges = Charges()
    charges.charged("See Reference: 1\nReference: savedesk-1", 10)

    assert [charge.question for charge in charges.listing()] == ["See Reference: 1"]
