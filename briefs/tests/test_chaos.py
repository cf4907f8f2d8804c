"""Which payments the benchmark of random faults counts as broken promises."""

from types import SimpleNamespace

import pytest

from benchmarks import chaos
from sandbox.charges import Charge

pytestmark = pytest.mark.django_db
NO_QUESTIONS = SimpleNamespace(acknowledged=[])


def broken(*charges, worst_minute=0):
    sandbox = SimpleNamespace(max_in_flight=0, worst_minute=worst_minute, charges=list(charges))
    return chaos._broken_promises(sandbox, NO_QUESTIONS)


def paid(times, answers):
    return Charge(question="Who?", times=times, answers=answers)


def test_nothing_is_broken_where_only_what_was_lost_is_paid_again():
    assert broken(paid(1, 1), paid(2, 1), paid(1, 0)) == []


def test_answer_that_is_paid_although_one_lies_in_a_thread_is_told():
    assert "1 answers paid again although one lay in a thread" in broken(paid(3, 2))


def test_more_paid_again_than_was_lost_is_told():
    assert "1 paid again, 0 unrecoverable" in broken(paid(2, 2))


@pytest.mark.parametrize(("requests", "is_broken"), [(60, False), (61, True)])
def test_minute_with_more_requests_than_the_key_has_is_told(requests, is_broken):
    assert bool(broken(worst_minute=requests)) is is_broken
