"""What a bounce says: whether an address is gone, or it is our sending that is refused.

Receiving servers use the codes of RFC 5321 and RFC 3463 as they like: `550` says nothing, `5.7.1`
is said of unknown users too, and Exchange Online answers `5.4.1` for an address that it does not
know. So the wording decides first, then the last and most specific status, then the reply code.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from personas.rules import bounce_words as words

MOST_READ = 2000  # characters: a reply has a few hundred


class Reading(StrEnum):
    GONE = "gone"  # no such address or domain, or it takes no mail
    SUSPENDED = "suspended"  # the mailbox is closed, disabled or inactive
    FULL = "full"
    BUSY = "busy"  # the receiving server asks for patience or has a fault of its own
    EXPIRED = "expired"  # no server answered for as long as it was tried
    BLOCKED = "blocked"  # our fault: they refuse the sender, its domain, the message or its pace
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Of a message that was blocked."""

    SENDER = "sender"
    DOMAIN = "domain"
    POLICY = "policy"
    RATE = "rate"


# As the end of a sentence about receiving servers.
WHY_BLOCKED = {
    Cause.SENDER: "they take no mail from our address or our server",
    Cause.DOMAIN: "our domain does not prove that the mail is ours",
    Cause.POLICY: "their rules or filters do not let the message through",
    Cause.RATE: "we sent too much at once, or too many people complained",
}


@dataclass(frozen=True, slots=True)
class Bounce:
    reading: Reading
    cause: Cause | None = None


GONE, SUSPENDED, FULL, BUSY, EXPIRED, UNKNOWN = (
    Bounce(reading) for reading in Reading if reading != Reading.BLOCKED
)
SENDER, DOMAIN, POLICY, RATE = (Bounce(Reading.BLOCKED, cause) for cause in Cause)

_JOINT = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z])[-_](?=[a-z])")
_ADDRESS = re.compile(r"[^\s<>()\[\]:;,\"'=@]{1,64}@[\w.-]{1,255}")
_URL = re.compile(r"https?://\S+|\bwww\.\S+")
# What the pages that replies point to are named for, such as Gmail's `?p=NoSuchUser`.
_TOLD_BY_URL = re.compile(
    r"nosuchuser|overquota|disableduser|[?&]p=\w*ratelimit|spamhaus|spamcop|sorbs|barracuda"
)
# Of hosts, only those that keep blocklists say something.
_HOST = re.compile(
    r"(?<![\w.-])(?!\S{0,60}(?:spamhaus|spamcop|sorbs|barracuda|dnsbl|rbl|uribl|surbl|cloudmark"
    r"|manitu|uceprotect|abuseat|proofpoint))(?:[\w-]{1,63}\.){1,9}(?:com|net|org|edu|gov|biz|info|io"
    r"|example|test|invalid|local|lan|[a-z]{2})(?![\w-]|\.\w)"
)
_IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.]*\d)")
# Class, subject and detail, e.g. 5.1.1. No part of an address, a version or a message's id.
_STATUS = re.compile(r"(?<![\w.@/\\+])[45]\.[0-7]\.\d{1,3}(?![\w@]|[.-]\w)")
_OTHER_NUMBER = re.compile(
    r"\b(?:version|ver|release|build|exim|postfix|sendmail|qmail|exchange(?: server)?|esmtp|openssl"
    r"|dovecot|zimbra|mdaemon|icewarp|kerio|spamassassin|rspamd|amavis\w*|clamav|php|python|v)"
    r"[\s_-]*v?$|(?<!\d\d\d)-$"
)
_REPLY = re.compile(
    r"(?:^\W*|[:;,(\[<'\"#]\s*|\b(?:code|status|error|said|smtp|with|failed|reply)\W+)"
    r"(?P<reply>[45]\d\d)(?!\w|\.\d)|\b(?P<other>[45]\d\d)[ -]#?(?=[45]\.\d)"
)
_CONTINUED = re.compile(r"\b[45]\d\d[- ]#?(?:[45]\.[0-7]\.\d{1,3}\b)?|\(#?[45]\.\d\.\d{1,3}\)")
_NAME_OF_MESSAGE = re.compile(r"(?=[\w.=+/-]{0,40}\d)(?=[\d.=+/-]{0,40}[a-z])[\w.=+/-]{9,}")
# Names that relays give to a status, whatever the reply that follows says.
_LABELS = re.compile(
    r"[45]\.\d\.\d{1,3} \([a-z /,-]{5,60}\)(?=.*\b[45]\d\d\b)|unknown address error"
    r"|other (?:mail system|network|address) (?:problem|status)|bad destination email address"
    r"|permanent (?:failure|error)s? for one or more recipients?|undeliver(?:able|ed) mail"
    r"|(?:inform|notify|contact|tell|advise|ask|returned?(?: to)?|to) (?:the )?sender"
    r"|while (?:performing|sending|receiving)\b[^;)]{0,40}"
    r"|\(?(?:in reply to|after) (?:end of |the )?(?:mail from|rcpt to|data|helo|ehlo)\b[^)]{0,60}?"
    r"(?:command\)?|:)"
)

_BY_WORDS = (
    (words.GREYLISTED, BUSY),
    (words.FLOODED, BUSY),
    (words.QUOTA_OF_OURS, RATE),
    (words.FULL, FULL),
    (words.TOO_LARGE, POLICY),
    (words.TOO_MANY, RATE),
    (words.DNS_SOFT, EXPIRED),
    (words.OUR_DOMAIN, DOMAIN),
    (words.OUR_ADDRESS, SENDER),
    (words.SUSPENDED, SUSPENDED),
    (words.GONE, GONE),
    (words.POLICY, POLICY),
    (words.LOOPING, BUSY),
)
# By subject and detail, as receivers use them. What is not here depends on the words.
_BY_STATUS: dict[str, Bounce] = {
    **dict.fromkeys(("1.1", "1.2", "1.3", "1.4", "1.6", "1.9", "1.10"), GONE),
    **dict.fromkeys(("1.7", "1.8", "1.20"), SENDER),
    "1.90": RATE,
    "2.1": SUSPENDED,
    "2.2": FULL,
    **dict.fromkeys(("2.3", "3.4"), POLICY),
    "2.121": RATE,
    **dict.fromkeys(("2.122", "3.1", "3.2", "3.5", "4.5", "4.6", "4.14"), BUSY),
    **dict.fromkeys(
        ("4.1", "4.2", "4.3", "4.7", "4.8", "4.300", "4.316", "4.317", "4.318"), EXPIRED
    ),
    **dict.fromkeys(("4.4", "4.310"), GONE),
    "5.3": RATE,
    **dict.fromkeys(("7.7", "7.8", "7.20", "7.21", "7.22", "7.23", "7.24", "7.25", "7.26"), DOMAIN),
    **dict.fromkeys(("7.27", "7.29", "7.30", "7.31", "7.32", "7.40", "7.509", "7.515"), DOMAIN),
    **dict.fromkeys(("7.17", "7.18", "7.504", "7.505"), GONE),
    **dict.fromkeys(("7.28", "7.232", "7.233", "7.508", "7.705"), RATE),
    **dict.fromkeys(("7.501", "7.502", "7.503", "7.506", "7.507", "7.511", "7.513"), SENDER),
    **dict.fromkeys(("7.708", "7.750"), SENDER),
}
_BY_REPLY = {
    **dict.fromkeys(("521", "551", "553", "556"), GONE),
    "552": FULL,
    **dict.fromkeys(("530", "535", "538"), SENDER),
    **dict.fromkeys(("541", "571"), POLICY),
    **dict.fromkeys(("441", "442", "447"), EXPIRED),
}


def read(message: str) -> Bounce:
    """Read a bounce's `failure_message`. One that says nothing that is known is UNKNOWN."""
    message = message[:MOST_READ]
    if len(message.split()) < 3:  # a service's own category, such as `Transient MailboxFull`
        message = _JOINT.sub(" ", message)
    text = words.plain(message)
    return _judge(_wording(text), _status(text), _reply(text))


@lru_cache(maxsize=2048)  # when our sending is refused, thousands of bounces say the same
def _judge(text: str, status: str, reply: str) -> Bounce:
    for pattern, bounce in _BY_WORDS:
        if pattern.search(text):
            is_of_sender = bounce == GONE and _BY_STATUS.get(status[2:]) == SENDER
            return SENDER if is_of_sender else bounce
    return _by_status(text, status, reply)


def _by_status(text: str, status: str, reply: str) -> Bounce:
    """What is left once no clear word was found: the status, and words that it overrules."""
    subject = status[2:]
    is_passing = (status or reply).startswith("4")
    is_expired = bool(words.EXPIRED.search(text))
    if status == "5.4.1" and not is_expired:  # Exchange Online: no such recipient here
        return GONE
    is_busy = bool(words.BUSY.search(text))
    found = _BY_STATUS.get(subject)
    if is_passing and (subject == "2.1" or (is_busy and found == GONE)):  # for now
        return BUSY
    if found:
        return found
    if not is_passing and words.REFUSED_RECIPIENT.search(text):
        return GONE
    if is_expired:
        return EXPIRED
    if subject.startswith("7."):
        if is_passing:
            return BUSY if is_busy or "available" in text else RATE
        return SENDER if "7.606" <= subject <= "7.649" else POLICY
    if is_passing:
        return _BY_REPLY.get(reply, BUSY)
    if subject == "1.0":
        return GONE
    if subject.startswith("6."):
        return POLICY
    if is_busy:
        return BUSY
    if words.REFUSED.search(text):
        return POLICY
    return _BY_REPLY.get(reply, UNKNOWN) if subject in ("", "0.0") else UNKNOWN


def _status(text: str) -> str:
    """The last status that names a detail; else the last that names a subject; else the last."""
    found = list(_statuses(_URL.sub(" ", text)))
    return max(enumerate(found), key=lambda one: (_depth(one[1]), one[0]))[1] if found else ""


def _statuses(text: str) -> Iterator[str]:
    for match in _STATUS.finditer(text):
        before = text[max(0, match.start() - 24) : match.start()]
        if not _OTHER_NUMBER.search(before):
            yield match.group()


def _depth(status: str) -> int:
    _, subject, detail = status.split(".")
    return 2 if int(detail) else int(subject != "0")


def _reply(text: str) -> str:
    found = [match["reply"] or match["other"] for match in _REPLY.finditer(text)]
    return found[-1] if found else ""


def _wording(text: str) -> str:
    """The text without the names, addresses and numbers in it, whose parts may look like words."""
    told = " ".join(_TOLD_BY_URL.findall(" ".join(_URL.findall(text))))
    text = _URL.sub(" ", text)
    text = _ADDRESS.sub("addr", text)
    text = _LABELS.sub(" ", text)
    text = _IP.sub("ip", _HOST.sub("host", text))
    text = _NAME_OF_MESSAGE.sub(" ", _CONTINUED.sub(" ", text))
    return " ".join(f"{text} {told}".split())
