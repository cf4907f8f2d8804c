"""What counts as a person's address, and how much of an address is shown.

A message's `recipient` is whatever its channel sends to: an e-mail address, a phone number, a
Slack channel, or a webhook's URL with a password in it.
Source: https://docs.customer.io/integrations/data-out/connections/webhooks/
"""

import re
import unicodedata
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

MAX_LENGTH = 1_000
_KELVIN = "\N{KELVIN SIGN}"  # of all signs beyond ASCII the only one whose small letter is ASCII
# A slash or a question mark comes from a URL, braces from a template that was not filled in. All
# of them are allowed in front of an @, and nobody has them there.
_OF_NO_PERSON = frozenset('{}/?#"`|')
# `Ann <ann@example.com>`, also with the name in quotes; the name itself must hold no address.
_NAMED = re.compile(r'(?:"[^"<>]*"\s*|[^"<>@,;:]*)<\s*([^<>\s]+)\s*>')
# What people write between the digits; dashes of all kinds, and the invisible marks of direction
# that come along when a number is copied.
BETWEEN_DIGITS = re.compile(
    r"[\s().\[\]\-\u2010-\u2015\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
_SCHEME = re.compile(r"(?:whatsapp|tel|sms):", re.IGNORECASE)  # Twilio writes `whatsapp:+1555…`
_NUMBER = re.compile(r"\+?[0-9]{5,15}")  # E.164 has at most 15 digits
# Customer.io says itself that this is the person's number, so letters in it are believed.
_STATED_NUMBER = re.compile(r"\+?[0-9][0-9A-Za-z]{2,19}")

# `https://user:password@host`, its slashes perhaps escaped once or twice, as JSON within JSON has
# them. Each pattern begins with a fixed mark and is bounded: bodies of 10 MiB are searched.
_USER_AND_PASSWORD = re.compile(r'(:\\{0,2}/\\{0,2}/)[^\s/?#"<>\\]{1,500}@')
_SECRET_PARAMETER = re.compile(
    r"""((?:[?&\#]|\\u0026)(?:[\w.\-]{0,60}(?:token|secret|password|passwd|signature|apikey)
        |(?:[\w.\-]{0,60}[_.\-])?(?:key|sig|auth|pwd|jwt|credential|code))=)[^&\s"'<>\#\\]+""",
    re.IGNORECASE | re.VERBOSE,
)
# Chats and automation tools take whoever knows the path.
_SECRET_PATH = re.compile(
    r"""((?:hooks\.slack\.com\\{0,2}/(?:services|workflows|triggers)
        |discord(?:app)?\.com\\{0,2}/api(?:\\{0,2}/v\d{1,3})?\\{0,2}/webhooks
        |(?:outlook|webhook)\.office\.com\\{0,2}/webhook(?:b2)?
        |hooks\.zapier\.com\\{0,2}/hooks
        |hook\.[a-z0-9]{1,8}\.make\.com)\\{0,2}/
        |api\.telegram\.org\\{0,2}/bot)
        (?:[^\s"'<>\\]|\\{1,2}/)+""",
    re.IGNORECASE | re.VERBOSE,
)
HIDDEN = "…"


def email_address(text: str) -> str:
    """The one e-mail address that the text is, as it was sent; empty if it is anything else.

    `Ann <ann@example.com>` is ann@example.com. Letters of all scripts are allowed (SMTPUTF8).
    """
    text = text.strip().strip("\ufeff\u200b").strip()  # invisible marks of a file or a copy
    if "@" not in text or len(text) > MAX_LENGTH:
        return ""
    if named := _NAMED.fullmatch(text):
        text = named[1]
    if not _OF_NO_PERSON.isdisjoint(text):
        return ""
    local, _, domain = text.rpartition("@")
    if not text.isascii():
        if not all(char.isascii() or unicodedata.category(char)[0] in "LMN" for char in text):
            return ""
        # Django's validator knows domains of all scripts, but only ASCII in front of the @.
        local = "".join(char if char.isascii() else "x" for char in local)
    try:
        validate_email(f"{local}@{domain}")
    except ValidationError:
        return ""
    return text


def folded(address: str) -> str:
    """The address in small letters, in which rows keep it.

    The Kelvin sign stays as it is: Python makes it a k, and to a mail server it is another letter.
    """
    return _KELVIN.join(part.lower() for part in address.split(_KELVIN))


def phone_number(text: str) -> str:
    """The phone number that the text is, without formatting; empty if it is anything else."""
    number = _bare_number(text)
    return number if _NUMBER.fullmatch(number) else ""


def stated_phone_number(text: str) -> str:
    """The same where Customer.io itself calls it the person's number (`identifiers.phone`)."""
    number = _bare_number(text)
    return number if _STATED_NUMBER.fullmatch(number) else ""


def _bare_number(text: str) -> str:
    if len(text) > MAX_LENGTH:
        return ""
    return _SCHEME.sub("", BETWEEN_DIGITS.sub("", text), count=1)


def channel_of(object_type: str, recipient: Any) -> str:
    """The channel of a message: WhatsApp through Twilio is reported as `sms`.

    Source: https://docs.customer.io/api/webhooks
    """
    is_whatsapp = isinstance(recipient, str) and recipient.strip().startswith("whatsapp:")
    return "whatsapp" if object_type == "sms" and is_whatsapp else object_type


def address_of(object_type: str, recipient: Any) -> str:
    """Which address of a person a message of this channel went to; empty if to none.

    A Slack channel, a webhook's URL, a device and an id are no addresses.
    """
    if not isinstance(recipient, str):
        return ""
    if object_type in ("email", "in_app"):
        return email_address(recipient)
    if object_type in ("sms", "whatsapp"):
        return phone_number(recipient)
    return ""


def without_credentials(text: str) -> str:
    """The text with passwords, keys and tokens in its URLs hidden. JSON stays JSON."""
    text = _USER_AND_PASSWORD.sub(rf"\1{HIDDEN}@", text)
    text = _SECRET_PARAMETER.sub(rf"\1{HIDDEN}", text)
    return _SECRET_PATH.sub(rf"\1{HIDDEN}", text)
