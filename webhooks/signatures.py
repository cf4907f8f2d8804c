"""Customer.io's signature: hex HMAC-SHA256 of `v0:{timestamp}:{raw body}` under the signing key.

Source: https://docs.customer.io/integrations/data-out/connections/webhooks/
"""

import hashlib
import hmac
import re
import time
from collections.abc import Iterable

VERSION = "v0"
TIME_OF_A_REQUEST = re.compile(r"[0-9]{10}")
DIGEST = re.compile(r"[0-9a-fA-F]{64}")
RETRIED_SECONDS = 8 * 86_400  # for 7 days, and a clock may be wrong by one
AHEAD_SECONDS = 86_400


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the signature that Customer.io sends for this body: 64 lower-case hex digits."""
    verifier = Verifier([secret], timestamp)
    verifier.update(body)
    return verifier.digests()[0]


class Verifier:
    """Checks a signature while the body is still arriving, under several secrets at once.

    Two secrets are valid together while a workspace rotates its key.
    """

    def __init__(self, secrets: Iterable[str], timestamp: str) -> None:
        prefix = f"{VERSION}:{timestamp}:".encode("utf-8", "surrogateescape")
        self._macs = [
            hmac.new(secret.encode(), prefix, hashlib.sha256) for secret in secrets if secret
        ]

    def update(self, chunk: bytes) -> None:
        for mac in self._macs:
            mac.update(chunk)

    def digests(self) -> list[str]:
        return [mac.hexdigest() for mac in self._macs]

    def accepts(self, signature: str) -> bool:
        """True if any secret made this signature. All are compared, each in constant time."""
        given = signature.strip().lower().encode("utf-8", "surrogateescape")
        matches = [hmac.compare_digest(digest.encode(), given) for digest in self.digests()]
        return any(matches)


def is_like_the_senders(timestamp: str, signature: str, body: bytearray) -> bool:
    """Whether a request whose signature is wrong has what Customer.io's requests have otherwise.

    A wrong key of ours and a proxy that changes the body leave all of it; what a stranger sends
    seldom has it, though anybody who read the documentation can. An old timestamp may be that of a
    retry.
    """
    if not (TIME_OF_A_REQUEST.fullmatch(timestamp) and DIGEST.fullmatch(signature.strip())):
        return False
    is_fresh = -AHEAD_SECONDS < time.time() - int(timestamp) < RETRIED_SECONDS
    return is_fresh and body[:64].lstrip().startswith(b"{") and b'"event_id"' in body


def is_too_old(timestamp: str, max_age_seconds: int) -> bool:
    """True if the request was signed longer ago than allowed, or its timestamp cannot be read.

    Off by default (max_age_seconds 0): a retry may carry its first timestamp, and refusing it
    would make Customer.io delay all later webhooks.
    """
    if not max_age_seconds:
        return False
    try:
        return abs(time.time() - int(timestamp)) > max_age_seconds
    except (ValueError, OverflowError):
        return True
