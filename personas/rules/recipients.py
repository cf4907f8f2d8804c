"""Whose address a message went to: the person's own, or another's.

A campaign may send a notice to a colleague, a copy to somebody else, or mail to an address that
the person no longer has. Customer.io reports each of them under the person the message is about.
"""

import inspect
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from email.utils import getaddresses

from providers.addresses import email_address, folded

# Newer versions of Python find no address at all where one of the list is odd, unless told so.
_EACH_ALONE = {"strict": False} if "strict" in inspect.signature(getaddresses).parameters else {}
_MAILTO = re.compile("mailto:", re.IGNORECASE)
OWN, ANOTHER, UNKNOWN = "their own", "another address", ""


def whose(recipient: str, own: Iterable[str]) -> str:
    """Return one of the three words above; unknown where either side names no address.

    Of a list of addresses, the person's own decides: then it cannot be told which one failed.
    """
    given = {comparable(address) for address in addresses(recipient)}
    theirs = {comparable(address) for address in own if address}
    if not given or not theirs:
        return UNKNOWN
    return OWN if given & theirs else ANOTHER


def addresses(recipient: str) -> list[str]:
    """The addresses in a recipient, without names. A placeholder that was not filled in is none."""
    text = _MAILTO.sub("", recipient)
    read = getaddresses([text], **_EACH_ALONE)
    found = [address for _, address in read if email_address(address)]
    # Behind a colon or a slash stands the password of a URL: `amqp://user:password@host`.
    return [one for one in found if f":{one}" not in text and f"/{one}" not in text]


def _alike(text: str) -> str:
    """Letters that have several small forms, such as the Greek s, in one of them.

    No sign becomes a letter of ASCII by it: ß is not ss, and the long s is not an s.
    """
    if text.isascii():  # nearly always
        return text
    forms = ((one, one.casefold()) for one in text)
    return "".join(one if form.isascii() else form for one, form in forms)


def comparable(address: str) -> str:
    """The address in small letters and with an ASCII domain: two that compare equal are one."""
    # An accent may be a part of its letter or a sign of its own.
    small = unicodedata.normalize("NFC", _alike(folded(address.strip())))
    name, _, domain = small.rpartition("@")
    with suppress(UnicodeError):  # no host name: compared as it is
        domain = domain.encode("idna").decode()
    return f"{name}@{domain}"
