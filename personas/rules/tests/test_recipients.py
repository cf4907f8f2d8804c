"""Whether a message went to the person's own address."""

import pytest

from personas.rules.recipients import addresses, whose


@pytest.mark.parametrize(
    ("recipient", "own"),
    [
        ("ann@example.com", "ann@example.com"),
        ("ANN@Example.COM", "ann@example.com"),
        (" ann@example.com ", "ann@example.com"),
        ("Ann Abbott <ann@example.com>", "ann@example.com"),
        ("boss@example.com, ann@example.com", "ann@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
    ],
)
def test_own_address_is_recognised_however_it_is_written(recipient, own):
    assert whose(recipient, [own]) == "their own"


@pytest.mark.parametrize(
    "recipient",
    ["sales@ours.example", "ann@old.example", "ann+news@example.com", "a@b.example, c@d.example"],
)
def test_other_address_is_another(recipient):
    assert whose(recipient, ["ann@example.com"]) == "another address"


@pytest.mark.parametrize("recipient", ["ΝΙΚΟΣ@example.gr", "νικος@example.gr", "Νικοσ@Example.gr"])
@pytest.mark.parametrize("own", ["νικος@example.gr", "νικοσ@example.gr"])
def test_own_address_is_recognised_with_either_small_form_of_a_letter(recipient, own):
    assert whose(recipient, [own]) == "their own"


def test_letter_that_only_looks_like_another_makes_another_address():
    assert whose("\N{KELVIN SIGN}im@example.com", ["kim@example.com"]) == "another address"


@pytest.mark.parametrize(
    ("recipient", "own"),
    [
        ("", ["ann@example.com"]),
        ("ann@example.com", []),
        ("ann@example.com", [""]),
        ("{{customer.email}}", ["ann@example.com"]),
        ("{email}@example.com", ["ann@example.com"]),
        ("@general", ["ann@example.com"]),
        ("a b", ["ann@example.com"]),
    ],
)
def test_nothing_is_said_where_one_side_names_no_address(recipient, own):
    assert whose(recipient, own) == ""


def test_addresses_are_kept_without_names():
    assert addresses("Ann <ann@example.com>, bob@example.com") == [
        "ann@example.com",
        "bob@example.com",
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@hooks.example/x",
        "user:secret@hooks.example.com",
        "//user:secret@hooks.example.com",
        "amqp://user:secret@hooks.example.com:5671",
        "https://user:se@cret@hooks.example.com",
        "https://secret@hooks.example.com",
    ],
)
def test_secret_of_a_webhook_address_is_no_address(url):
    assert addresses(url) == []
    assert addresses(f"{url}, ann@example.com") == ["ann@example.com"]


def test_link_to_an_address_and_a_group_are_addresses():
    assert addresses("mailto:ann@example.com") == ["ann@example.com"]
    assert addresses("Team: ann@example.com, bob@example.com;") == [
        "ann@example.com",
        "bob@example.com",
    ]


def test_accents_are_the_same_however_they_are_written():
    assert whose("jose\u0301@example.com", ["jos\u00e9@example.com"]) == "their own"
