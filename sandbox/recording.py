"""What the two APIs received, for tests and for `GET /sandbox/requests`."""

import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.wire import Reply, Request

KEPT = 20_000


@dataclass(kw_only=True, eq=False)
class Recorded:
    """A request. `started` and `finished` are seconds of `time.monotonic()`.

    While it is being answered `finished` is None. `status` is None until then, and stays so if
    the connection was closed without an answer. Header names are in lower case.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: str
    started: float
    finished: float | None = None
    status: int | None = None

    def public(self) -> dict[str, Any]:
        """As JSON over HTTP, where a key shows its first letters only."""
        shown = dict(self.headers)
        if "authorization" in shown:
            shown["authorization"] = shown["authorization"][:21] + "..."
        return {**asdict(self), "headers": shown}


class Recording:
    """The latest 20,000 requests, oldest first."""

    def __init__(self) -> None:
        self._recorded: deque[Recorded] = deque(maxlen=KEPT)
        self._lock = threading.Lock()

    def begin(self, request: Request) -> Recorded:
        """Note a request that has come in."""
        recorded = Recorded(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            headers=dict(request.headers),
            body=request.body.decode(errors="replace"),
            started=time.monotonic(),
        )
        with self._lock:
            self._recorded.append(recorded)
        return recorded

    def end(self, recorded: Recorded, reply: Reply | None) -> None:
        """Note the reply that is about to be sent; None if the connection is closed without one."""
        recorded.status = reply.status if reply else None
        recorded.finished = time.monotonic()

    def listing(self) -> list[Recorded]:
        """All of them, oldest first."""
        with self._lock:
            return list(self._recorded)

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._recorded.clear()
