"""Sends one message to one address through apprise, within ten seconds in all.

A message counts as sent only if apprise says so in time. The outbox tries all others again, so a
message may arrive twice.
"""

import re
import threading
from urllib.parse import unquote

from django.conf import settings
from django.core.mail import send_mail

from briefs.models.notifications import BY_MAIL
from briefs.models.sealing import scheme_of
from briefs.notifying import addresses, escaping
from providers.deadlines import OutOfTime, in_time

SECONDS = 10.0
LONGEST_REASON = 1000

AddressedMessage = tuple[str, str, str]  # address, subject and body
_running: set[AddressedMessage] = set()  # in this process, also those whose time is over


class NotDelivered(Exception):
    """Nothing confirms that it was sent. The text holds no address and may be shown and logged."""


def deliver(address: str, subject: str, body: str, *, seconds: float = SECONDS) -> None:
    """Send, or raise NotDelivered. Returns or raises within `seconds`."""
    message = (address, subject, body)
    if message in _running:
        raise NotDelivered("an earlier try has not ended yet")
    given_up = threading.Event()
    try:
        in_time(lambda: _attempt(message, given_up), seconds, name="notifying", given_up=given_up)
    except OutOfTime:
        raise NotDelivered(f"no answer within {seconds:.3g} s") from None


def _attempt(message: AddressedMessage, given_up: threading.Event) -> None:
    """Send, or raise NotDelivered, in a thread that may outlive its deadline."""
    _running.add(message)
    try:
        _send(*message, given_up)
    except NotDelivered:
        raise
    except addresses.AddressRefused as error:
        raise NotDelivered(str(error)) from None
    except Exception as error:  # noqa: BLE001 - apprise may raise anything; only its words are used
        raise NotDelivered(hide_address(message[0], f"{type(error).__name__}: {error}")) from None
    finally:
        _running.discard(message)


def _mail(address: str, subject: str, body: str) -> None:
    """By the mail server that also sends invitations."""
    to = address.removeprefix(BY_MAIL)
    if not settings.EMAIL_IS_CONFIGURED:
        raise NotDelivered("no mail server is set up for Savedesk")
    if not to:
        raise NotDelivered("the account has no mail address")
    send_mail(subject, body, None, [to])


def _send(address: str, subject: str, body: str, given_up: threading.Event) -> None:
    if address.startswith(BY_MAIL):
        _mail(address, subject, body)
        return
    from apprise import Apprise

    service = addresses.open_service(address)
    addresses.check_host(service)
    if given_up.is_set():
        return  # the time was used up, for example by a slow name server; it is tried again
    carrier = Apprise()
    carrier.add(service)
    said = addresses.apprise_log.listen()
    title, text = (escaping.as_text(scheme_of(address), part) for part in (subject, body))
    # A service that turns text into its own format would escape ours again: it is told the truth.
    is_markdown = scheme_of(address) == "workflows"
    kind = "markdown" if is_markdown else "text"
    if not carrier.notify(title=title, body=text, body_format=kind):
        raise NotDelivered(hide_address(address, " ".join(said)) or "apprise gave no reason")


_CUTS = ("[/?#&]", r"[=,;\s]", "@", ":")  # from coarse to fine: "desk@x.org", then "desk"
_WORD = re.compile("[0-9A-Za-z]+")
_SHORTEST_PART = 3
_LONG_PART = 8  # a shorter part is replaced only as a whole word: "mail", but not in "email"


def hide_address(address: str, text: str) -> str:
    """The library's words on one line, with … in place of every part of the address."""
    text = unquote(text)  # HTTP errors quote the address with its signs escaped
    text = re.sub(r"\\[nrt]", " ", text)  # line ends in the quoted answer of a mail server
    if patterns := [_pattern(part) for part in sorted(_parts(address), key=len, reverse=True)]:
        text = re.sub("|".join(patterns), "…", text, flags=re.IGNORECASE)
    # NUL goes too, because PostgreSQL refuses it. Cut last: half a password is not recognised.
    plain = "".join(character if character.isprintable() else " " for character in text)
    return " ".join(plain.split())[:LONGEST_REASON]


def _parts(address: str) -> set[str]:
    """The parts of the address, from whole e-mail addresses down to words, without the scheme."""
    _, _, rest = address.partition("://")
    login, _, _ = re.split("[/?#]", rest)[0].rpartition("@")
    _, _, password = login.partition(":")  # as a whole, with all its signs
    pieces, parts = [rest], {unquote(password)}
    for cut in _CUTS:
        pieces = [part for piece in pieces for part in re.split(cut, piece)]
        parts.update(unquote(part) for part in pieces)
    words = {word for part in parts for word in _WORD.findall(part)}
    return {part for part in parts | words if len(part) >= _SHORTEST_PART}


def _pattern(part: str) -> str:
    pattern = re.escape(part)
    if len(part) >= _LONG_PART:
        return pattern
    return rf"(?<![0-9A-Za-z]){pattern}(?![0-9A-Za-z])"
