"""Scripted faults: what goes wrong next on a route, how often, and in which of the known ways."""

import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROUTES = {
    "customers": "App API",
    "customers/attributes": "App API",
    "reporting_webhooks": "App API",
    "info/ip_addresses": "App API",
    "subscription_topics": "App API",
    "subscription_channels": "App API",
    "segments": "App API",
    "segments/membership": "App API",
    "segments/add_customers": "Track API",
    "segments/remove_customers": "Track API",
    "mave/chat": "Mavera",
    "mave/threads": "Mavera",
    "usage": "Mavera",
    "personas": "Mavera",
}
"""Routes that faults are queued for: the path without version and without the ids in it."""

KINDS = {
    "none": "the right answer: the fault after it happens later, such as on a second page",
    "401": "the key is refused",
    "402": "out of credits (Mavera only)",
    "403": "the key may not do this",
    "404": "there is nothing at this address",
    "429": "too many requests, with Retry-After unless retry_after is null",
    "500": "internal error",
    "502": "bad gateway, with a web page",
    "503": "unavailable",
    "504": "gateway time-out, with a web page",
    "hang": "no answer; the connection is closed after `seconds`",
    "drop": "the connection is closed at once, nothing was done",
    "html": "status 200 with a web page in place of JSON",
    "empty": "status 200 with an empty body; for mave/chat, with empty content",
    "truncated": "the right answer, cut off in the middle",
    "clarify": "Mave asks back in place of answering",
    "no_validation": "Mave's answer without `validation`",
    "no_sources": "Mave's answer without sources",
    "paid_then_dropped": "Mave takes the credits, then the connection is closed; the answer "
    "appears in the thread `seconds` later",
    "lost": "Mave takes the credits, then the connection is closed; the thread stays without an "
    "answer for ever",
    "slow": "Mave's answer is right and takes `seconds` longer",
}

CHAT_KINDS = {
    *("empty", "clarify", "no_validation", "no_sources"),
    *("paid_then_dropped", "lost", "slow"),
}
"""Kinds that Mave's chat plays itself; only `empty` exists on other routes too."""

MAVERA_KINDS = {"402"}
"""Kinds that Customer.io does not know."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault, for one request. `retry_after` is None for a 429 that does not say how long."""

    kind: str
    retry_after: int | None = 1
    seconds: float = 0.0


class Faults:
    """Faults that have not happened yet: one queue for each route, used by its next requests."""

    def __init__(self) -> None:
        self._queues: dict[str, deque[tuple[Fault, int | None]]] = defaultdict(deque)
        self._lock = threading.Lock()

    def add(
        self,
        route: str,
        fault: str,
        *,
        count: int | None = 1,
        retry_after: int | None = 1,
        seconds: float | None = None,
    ) -> None:
        """Let the next `count` requests to the route fail; None means until `clear`.

        `seconds` are real seconds, without `time_scale`; by default 60 for `hang`, else 0.

        Raises ValueError, with a sentence, for a route, kind or number that makes no sense.
        """
        _check(route, fault, count)
        if seconds is None:
            seconds = 60.0 if fault == "hang" else 0.0
        with self._lock:
            entry = (Fault(kind=fault, retry_after=retry_after, seconds=seconds), count)
            self._queues[route].append(entry)

    def add_json(self, body: Mapping[str, Any]) -> None:
        """`add`, from the body of `POST /sandbox/faults`. Raises ValueError as `add` does."""
        unknown = set(body) - set(_TYPES)
        if unknown:
            raise ValueError(f"Unknown field: {min(unknown)!r}. Known: {', '.join(_TYPES)}.")
        for name, value in body.items():
            if isinstance(value, bool) or not isinstance(value, _TYPES[name]):
                raise ValueError(f"{name!r} has the wrong type.")
        if "route" not in body or "fault" not in body:
            raise ValueError("'route' and 'fault' are required.")
        self.add(body["route"], body["fault"], **{k: body[k] for k in body if k in _OPTIONAL})

    def take(self, route: str) -> Fault | None:
        """The fault for a request that has just come in, or None if it is answered as usual."""
        with self._lock:
            queue = self._queues.get(route)
            if not queue:
                return None
            fault, left = queue.popleft()
            if left is None or left > 1:
                queue.appendleft((fault, None if left is None else left - 1))
            return None if fault.kind == "none" else fault

    def clear(self) -> None:
        """Forget all faults not yet used."""
        with self._lock:
            self._queues.clear()

    def listing(self) -> list[dict[str, Any]]:
        """The faults that have not happened yet, as `POST /sandbox/faults` would take them."""
        with self._lock:
            return [
                {
                    "route": route,
                    "fault": fault.kind,
                    "count": left,
                    "retry_after": fault.retry_after,
                    "seconds": fault.seconds,
                }
                for route, queue in self._queues.items()
                for fault, left in queue
            ]


_OPTIONAL = ("count", "retry_after", "seconds")
_TYPES: dict[str, Any] = {
    "route": str,
    "fault": str,
    "count": int | None,
    "retry_after": int | None,
    "seconds": int | float | None,
}


def _check(route: str, fault: str, count: int | None) -> None:
    if route not in ROUTES:
        raise ValueError(f"Unknown route {route!r}. Known: {', '.join(ROUTES)}.")
    if fault not in KINDS:
        raise ValueError(f"Unknown fault {fault!r}. Known: {', '.join(KINDS)}.")
    if fault in CHAT_KINDS - {"empty"} and route != "mave/chat":
        raise ValueError(f"{fault!r} happens on mave/chat only.")
    if fault in MAVERA_KINDS and ROUTES[route] != "Mavera":
        raise ValueError(f"{fault!r} happens on Mavera's routes only.")
    if count is not None and count < 1:
        raise ValueError("'count' is at least 1, or null for every request until cleared.")
