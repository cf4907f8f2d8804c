"""Which texts are somebody's address, and which are not shown as they are."""

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.addresses import (
    address_of,
    email_address,
    folded,
    phone_number,
    stated_phone_number,
    without_credentials,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("ann@example.com", "ann@example.com"),
        ("  Ann.Bell+news@Example.COM ", "Ann.Bell+news@Example.COM"),
        ("o'neil@example.com", "o'neil@example.com"),
        ("ann@localhost", "ann@localhost"),
        ("Ann <ann@example.com>", "ann@example.com"),
        ('"Bell, Ann" <ann@example.com>', "ann@example.com"),
        ('"ann@old.example" <ann@example.com>', "ann@example.com"),
        ("<ann@example.com>", "ann@example.com"),
        ("jörg@müller.example", "jörg@müller.example"),
        ("用户@例子.广告", "用户@例子.广告"),
        ("संपर्क@डाटामेल.भारत", "संपर्क@डाटामेल.भारत"),
        ("ann@xn--mller-kva.example", "ann@xn--mller-kva.example"),
        ("\ufeffann@example.com", "ann@example.com"),
        ("ann@example.com\u200b", "ann@example.com"),
    ],
)
def test_one_address_is_taken_as_it_was_sent(text, address):
    assert email_address(text) == address


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("Ann.Bell@Example.COM", "ann.bell@example.com"),
        ("JÖRG@MÜLLER.example", "jörg@müller.example"),
        ("ΝΙΚΟΣ@example.gr", "νικος@example.gr"),
        ("\N{KELVIN SIGN}im@example.com", "\N{KELVIN SIGN}im@example.com"),
        ("\u017fam@example.com", "\u017fam@example.com"),  # the long s
    ],
)
def test_address_is_kept_in_small_letters_but_no_sign_becomes_another_letter(address, kept):
    assert folded(address) == kept


def test_of_all_signs_none_becomes_a_letter_of_ascii():
    signs = [chr(number) for number in range(128, sys.maxunicode + 1)]

    assert [sign for sign in signs if folded(sign).isascii()] == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "@general",
        "@general-42",
        "#retention@work",
        "ann",
        "ann@",
        "@example.com",
        "ann@example",
        "ann@@example.com",
        "ann bell@example.com",
        "ann@example .com",
        "a@example.com, b@example.com",
        "a@example.com,b@example.com",
        "a@example.com; b@example.com",
        "a@example.com b@example.com",
        "a@example.com, Ben <b@example.com>",
        "Ann <a@example.com>, Ben <b@example.com>",
        "a@example.com <b@example.com>",
        "Ann <a@example.com, b@example.com>",
        "Ann <>",
        "mailto:ann@example.com",
        "Ann <mailto:ann@example.com>",
        "ann@example.com?subject=hello",
        "https://user:password@hooks.example.com/a",
        "https://user@hooks.example.com",
        "//user@hooks.example.com",
        "user:password@hooks.example.com",
        "hooks.example.com/in?who=ann@example.com",
        "{{customer.email}}@example.com",
        "{customer}@example.com",
        '"ann bell"@example.com',
        "ann\n@example.com",
        "ann@example.com\nbcc: b@example.com",
        "ann\0@example.com",
        "ann\ud800@example.com",
        "ann\u200b@example.com",
        "ann，ben@example.com",
        "ann@exam\u2028ple.com",
        "ann＠example.com",
        ".ann@example.com",
        "ann..bell@example.com",
        "ann@-example.com",
        "ann@example.com" + "m" * 400,
        "<" * 5000 + "@" + ">" * 5000,
    ],
)
def test_what_is_not_one_address_is_none(text):
    assert email_address(text) == ""


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("+15550100123", "+15550100123"),
        ("+1 (555) 010-0123", "+15550100123"),
        ("whatsapp:+15550100123", "+15550100123"),
        ("15550100123", "15550100123"),
        ("+1\u2011555\u2011010\u20110123", "+15550100123"),
        ("+1 \u2013 555 \u2013 010 \u2013 0123", "+15550100123"),
        ("\u202a+1 555 010 0123\u202c", "+15550100123"),
        ("WhatsApp:+15550100123", "+15550100123"),
        ("tel:+1-555-010-0123", "+15550100123"),
        ("1234", ""),
        ("+1555010012345678", ""),
        ("+1555ab12", ""),
        ("tel 555", ""),
        ("٠١٢٣٤٥٦", ""),
        ("ann@example.com", ""),
        ("device-3fa85f64", ""),
        ("", ""),
    ],
)
def test_a_number_is_digits_however_it_is_written(text, number):
    assert phone_number(text) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [("+1555ab12cd34", "+1555ab12cd34"), ("+1 555-0100", "+15550100"), ("none", ""),
     ("3fa85f64-5717-4562-b3fc-2c963f66afa6", ""), ("+1555@example.com", ""), ("", "")],
)  # fmt: skip
def test_what_customer_io_calls_a_number_may_hold_letters(text, number):
    assert stated_phone_number(text) == number


@pytest.mark.parametrize(
    ("object_type", "recipient", "address"),
    [
        ("email", "ann@example.com", "ann@example.com"),
        ("email", "+15550100123", ""),
        ("in_app", "ann@example.com", "ann@example.com"),
        ("in_app", "person-42", ""),
        ("sms", "+15550100123", "+15550100123"),
        ("sms", "ann@example.com", ""),
        ("whatsapp", "+15550100123", "+15550100123"),
        ("slack", "ann@example.com", ""),
        ("slack", "@general", ""),
        ("slack", "+15550100123", ""),
        ("webhook", "https://user:password@hooks.example.com", ""),
        ("webhook", "ann@example.com", ""),
        ("push", "ann@example.com", ""),
        ("customer", "ann@example.com", ""),
        ("", "ann@example.com", ""),
        ("email", None, ""),
        ("email", ["ann@example.com"], ""),
        ("email", {"to": "ann@example.com"}, ""),
        ("sms", 15550100123, ""),
    ],
)
def test_only_an_address_of_the_channel_is_an_address(object_type, recipient, address):
    assert address_of(object_type, recipient) == address


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ann:secret@h.example/a", "https://…@h.example/a"),
        ("https://token@h.example", "https://…@h.example"),
        ("https://ann:p@ss@h.example", "https://…@h.example"),
        (r"https:\/\/ann:secret@h.example\/a", r"https:\/\/…@h.example\/a"),
        ("amqp://ann:secret@h, redis://:secret@h", "amqp://…@h, redis://…@h"),
        ("https://h.example/a?who=ann@example.com", "https://h.example/a?who=ann@example.com"),
        ("https://h.example/?api_key=abc&x=1", "https://h.example/?api_key=…&x=1"),
        ("https://h.example/?x=1&accessToken=abc", "https://h.example/?x=1&accessToken=…"),
        (r"https://h.example/?x=1\u0026sig=abc", r"https://h.example/?x=1\u0026sig=…"),
        ("https://h.example/?utm_keyword=abc", "https://h.example/?utm_keyword=abc"),
        ("https://hooks.slack.com/services/T0/B0/abc", "https://hooks.slack.com/services/…"),
        (r"hooks.slack.com\\/services\\/T0\\/B0\\/abc now", r"hooks.slack.com\\/services\\/… now"),
        ("https://discord.com/api/webhooks/12/abc", "https://discord.com/api/webhooks/…"),
        ("https://discord.com/api/v10/webhooks/12/abc", "https://discord.com/api/v10/webhooks/…"),
        (
            "https://a.webhook.office.com/webhookb2/x@y/IncomingWebhook/abc/z",
            "https://a.webhook.office.com/webhookb2/…",
        ),
        ("https://api.telegram.org/bot12:abc/sendMessage", "https://api.telegram.org/bot…"),
        ("https://hooks.zapier.com/hooks/catch/12/abc", "https://hooks.zapier.com/hooks/…"),
        ("https://hook.eu1.make.com/abc", "https://hook.eu1.make.com/…"),
        ("https://h.example/api/run?code=abc==", "https://h.example/api/run?code=…"),
        ("https://h.example/#access_token=abc", "https://h.example/#access_token=…"),
        ("https://h.example/?postcode=1234", "https://h.example/?postcode=1234"),
        ("https://discord.com/channels/12", "https://discord.com/channels/12"),
        ("write to ann@example.com: now", "write to ann@example.com: now"),
    ],
)
def test_what_opens_a_door_is_hidden_and_all_else_is_shown(text, shown):
    assert without_credentials(text) == shown


@given(st.text())
def test_no_text_is_too_odd_to_be_judged(text):
    for judge in (email_address, phone_number, stated_phone_number):
        found = judge(text)
        assert judge(found) == found
        assert not found or found.isprintable()


_PARTS = [
    "https://a:secret@c", r"https:\/\/a:secret@c", "?token=secret", "hooks.slack.com/services/",
    "api.telegram.org/bot", "#code=",
    "/", "\\", '"', "'", " ", "@", "é",
]  # fmt: skip


@given(st.lists(st.sampled_from(_PARTS)).map("".join))
def test_json_stays_json_when_credentials_are_hidden(value):
    once = json.dumps({"url": value, "then": 1})
    for text in (once, json.dumps({"content": once, "then": 1}, ensure_ascii=False)):
        assert json.loads(without_credentials(text))["then"] == 1


def test_a_large_body_is_searched_in_little_time():
    """With a pattern that tries anew at each letter, any of these would take minutes."""
    for text in ("a" * 2_000_000, "://" * 500_000, "?token" * 200_000, "https://a" * 200_000):
        without_credentials(text)
