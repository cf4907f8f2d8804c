"""Subscription preferences: how they are read, and what a change of them means."""

import pytest

from personas.rules.preferences import change
from providers.customerio import read_preferences


def topics(**values):
    return {"topics": values}


def channels(**values):
    return {"channels": values}


NOTHING = {}


@pytest.mark.parametrize(
    ("before", "after", "stated", "meaning"),
    [
        # The event says what changed (Body Content is on).
        (topics(a=True, b=True), topics(a=False, b=True), topics(a=False), "some topics off"),
        (topics(a=True, b=True), topics(a=False, b=False), topics(a=False), "all topics off"),
        (topics(a=False), topics(a=True), topics(a=True), "topics on"),
        (topics(a=True), topics(a=True), channels(email=False), "channel off"),
        (topics(a=True), topics(a=True), channels(email=True), "topics on"),
        # The cache already knew: an earlier look-up was faster than the event.
        (topics(a=False, b=True), topics(a=False, b=True), topics(a=False), "some topics off"),
        (channels(email=False), channels(email=False), channels(email=False), "channel off"),
        # The event repeats everything: only what differs from the cache has changed.
        (topics(a=False, b=False), topics(), topics(a=True, b=False), "topics on"),
        # Off and on at once: what was closed decides.
        (topics(a=True, b=False), topics(), topics(a=False, b=True), "some topics off"),
        # The event states nothing: the values before and after decide.
        (topics(a=True, b=True), topics(a=False, b=True), NOTHING, "some topics off"),
        (topics(a=True, b=True), topics(a=False, b=False), NOTHING, "all topics off"),
        (topics(a=False), topics(a=True), NOTHING, "topics on"),
        (channels(email=True), channels(email=False), NOTHING, "channel off"),
        (topics(a=True), topics(a=True), NOTHING, "unknown"),
        # The values before are unknown.
        (NOTHING, topics(a=False), NOTHING, "unknown"),
        (NOTHING, NOTHING, NOTHING, "unknown"),
        # Nothing but the event: one topic alone proves little.
        (NOTHING, NOTHING, topics(a=False), "some topics off"),
        (NOTHING, NOTHING, topics(a=False, b=False), "all topics off"),
        (NOTHING, topics(a=False), topics(a=False), "all topics off"),
        (NOTHING, NOTHING, topics(a=True), "topics on"),
    ],
)
def test_change_means(before, after, stated, meaning):
    assert change(before, after, stated) == meaning


def test_closed_channel_weighs_more_than_topics():
    stated = {**topics(a=False), **channels(email=False)}

    assert change(topics(a=True, b=True), NOTHING, stated) == "channel off"


def test_preferences_are_decoded_from_text():
    text = '{"topics":{"topic_1":true,"topic_2":false},"channels":{"email":false}}'

    assert read_preferences(text) == {
        "topics": {"topic_1": True, "topic_2": False},
        "channels": {"email": False},
    }


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "not JSON",
        "[]",
        "null",
        "7",
        '{"topics":null}',
        '{"topics":["topic_1"]}',
        '{"other":{"a":true}}',
        "[" * 100_000,
    ],
)
def test_unreadable_preferences_are_empty(content):
    assert read_preferences(content) == {}


def test_values_that_are_neither_on_nor_off_are_left_out():
    assert read_preferences({"topics": {"a": "yes", "b": 0, "c": False}}) == topics(c=False)


def test_names_hold_nothing_that_a_database_refuses():
    assert read_preferences('{"topics":{"a\\u0000":true,"\\ud800":true}}') == {
        "topics": {"a": True, "\ufffd": True}
    }
