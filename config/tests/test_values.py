"""What each kind of variable takes, and how it refuses the rest."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import values
from config.environment import Environment

PORTS = values.number(least=1, most=65535)


def read(kind, text, name="NAME", default=""):
    return Environment({name: text}, {}).read(name, kind, default)


def refusal(kind, text, name="NAME"):
    with pytest.raises(ImproperlyConfigured) as caught:
        read(kind, text, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("False", False)]
)
def test_flag_is_on_or_off(text, value):
    assert read(values.flag, f" {text} ") is value


@pytest.mark.parametrize("text", ["please", "2", "yes # on my machine", "tru"])
def test_flag_that_is_neither_is_refused(text):
    assert (
        refusal(values.flag, text, "DEBUG") == f"DEBUG is {text!r}; it must be 1 (on) or 0 (off)."
    )


@pytest.mark.parametrize(
    "text", ["abc", "0", "65536", "-1", "8000.0", "80_00", "８０", "8000 # web", "9" * 5000]
)
def test_number_out_of_its_range_is_refused(text):
    assert refusal(PORTS, text, "PORT").endswith("it must be a whole number from 1 to 65535.")


def test_empty_variable_is_not_set():
    assert read(PORTS, "  ", default="8000") == 8000
    assert read(PORTS, " 443 ", default="8000") == 443


def test_choice_is_one_of_the_named():
    region = values.one_of("us", "eu")

    assert read(region, "EU") == "eu"
    assert refusal(region, "eu-1", "CIO_REGION") == "CIO_REGION is 'eu-1'; it must be us or eu."


@pytest.mark.parametrize("text", ["two words", "line\nbreak", "clé", "Bearer abc", "k # comment"])
def test_key_that_no_header_can_carry_is_refused_without_being_repeated(text):
    words = refusal(values.key, text, "MAVERA_API_KEY")

    assert words.startswith("MAVERA_API_KEY holds a space, a line break or a sign")
    assert text not in words


def test_host_names_are_taken_as_django_takes_them():
    text = "localhost, 127.0.0.1,[::1],.example.com,*,Desk_1.example.com"

    assert read(values.hosts, text) == text.replace(" ", "").split(",")


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("https://desk.example.com", "Write desk.example.com"),
        ("desk.example.com:8443", "Write desk.example.com"),
        ("https://user@desk.example.com:8443/briefs/?a=b", "Write desk.example.com"),
        ("desk.example.com/", "Write desk.example.com"),
        ("*.example.com", "For all names below a domain write .example.com"),
        ("::1", "Write [::1]"),
        ("http://[::1]:8000", "Write [::1]"),
        ("desk.example.com localhost", "with commas between several."),
        ("https://", "Write it like desk.example.com"),
        ("bücher.example", "Write it like desk.example.com"),
    ],
)
def test_host_with_more_than_its_name_is_refused_with_the_name_alone(text, cure):
    words = refusal(values.hosts, f"localhost,{text}", "ALLOWED_HOSTS")

    assert words.startswith(
        f"ALLOWED_HOSTS takes host names alone, and {text!r} (number 2) is none"
    )
    assert cure in words.partition(" is none. ")[2]


@pytest.mark.parametrize("text", ["desk@example.com", "Savedesk <desk@example.com>"])
def test_sender_is_a_mail_address_with_or_without_a_name(text):
    assert read(values.sender, text) == text


@pytest.mark.parametrize("text", ["Savedesk", "desk@", "a@b c", "Desk\nBcc: c@d <a@b>"])
def test_sender_that_is_no_mail_address_is_refused(text):
    assert "DEFAULT_FROM_EMAIL is no mail address" in refusal(
        values.sender, text, "DEFAULT_FROM_EMAIL"
    )
