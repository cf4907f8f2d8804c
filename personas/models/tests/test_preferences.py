"""What is known of somebody's preferences, and since when."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.models.preferences import as_of, is_late, is_whole, looked_up, stated, values

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
ON, OFF, BOTH_OFF = (
    {"topics": {"a": True}}, {"topics": {"a": False}}, {"topics": {"a": False, "b": False}},
)  # fmt: skip


def at(minute):
    return NOON + timedelta(minutes=minute)


def test_event_is_compared_with_what_the_one_before_it_stated():
    known = stated({}, ON, at(0))

    assert as_of(known, at(1)) == ON


def test_statement_adds_to_what_was_known():
    known = stated(stated({}, OFF, at(0)), {"topics": {"b": False}}, at(1))

    assert values(known) == BOTH_OFF


def test_older_event_changes_nothing():
    known = stated({}, OFF, at(5))

    assert stated(known, ON, at(4)) == known
    assert is_late(known, at(4))
    assert not is_late(known, at(5))  # of one second: the order in which they came decides


def test_older_event_does_not_change_what_a_look_up_has_shown_since():
    known = stated(looked_up({}, ON, at(5)), OFF, at(4))

    assert values(known) == ON
    assert as_of(known, at(6)) == ON


def test_event_before_a_look_up_is_compared_with_what_was_known_before_it():
    known = looked_up(stated({}, ON, at(0)), OFF, at(5))

    assert as_of(known, at(4)) == ON
    assert as_of(known, at(6)) == OFF


def test_second_event_before_a_look_up_is_compared_with_the_first():
    known = stated(looked_up({}, ON, at(5)), OFF, at(3))

    assert as_of(known, at(4)) == OFF


def test_look_up_that_shows_nothing_new_forgets_nothing():
    known = looked_up(stated({}, ON, at(0)), OFF, at(5))

    assert looked_up(known, OFF, at(9)) == known


def test_look_up_keeps_the_time_of_the_last_event():
    known = looked_up(stated({}, OFF, at(5)), ON, at(6))

    assert is_late(known, at(4))


@pytest.mark.parametrize("known", [{}, {"topics": {}}, {"topics": {"a": True}}])
def test_rows_of_an_earlier_release_are_read(known):
    assert as_of(known, at(0)) == values(known)
    assert not is_late(known, at(0))
    assert not is_whole(known, at(0))


def test_only_a_look_up_shows_the_whole_state():
    assert not is_whole(stated({}, ON, at(0)), at(9))
    assert is_whole(looked_up({}, ON, at(5)), at(9))
    assert not is_whole(looked_up({}, ON, at(5)), at(4))
    assert is_whole(stated(looked_up({}, ON, at(5)), OFF, at(6)), at(9))


STATES = st.dictionaries(st.sampled_from("ab"), st.booleans(), min_size=1).map(
    lambda topics: {"topics": topics}
)
STEPS = st.lists(st.tuples(st.sampled_from(["look-up", "event"]), STATES), min_size=1, max_size=8)


def history(steps):
    """What is known after these steps, a minute apart, and when the last look-up was."""
    known, fetched_at = {}, None
    for minute, (step, state) in enumerate(steps):
        if step == "look-up":
            fetched_at = at(minute)
            known = looked_up(known, state, fetched_at)
        else:
            known = stated(known, state, at(minute), fetched_at)
    return known, fetched_at


@given(STEPS)
def test_what_came_last_is_what_is_known(steps):
    known, _ = history(steps)

    step, state = steps[-1]
    found = values(known)
    if step == "look-up":
        assert found == state
    assert found["topics"].items() >= state["topics"].items()
    assert as_of(known, at(len(steps))) == found


@given(STEPS, STATES, st.integers(1, 9))
def test_event_that_came_late_never_replaces_anything_newer(steps, state, age):
    known, fetched_at = history(steps)

    after = stated(known, state, at(len(steps) - 1 - age), fetched_at)

    assert values(after) == values(known)


@given(STEPS, STATES)
def test_event_that_is_read_again_changes_nothing(steps, state):
    known, fetched_at = history(steps)
    once = stated(known, state, at(len(steps)), fetched_at)

    assert stated(once, state, at(len(steps)), fetched_at) == once
