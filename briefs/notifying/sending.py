"""Sends one message to one address through apprise, within ten seconds in all.

Nothing is repeated here. A failure says whether the message can have arrived: only if it cannot,
the outbox tries again.
"""

import queue
import re
import threading

from briefs.notifying import addresses

SECONDS = 10.0

_HTTP_STATUS = re.compile(r"error=(\d{3})\b")
_SMTP_STATUS = re.compile(r"\(([45]\d\d), b?['\"]|was refused: ([45]\d\d)")
_NEVER_CONNECTED = re.compile(
    "NewConnectionError|Failed to establish a new connection|ConnectTimeoutError"
    "|NameResolutionError|CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER"
)
_MAIL_NEVER_BEGUN = "Connection error while submitting email"  # connecting, encrypting, logging in


class NotDelivered(Exception):
    """The message is fit for people and logs: no address, no key."""


class NotSent(NotDelivered):
    """It cannot have arrived: sending it again is safe."""


class PerhapsSent(NotDelivered):
    """It may have arrived, as a whole or at some of several receivers."""


def deliver(address: str, subject: str, body: str, *, seconds: float = SECONDS) -> None:
    """Send, or raise NotSent or PerhapsSent. Returns or raises within `seconds`."""
    attempt = _Attempt(address, subject, body)
    threading.Thread(target=attempt.run, name="notifying", daemon=True).start()
    attempt.wait(seconds)


class _Attempt:
    """One sending in a thread of its own, which is given up when its time is over."""

    def __init__(self, address: str, subject: str, body: str) -> None:
        self._message = (address, subject, body)
        self._outcome: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._has_begun = False
        self._is_given_up = False

    def wait(self, seconds: float) -> None:
        try:
            error = self._outcome.get(timeout=seconds)
        except queue.Empty:
            with self._lock:
                self._is_given_up = True
            words = f"no answer within {seconds:.3g} s"
            raise (PerhapsSent if self._has_begun else NotSent)(words) from None
        if error is not None:
            raise error

    def run(self) -> None:
        try:
            self._send(*self._message)
        except NotDelivered as error:
            self._outcome.put(error)
        except addresses.Refused as error:
            self._outcome.put(NotSent(str(error)))
        except Exception as error:  # noqa: BLE001 - of a plugin; its words may hold the address
            kind = PerhapsSent if self._has_begun else NotSent
            self._outcome.put(kind(f"the service's plugin failed ({type(error).__name__})"))
        else:
            self._outcome.put(None)

    def _send(self, address: str, subject: str, body: str) -> None:
        from apprise import Apprise

        service = addresses.open_service(address)
        addresses.check_host(service)
        with self._lock:  # from here on it may arrive, and not at all once it was given up
            if self._is_given_up:
                return
            self._has_begun = True
        carrier = Apprise()
        carrier.add(service)
        log = addresses.apprise_log.listen()
        if not carrier.notify(title=subject, body=body, body_format="text"):
            raise _failure(log)


def _failure(lines: list[str]) -> NotDelivered:
    """What apprise's log of a failure means. When in doubt it may have arrived."""
    text = "\n".join(lines)
    if any(line.startswith("Sent ") for line in lines):
        return PerhapsSent("it reached some of its receivers and failed for others")
    refused_mail = _SMTP_STATUS.search(text)
    has_begun = _MAIL_NEVER_BEGUN not in text and not refused_mail
    if has_begun and any(_is_doubtful(line) for line in lines):
        return PerhapsSent("the connection broke before the other side had answered")
    if refused_mail:
        return NotSent(_mail_refusal(int(refused_mail[1] or refused_mail[2])))
    if found := _HTTP_STATUS.search(text):
        return NotSent(_refusal(int(found[1])))
    if not has_begun or _NEVER_CONNECTED.search(text):
        return NotSent("no connection: refused, unreachable, or its certificate is not trusted")
    return PerhapsSent("it failed, and the service did not say how")


def _is_doubtful(line: str) -> bool:
    return line.startswith("Socket Exception") and not _NEVER_CONNECTED.search(line)


def _refusal(status: int) -> str:
    if status in (401, 403):
        return f"the other side refused it ({status}): is the token in the address still valid?"
    if status in (404, 410):
        return f"the other side knows no such address ({status}): was the webhook removed?"
    if status == 429:
        return "the other side asks for a pause (429)"
    if status >= 500:
        return f"the other side failed ({status})"
    return f"the other side refused it ({status})"


def _mail_refusal(status: int) -> str:
    if status in (530, 534, 535):
        return f"the mail server refused user name or password ({status})"
    return f"the mail server refused it ({status})"
