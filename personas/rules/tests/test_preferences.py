"""What an event says that changed in somebody's subscription preferences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from personas.rules.preferences import Change, change, compare


def topics(**values):
    return {"topics": values}


def channels(**values):
    return {"channels": values}


NOTHING = {}


@pytest.mark.parametrize(
    ("before", "stated", "meaning"),
    [
        # The state before is known: what differs has changed.
        (topics(a=True, b=True), topics(a=False), "some topics off"),
        (topics(a=True, b=True), topics(a=False, b=True), "some topics off"),
        (topics(a=True, b=False), topics(a=False), "all topics off"),
        (topics(a=True, b=True), topics(a=False, b=False), "all topics off"),
        (topics(a=False), topics(a=True), "topics on"),
        (topics(a=False, b=False), topics(a=True, b=False), "topics on"),
        (channels(email=True), channels(email=False), "channel off"),
        (channels(email=False), channels(email=True), "channel on"),
        (channels(email=False, sms=False), channels(email=True, sms=False), "channel on"),
        # Nothing differs: nobody can tell what the event is about.
        (topics(a=True, b=False), topics(a=True, b=False), "unknown"),
        (topics(a=False, b=True), topics(a=False), "unknown"),
        (channels(email=False), channels(email=False), "unknown"),
        # One on and one off in one event: the "no" is not taken back by the other.
        (topics(a=True, b=False), topics(a=False, b=True), "some topics off"),
        (topics(a=True, b=True) | channels(sms=False),
         topics(a=False, b=True) | channels(sms=True), "some topics off"),
        (topics(a=True, b=True) | channels(sms=False),
         topics(a=False, b=False) | channels(sms=True), "all topics off"),
        (topics(a=False) | channels(sms=True), topics(a=True) | channels(sms=False), "channel off"),
        (channels(email=True, sms=False), channels(email=False, sms=True), "channel off"),
        (topics(a=True, b=True) | channels(sms=True),
         topics(a=False, b=False) | channels(sms=False), "all topics off"),
        # Some of it was not known before. What was known decides ...
        (topics(a=True, b=True), topics(a=False) | channels(sms=True), "some topics off"),
        (topics(a=False, b=True), topics(a=True, b=True, c=False), "topics on"),
        (topics(a=True, b=True), topics(a=False, b=True) | channels(email=True, sms=False),
         "some topics off"),
        # ... unless it may all be new, and part of it says the opposite.
        (topics(a=False), topics(a=True, c=False), "unknown"),
        (topics(a=False), topics(a=True) | channels(sms=False), "unknown"),
        (topics(a=True, b=True), topics(a=False) | channels(email=False), "channel off"),
        # Nothing that was known differs, so it is what was not known, if that has one direction.
        (topics(a=True), topics(a=True) | channels(sms=False), "channel off"),
        (topics(a=True), topics(a=True) | channels(sms=True), "channel on"),
        (topics(a=True), topics(a=True) | channels(email=True, sms=False), "unknown"),
        # The first that is heard of them.
        (NOTHING, topics(a=False), "some topics off"),
        (NOTHING, topics(a=False, b=False), "all topics off"),
        (NOTHING, topics(a=True), "topics on"),
        (NOTHING, topics(a=True, b=True), "topics on"),
        (NOTHING, channels(sms=False), "channel off"),
        (NOTHING, channels(sms=True), "channel on"),
        (NOTHING, topics(a=False) | channels(email=False), "channel off"),
        (NOTHING, topics(a=True, b=False), "unknown"),
        (NOTHING, topics(a=True) | channels(email=True, sms=False), "unknown"),
        (NOTHING, topics(a=False) | channels(email=True), "unknown"),
        (NOTHING, NOTHING, "unknown"),
    ],
)  # fmt: skip
def test_stated_state_is_compared_with_the_state_before(before, stated, meaning):
    assert change(before, NOTHING, stated) == meaning


@pytest.mark.parametrize(
    ("before", "after", "meaning"),
    [
        (topics(a=True, b=True), topics(a=False, b=True), "some topics off"),
        (topics(a=True, b=True), topics(a=False, b=False), "all topics off"),
        (topics(a=True, b=True), topics(a=True, b=True, c=False), "some topics off"),
        (topics(a=False), topics(a=True), "topics on"),
        (topics(a=False), topics(a=True, b=False), "topics on"),
        (channels(email=True), channels(email=False), "channel off"),
        (channels(email=False), channels(email=True), "channel on"),
        (topics(a=True), topics(a=True), "unknown"),
        (NOTHING, topics(a=False), "unknown"),
        # Channels that were never looked up before are not news.
        (topics(a=True), topics(a=True) | channels(email=False), "unknown"),
        (topics(a=False), topics(a=True) | channels(email=False), "topics on"),
    ],
)
def test_without_a_content_two_look_ups_are_compared(before, after, meaning):
    assert change(before, after, NOTHING) == meaning


@pytest.mark.parametrize(
    ("after", "defaults", "meaning"),
    [
        (NOTHING, NOTHING, "some topics off"),  # with one known topic there may be more
        (topics(a=False), NOTHING, "all topics off"),  # the look-up has shown all of them
        (topics(a=False, b=True), NOTHING, "some topics off"),
        (NOTHING, topics(a=True), "all topics off"),  # the workspace has no other
        (NOTHING, topics(a=True, b=False), "all topics off"),
        (NOTHING, topics(a=True, b=True), "some topics off"),  # missing: on, as is usual there
    ],
)
def test_every_topic_is_off_only_if_no_other_is_on(after, defaults, meaning):
    assert compare(NOTHING, after, topics(a=False), defaults).word == meaning


def test_topic_that_is_no_longer_chosen_is_as_for_everybody():
    on, off = topics(a=True), topics(a=False)

    assert compare(off, NOTHING, NOTHING, on).word == "topics on"
    assert compare(on, NOTHING, NOTHING, off).word == "all topics off"
    assert compare(off, NOTHING, NOTHING, NOTHING).word == "unknown"


def test_change_names_what_was_turned_and_nothing_else():
    before = topics(a=True, b=True, c=False) | channels(sms=True, email=True)
    stated = topics(a=False, b=True, c=True) | channels(sms=False, email=True)

    assert compare(before, NOTHING, stated) == Change("channel off", ["a"], ["sms"])


STATES = st.fixed_dictionaries(
    {},
    optional={
        "topics": st.dictionaries(st.sampled_from("abc"), st.booleans()),
        "channels": st.dictionaries(st.sampled_from(["email", "sms", "push"]), st.booleans()),
    },
)
OFF = ("channel off", "all topics off", "some topics off")


@given(STATES, STATES)
def test_state_that_was_so_before_is_no_change(state, after):
    assert change(state, after, state) == "unknown" or not any(state.values())


@given(STATES, STATES, STATES)
def test_word_speaks_only_of_what_the_event_states(before, after, stated):
    found = compare(before, after, stated)

    said = [value for group in stated.values() for value in group.values()]
    if said:
        assert found.word not in OFF or False in said
        assert found.word not in ("topics on", "channel on") or True in said
    is_on = found.word not in OFF
    for group, names in (("topics", found.topics), ("channels", found.channels)):
        state = stated if said else after
        assert all(state[group][name] is is_on for name in names)
        assert all(before.get(group, {}).get(name) is not is_on for name in names)


@given(STATES, STATES)
def test_way_back_is_never_the_same_direction(one, other):
    """Between two whole states, one opt-out cannot be an opt-out both ways, unless both mix."""
    both = {g: sorted({*one.get(g, {})} & {*other.get(g, {})}) for g in ("topics", "channels")}
    one, other = ({g: {n: s[g][n] for n in names} for g, names in both.items() if names}
                  for s in (one, other))  # fmt: skip
    turned = {(g, n): s[n] for g, s in other.items() for n in s if one[g][n] is not s[n]}

    word = change(one, NOTHING, other)

    assert (word == "unknown") == (not turned)
    assert (word in OFF) == (False in turned.values())


@pytest.mark.parametrize(
    ("content", "fact"),
    [
        (None, "not sent"),
        ("", "not sent"),
        ("  ", "not sent"),
        ("{}", "unknown"),
        ({}, "unknown"),
        ('{"topics": {}}', "unknown"),
        ('{"topics": null}', "unknown"),
        ('{"topics": {"a": tru', "unreadable"),
        ("topics off", "unreadable"),
        ("null", "unreadable"),
        ("[]", "unreadable"),
        ("7", "unreadable"),
        (7, "unreadable"),
        (False, "unreadable"),
        ([1], "unreadable"),
        ('{"topics": ["a"]}', "unreadable"),
        ('{"topics": {"a": "perhaps"}}', "unreadable"),
        ('{"other": {"a": true}}', "unreadable"),
        ("[" * 100_000, "unreadable"),
    ],
)
def test_what_was_not_sent_is_told_apart_from_what_cannot_be_read(content, fact):
    assert Change("unknown").as_fact(content) == fact


@pytest.mark.parametrize("content", [None, "", "cut o"])
def test_direction_that_a_look_up_shows_needs_no_content(content):
    assert Change("topics on").as_fact(content) == "topics on"
