"""One HTTP request with a total deadline and a size limit, for the clients of both providers.

requests' own time-out starts anew with every byte; a sender that drips could hold a worker for
ever. So the request runs in a thread that is given up when its time is over.
"""

import json
import queue
import threading
from dataclasses import dataclass, field
from typing import Any

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

CONNECT_SECONDS = 5.0
MAX_BYTES = 5 * 1024 * 1024


class RequestFailed(Exception):
    """No usable answer came. The message is fit for people and logs: no address, no key."""


class NotSent(RequestFailed):
    """The other side cannot have seen the request: sending it again is safe."""


class NoAnswer(RequestFailed):
    """The request may have been carried out, but its answer did not arrive."""


@dataclass(frozen=True, slots=True)
class Reply:
    status: int
    headers: dict[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Any:
        """The decoded body; None if it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after(self) -> float | None:
        """Seconds from the Retry-After header; None without a readable one."""
        try:
            return max(0.0, float(self.headers.get("retry-after", "")))
        except ValueError:
            return None


def send(
    method: str,
    url: str,
    *,
    seconds: float,
    headers: dict[str, str],
    json: Any = None,
    params: dict[str, str] | None = None,
) -> Reply:
    """Send one request and return whatever was answered, of any status, within `seconds`.

    Raises NotSent if no connection was made and NoAnswer if the answer is missing or incomplete.
    Redirects are not followed: a key must not travel on.
    """
    outcome: queue.SimpleQueue[Reply | BaseException] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put(_send(method, url, seconds, headers, json, params))
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            outcome.put(error)

    threading.Thread(target=run, name="http", daemon=True).start()
    try:
        result = outcome.get(timeout=seconds)
    except queue.Empty:
        raise NoAnswer(f"no complete answer within {seconds:.0f} s") from None
    if isinstance(result, BaseException):
        raise result
    return result


def _send(
    method: str,
    url: str,
    seconds: float,
    headers: dict[str, str],
    json: Any,
    params: dict[str, str] | None,
) -> Reply:
    try:
        with requests.request(
            method,
            url,
            headers={**headers, "Connection": "close"},
            json=json,
            params=params,
            timeout=(min(CONNECT_SECONDS, seconds), seconds),
            allow_redirects=False,
            stream=True,
        ) as response:
            body = bytearray()
            for chunk in response.iter_content(64 * 1024):
                body += chunk
                if len(body) > MAX_BYTES:
                    raise NoAnswer(f"the answer is larger than {MAX_BYTES // 1024 // 1024} MiB")
            lowered = {name.lower(): value for name, value in response.headers.items()}
            return Reply(response.status_code, lowered, bytes(body))
    except (requests.ConnectTimeout, requests.exceptions.SSLError) as error:
        raise NotSent(f"no connection ({type(error).__name__})") from error
    except requests.ConnectionError as error:
        if _was_refused(error):
            raise NotSent("no connection (refused or unreachable)") from error
        raise NoAnswer("the connection broke before the answer was complete") from error
    except requests.ReadTimeout as error:
        raise NoAnswer(f"no answer within {seconds:.0f} s") from error
    except (requests.RequestException, HTTPError, OSError) as error:
        raise NoAnswer(f"the answer broke off ({type(error).__name__})") from error


def _was_refused(error: requests.ConnectionError) -> bool:
    cause = error.args[0] if error.args else None
    return isinstance(getattr(cause, "reason", None), NewConnectionError)
