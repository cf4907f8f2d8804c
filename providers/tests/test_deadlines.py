"""Work with a deadline: its result or error is given to the caller in time."""

import threading

import pytest

from providers.deadlines import OutOfTime, in_time


@pytest.fixture
def endless():
    """Work that ends when the test does."""
    end = threading.Event()
    yield end.wait
    end.set()


def test_result_of_the_work_is_returned():
    assert in_time(lambda: "done", 60, name="work") == "done"


@pytest.mark.parametrize("error", [ValueError("why"), TimeoutError(), SystemExit(3)])
def test_error_of_the_work_is_raised_as_it_is(error):
    def fail():
        raise error

    with pytest.raises(type(error)) as raised:
        in_time(fail, 60, name="work")

    assert raised.value is error


def test_work_that_takes_too_long_is_given_up_in_words(endless):
    with pytest.raises(OutOfTime, match=r"not done within 0\.05 s"):
        in_time(endless, 0.05, name="work")


def test_thread_that_is_given_up_has_a_name_and_does_not_keep_the_process_alive(endless):
    with pytest.raises(OutOfTime):
        in_time(endless, 0.05, name="work that hangs")

    [left] = [one for one in threading.enumerate() if one.name == "work that hangs"]
    assert left.daemon


def test_work_can_tell_that_it_was_given_up():
    given_up, told = threading.Event(), threading.Event()

    def work():
        if given_up.wait(60):
            told.set()

    with pytest.raises(OutOfTime):
        in_time(work, 0.05, name="work", given_up=given_up)

    assert told.wait(60)


def test_work_done_in_time_is_not_given_up():
    given_up = threading.Event()

    in_time(lambda: None, 60, name="work", given_up=given_up)

    assert not given_up.is_set()
