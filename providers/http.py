"""One HTTP request with a total deadline and a size limit, for the clients of both providers.

The time-out of `requests` starts anew with every byte: a server that sends its answer byte by byte
could keep a worker waiting without limit. So the request runs in a thread of its own, and its
connection is closed when the time is over.
"""

import json
import math
import ssl
from dataclasses import dataclass, field
from typing import Any

import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError

from providers.deadlines import OutOfTime, in_time
from providers.hanging_up import Adapter, Line, TooLate

CONNECT_SECONDS = 5.0
MAX_BYTES = 5 * 1024 * 1024
LONGEST_WAIT = 24 * 3600.0


class RequestFailed(Exception):
    """No usable answer came. The message is fit for people and logs: no address, no key."""


class NotSent(RequestFailed):
    """The other side cannot have seen the request: sending it again is safe."""


class NoAnswer(RequestFailed):
    """The request may have been carried out, but its answer did not arrive."""


class TooLarge(NoAnswer):
    """The answer is larger than we read: asking for less may help."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The decoded body, fit to be stored; None if it is not JSON."""
        try:
            return storable(json.loads(self.body))
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header, a day at most; None without a readable one."""
        try:
            seconds = float(self.headers.get("retry-after", ""))
        except ValueError:
            return None
        return min(max(0.0, seconds), LONGEST_WAIT) if math.isfinite(seconds) else None


def send(
    method: str,
    url: str,
    *,
    seconds: float,
    headers: dict[str, str],
    json: Any = None,
    params: dict[str, str] | None = None,
    connect_seconds: float | None = None,
) -> Reply:
    """Send one request and return the answer, of any status, within `seconds`.

    connect_seconds: the time to look up the name, connect and agree on encryption. If it takes
    longer, nothing is sent.
    Raises NotSent if the request was never sent, NoAnswer if the answer is missing or incomplete.
    Redirects are not followed: the key must not go to another server.
    """
    line = Line(connect_seconds)
    try:
        return in_time(
            lambda: _send(line, method, url, seconds, headers, json, params), seconds, name="http"
        )
    except OutOfTime:
        raise NoAnswer(f"no complete answer within {seconds:.3g} s") from None
    finally:
        line.hang_up()


def _send(
    line: Line,
    method: str,
    url: str,
    seconds: float,
    headers: dict[str, str],
    json: Any,
    params: dict[str, str] | None,
) -> Reply:
    try:
        with (
            _Session(line) as session,
            session.request(
                method,
                url,
                headers={**headers, "Connection": "close"},
                json=json,
                params=params,
                timeout=(min(CONNECT_SECONDS, seconds), seconds),
                allow_redirects=False,
                stream=True,
            ) as response,
        ):
            body = bytearray()
            for chunk in response.iter_content(64 * 1024):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise TooLarge(f"the answer is larger than {MAX_BYTES // 1024 // 1024} MiB")
            lowered = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, lowered, bytes(body))
    except _UNSENDABLE as error:
        # Without the cause: it quotes the header, which holds the key.
        raise NotSent(
            f"the request cannot be sent ({type(error).__name__}): check address and key"
        ) from None
    except requests.ConnectTimeout as error:
        raise NotSent("no connection (ConnectTimeout)") from error
    except requests.exceptions.SSLError as error:
        if _was_distrusted(error):
            raise NotSent("no connection (SSLError: check address and certificate)") from error
        raise NoAnswer("the encrypted connection broke") from error
    except requests.ConnectionError as error:
        if _was_refused(error):
            raise NotSent(f"no connection ({_why_refused(error)})") from error
        raise NoAnswer("the connection broke before the answer was complete") from error
    except requests.ReadTimeout as error:
        raise NoAnswer(f"no complete answer within {seconds:.3g} s") from error
    except (requests.RequestException, HTTPError, OSError) as error:
        raise NoAnswer(f"the answer broke off ({type(error).__name__})") from error


_UNSENDABLE = (
    UnicodeError,  # of a header or a host name
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.InvalidURL,
    requests.exceptions.MissingSchema,
)


class _Session(requests.Session):
    def __init__(self, line: Line) -> None:
        super().__init__()
        self.mount("https://", Adapter(line))
        self.mount("http://", Adapter(line))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return no target: else requests reads a redirect's whole body, even if not followed."""


def _was_refused(error: requests.ConnectionError) -> bool:
    """True if no connection was made, not even to the proxy.

    Other errors of a proxy may come after the request was sent.
    """
    reason = _reason(error)
    if isinstance(reason, ProxyError):
        return isinstance(reason.original_error, NewConnectionError | ConnectTimeoutError)
    return isinstance(reason, NewConnectionError)


def _why_refused(error: requests.ConnectionError) -> str:
    if isinstance(_reason(error), TooLate):
        return "it came too late, so nothing was sent"
    return "refused or unreachable"


def _was_distrusted(error: requests.exceptions.SSLError) -> bool:
    """True if the handshake failed for sure; most other errors may come after the request."""
    reason = _reason(error)
    cause = reason.args[0] if isinstance(reason, BaseException) and reason.args else None
    return isinstance(cause, ssl.SSLError) and (
        isinstance(cause, ssl.SSLCertVerificationError) or cause.reason == "WRONG_VERSION_NUMBER"
    )


def _reason(error: requests.ConnectionError) -> object:
    return getattr(error.args[0], "reason", None) if error.args else None


def storable(value: Any) -> Any:
    """The value without what a database refuses: NUL, halves of surrogate pairs, NaN, infinity.

    A language model may cut an emoji in two; an answer that was paid for must still be stored.
    """
    if isinstance(value, str):
        whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return whole.replace("\0", "")
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(name): storable(item) for name, item in value.items()}
    return value
