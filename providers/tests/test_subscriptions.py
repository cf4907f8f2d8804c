"""Preferences in the forms in which they come, and the names of topics and channels."""

import json

import pytest

from providers.customerio import read_profile
from providers.subscriptions import (
    SubscriptionName,
    is_readable,
    merged,
    names_of_channels,
    names_of_topics,
    read_preferences,
)


def test_preferences_are_decoded_from_text():
    text = '{"topics":{"topic_1":true,"topic_2":false},"channels":{"email":false}}'

    assert read_preferences(text) == {
        "topics": {"topic_1": True, "topic_2": False},
        "channels": {"email": False},
    }


@pytest.mark.parametrize(
    "content",
    [
        None, "", "not JSON", "[]", "null", "7", '{"topics":null}', '{"topics":["topic_1"]}',
        '{"topics":{"a":tru', '{"other":{"a":true}}', "[" * 100_000, 7, True, [], [{"a": True}],
        '{"topics":{"a":"perhaps","b":2,"c":null,"d":[true]}}', '{"topics":{"a":{"b":{}}}}',
    ],
)  # fmt: skip
def test_unreadable_preferences_are_empty(content):
    assert read_preferences(content) == {}


@pytest.mark.parametrize(
    "value",
    [False, "false", "False", " FALSE ", 0, "0", "off", "no", "unsubscribed", {"subscribed": False},
     {"subscribed": "false"}, {"subscribed": 0}, {"enabled": False}, {"status": "unsubscribed"},
     {"unsubscribed": True}],
)  # fmt: skip
def test_off_is_read_however_it_is_written(value):
    assert read_preferences({"topics": {"a": value}}) == {"topics": {"a": False}}


@pytest.mark.parametrize(
    "value",
    [True, "true", "TRUE", 1, "1", "on", "yes", "subscribed", {"subscribed": True},
     {"value": "1"}, {"unsubscribed": False}],
)  # fmt: skip
def test_on_is_read_however_it_is_written(value):
    assert read_preferences({"channels": {"push": value}}) == {"channels": {"push": True}}


@pytest.mark.parametrize(
    "content",
    [
        {"topics": {"topic_1": False}},
        '{"topics":{"topic_1":false}}',
        json.dumps('{"topics":{"topic_1":false}}'),
        {"topics": '{"topic_1":false}'},
        {"topic_1": False},
        {"cio_subscription_preferences": {"topics": {"topic_1": False}}},
        {"cio_subscription_preferences": '{"topics":{"topic_1":false}}'},
        {"topics": [{"identifier": "topic_1", "subscribed": False}]},
        {"topics": {"topic_1": False, "topic_2": "perhaps"}, "channels": ["email"]},
    ],
)
def test_what_can_be_read_is_read(content):
    assert read_preferences(content) == {"topics": {"topic_1": False}}


def test_names_hold_nothing_that_a_database_refuses():
    assert read_preferences('{"topics":{"a\\u0000":true,"\\ud800":true}}') == {
        "topics": {"a": True, "\ufffd": True}
    }


def test_sms_is_called_sms_and_not_by_who_sends_it():
    assert read_preferences({"channels": {"twilio": False}}) == {"channels": {"sms": False}}


@pytest.mark.parametrize("names", [("twilio", "sms"), ("sms", "twilio")])
def test_channel_that_is_stated_twice_is_off_if_one_says_so(names):
    one, other = names

    found = read_preferences({"channels": {one: True, other: False}})

    assert found == {"channels": {"sms": False}}


# What they chose, beside what Customer.io computed from it ----------------------------------------


def preferences_of(**attributes):
    names = {"chosen": "cio_subscription_preferences",
             "computed": "_cio_subscription_preferences_computed"}  # fmt: skip
    told = {names[name]: json.dumps(value) for name, value in attributes.items()}
    return read_profile({"identifiers": {"cio_id": "c1"}, "attributes": told}).preferences


@pytest.mark.parametrize(
    ("chosen", "computed", "expected"),
    [
        # The channels stand beside the chosen topics only.
        ({"topics": {"a": False}, "channels": {"sms": False}},
         {"topics": {"a": False, "b": True}},
         {"topics": {"a": False, "b": True}, "channels": {"sms": False}}),
        # They are in both: key by key.
        ({"channels": {"sms": False}}, {"channels": {"email": True}},
         {"channels": {"sms": False, "email": True}}),
        # Of one topic, what was computed is so.
        ({"topics": {"a": True, "c": False}}, {"topics": {"a": False}},
         {"topics": {"a": False, "c": False}}),
        ({"topics": {"a": False}}, {}, {"topics": {"a": False}}),
        ({}, {"topics": {"a": False}}, {"topics": {"a": False}}),
        ({"topics": {"a": False}}, "cut o", {"topics": {"a": False}}),
        ({"topics": {"a": False}}, {"topics": {}}, {"topics": {"a": False}}),
    ],
)  # fmt: skip
def test_chosen_and_computed_preferences_are_read_together(chosen, computed, expected):
    assert preferences_of(chosen=chosen, computed=computed) == expected


def test_merging_changes_neither():
    one, other = {"topics": {"a": True}}, {"topics": {"a": False}}

    assert merged(one, other) == {"topics": {"a": False}}
    assert (one, other) == ({"topics": {"a": True}}, {"topics": {"a": False}})


# Names --------------------------------------------------------------------------------------------


def test_topics_have_a_key_a_name_and_a_default():
    items = [
        {"id": 4, "identifier": "topic_4", "name": "Product updates",
         "description": "", "subscribed_by_default": True},
        {"id": 5, "name": " Tips\n and tricks "},
    ]  # fmt: skip

    assert names_of_topics(items) == [
        SubscriptionName("topic_4", "Product updates", True),
        SubscriptionName("topic_5", "Tips and tricks", None),
    ]


def test_channels_are_named_by_their_type():
    items = [{"id": 1, "type": "twilio", "name": "Texts", "subscribed_by_default": False}]

    assert names_of_channels(items) == [SubscriptionName("sms", "Texts", False)]


@pytest.mark.parametrize("items", [None, {}, "topics", [None], [{}], [{"name": "Tips"}]])
def test_names_in_a_form_nobody_documented_are_none(items):
    assert names_of_topics(items) == names_of_channels(items) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("{}", True),
        ('{"topics":{}}', True),
        ('{"topics":{},"channels":null}', True),
        ('{"email":false}', False),
        ('{"newsletter":0}', False),
    ],
)
def test_false_beside_an_unknown_name_is_not_nothing(content, expected):
    assert is_readable(content) is expected
