"""Questions and calls that break a promise are told."""

import dataclasses

import pytest

from briefs.models import MaveCall, ResearchPolicy
from briefs.research import spending
from briefs.tests.factories import make_research
from operations.invariants import research
from operations.invariants.tests.breaking import LEASED, LONG_AGO, THEN, execute, told

pytestmark = pytest.mark.django_db
OVER = f"finished_at = '{LONG_AGO}'"
LEFT = LEASED.replace("2126", "2026")


def make_call(of, **kw):
    fields = {"credits": 32, "outcome": "answered", "finished_at": THEN, **kw}
    return MaveCall.objects.create(research=of, **fields)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (LEASED, "it has a lease, and nobody is at it"),
        ("status = 'running'", "somebody is at it without a lease"),
        ("status = 'done', answer = 'So.'", "it is over, and no time says since when"),
        (f"status = 'done', {OVER}", "it is answered, and has no answer"),
        (f"status = 'failed', {OVER}", "no reason says why it was given up"),
        ("status = 'lost'", "its state is none that we know"),
    ],
)
def test_question_whose_row_contradicts_its_state_is_told(values, words):
    question, _ = make_research(), make_research()

    execute(f"UPDATE briefs_research SET {values} WHERE id = {question.pk}")

    assert told(research.question_is_in_one_state) == [f"research {question.pk}: {words}"]


def test_question_that_is_under_way_twice_is_told():
    execute("DROP INDEX research_one_active_per_question")

    make_research(question_hash="abc")
    make_research(question_hash="abc")

    assert told(research.question_is_under_way_once) == ["question abc: it is under way 2 times"]


def test_question_that_a_dead_worker_holds_is_told_unless_research_is_paused(settings):
    settings.MAVERA_API_KEY = "key"
    question = make_research()
    execute(f"UPDATE briefs_research SET status = 'running', {LEFT}")

    words = f"research {question.pk}: its lease ended long ago, and nobody looks for it"
    assert told(research.lease_on_a_question_ends) == [words]

    ResearchPolicy.current().pause("a holiday")
    assert told(research.lease_on_a_question_ends) == []


def test_answer_without_a_call_in_the_ledger_is_told():
    paid, unpaid = make_research(), make_research()
    make_call(paid)

    execute(f"UPDATE briefs_research SET status = 'done', answer = 'So.', {OVER}")

    words = f"research {unpaid.pk}: it is answered, and no call in the ledger was"
    assert told(research.answer_is_in_the_ledger) == [words]


def test_call_that_is_paid_again_without_a_record_is_told():
    question = make_research()
    make_call(question, outcome="unknown")
    again = make_call(question, is_repeat=True)
    assert told(research.repeat_is_recorded) == []

    execute("UPDATE briefs_mavecall SET is_repeat = FALSE")

    words = f"call {again.pk}: its question may have been paid before, and it does not say so"
    assert told(research.repeat_is_recorded) == [words]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            f"outcome = 'pending', finished_at = NULL, started_at = '{LONG_AGO}'",
            "it is under way, and its question is not",
        ),
        ("outcome = 'refused'", "nothing was charged, and it has credits"),
        ("outcome = 'pending'", "whether it is over, and when, disagree"),
    ],
)
def test_reservation_that_nobody_settles_is_told(values, words):
    call = make_call(make_research())

    execute(f"UPDATE briefs_mavecall SET {values}")

    assert told(research.reservation_is_settled) == [f"call {call.pk}: {words}"]


def test_account_that_is_not_the_sum_of_its_calls_is_told(monkeypatch):
    """Here the account forgets what is reserved."""
    make_call(make_research())
    make_call(make_research(), outcome="pending", credits=75, finished_at=None)
    assert told(research.account_is_the_sum_of_its_calls) == []
    account = spending.account

    def forgetful(*given):
        right = account(*given)
        return right._replace(day=dataclasses.replace(right.day, reserved=0))

    monkeypatch.setattr(spending, "account", forgetful)

    words = "32 spent and 0 reserved, and its calls say 32 and 75"
    assert told(research.account_is_the_sum_of_its_calls) == [f"account of the day: {words}"]
