"""What a rule may ask about an event: its level, its flat fields, the status of a bounce."""

import pytest

from personas.rules.facts import facts, level


@pytest.mark.parametrize(
    ("object_type", "data", "expected"),
    [
        ("customer", {}, "person"),
        ("customer", {"recipient": "a@example.com"}, "person"),
        ("email", {"email_address": "a@example.com"}, "person"),
        ("sms", {"email_address": None, "delivery_id": "d1"}, "person"),
        ("email", {"recipient": "a@example.com", "subject": "News"}, "delivery"),
        ("email", {"email_address": "a@example.com", "recipient": "a@example.com"}, "delivery"),
        ("email", {"email_address": "a@example.com", "subject": "News"}, "delivery"),
        ("email", {"email_address": "a@b.example", "recipient": None, "subject": None}, "person"),
        ("email", {"email_address": "a@b.example", "recipient": "", "subject": ""}, "person"),
        ("email", {"email_address": None, "recipient": None, "subject": None}, "person"),
        ("email", {"email_address": "", "recipient": "a@b.example"}, "delivery"),
        ("email", {"recipient": None, "subject": None, "delivery_id": "d1"}, "person"),
        ("email", {"email_address": "a@b.example", "recipient": " ", "subject": " "}, "person"),
        ("email", {}, "person"),
        ("push", {}, "delivery"),
        ("sms", {"recipient": "+15550100"}, "delivery"),
        ("", {}, "delivery"),
    ],
)
def test_level_is_told_by_what_the_event_holds(object_type, data, expected):
    assert level(object_type, data) == expected


def status(message):
    found = facts({"failure_message": message})
    return found.find("smtp_status").value, found.find("smtp_class").value


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("550 5.1.1 user unknown", ("5.1.1", "5")),
        ("550-5.1.1 The email account that you tried to reach does not exist.", ("5.1.1", "5")),
        ("452 4.2.2 mailbox full", ("4.2.2", "4")),
        ("smtp;550 5.7.1 blocked by policy", ("5.7.1", "5")),
        ("Delivery failed (#5.1.10).", ("5.1.10", "5")),
        ("421 Service not available, closing channel", ("", "4")),
        ("550: no such user", ("", "5")),
        ("Rejected with 554.", ("", "5")),
        ("Something went wrong!", ("", "")),
        ("", ("", "")),
    ],
)
def test_status_is_read_from_the_failure_message(message, expected):
    assert status(message) == expected


@pytest.mark.parametrize(
    "message",
    [
        "host 10.5.7.1 refused to talk",
        "host 5.7.1.10 refused to talk",
        "[192.168.4.2]: connection lost",
        "4.2.2.1 did not answer",
        "mx5.1.1x.example.com is gone",
        "speaks version 1.450 of the protocol",
        "size 5242880 is too large",
        "queue id A550B",
    ],
)
def test_number_inside_an_address_or_a_word_is_no_status(message):
    assert status(message) == ("", "")


def test_status_is_found_behind_an_address():
    assert status("10.5.7.1 said: 550 5.1.1 unknown (192.168.4.2)") == ("5.1.1", "5")
    assert status("4.2.2.1 said: 550 no such user") == ("", "5")


def test_event_without_a_failure_message_has_no_status():
    assert facts({}).find("smtp_class").value == ""
    assert facts({"failure_message": None}).find("smtp_class").value == ""


def test_fields_are_flattened_to_text():
    data = {
        "campaign_id": 5,
        "broadcast_id": None,
        "proxied": True,
        "identifiers": {"id": "42", "email": None},
        "campaign_tags": ["spring", 7, False],
        "recipients": [{"device_id": "x", "device_platform": "ios"}, "plain"],
        "empty": [],
    }

    assert facts(data).values == {
        "campaign_id": "5",
        "proxied": "true",
        "identifiers.id": "42",
        "campaign_tags": "spring, 7, false",
        "recipients": "plain, device_id=x, device_platform=ios",
        "empty": "",
    }


def test_preferences_are_a_field_once_they_are_known():
    assert facts({}, preferences="channel off").find("preferences").value == "channel off"
    assert facts({}).find("preferences").value == ""


@pytest.mark.parametrize(
    "message", ["Delivery to 450 Main Street failed", "mailbox of user 421 is gone"]
)
def test_three_digits_inside_a_text_are_no_reply_code(message):
    assert not facts({"failure_message": message}).find("smtp_class").value


@pytest.mark.parametrize(
    ("message", "reading"),
    [
        ("552 5.2.2 mailbox full", "full"),
        ("550 5.1.8 Access refused, bad outbound sender", "blocked"),
        ("Something went wrong!", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_a_bounce_says_is_a_field(message, reading):
    assert facts({"failure_message": message}).find("bounce").value == reading


def test_event_without_a_failure_message_is_no_bounce():
    assert facts({"subject": "News"}).find("bounce").value == ""
