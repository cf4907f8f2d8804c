"""What all parts of the sandbox share: requests, replies, and the routes to their handlers."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import Fault


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as received. `segments` are the parts of the path, percent-decoded."""

    method: str
    path: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""

    body: bytes
    hang_up: Callable[[], None]
    """Closes the connection now, without an answer."""

    fault: Fault | None = None

    def json_object(self) -> dict[str, Any] | None:
        """The body, or None if it is not a JSON object."""
        try:
            body = json.loads(self.body)
        except ValueError:
            return None
        return body if isinstance(body, dict) else None


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer. Where a `Reply | None` is returned, None closes the connection unanswered."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    is_truncated: bool = False
    """Announce the whole length, send half, close the connection."""


def json_reply(
    payload: object, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Reply:
    """A reply with the payload as JSON."""
    return Reply(status=status, body=json.dumps(payload).encode(), headers=headers or {})


Handler = Callable[..., Reply | None]
"""Called with the request and the ids in its path, in their order."""


@dataclass(frozen=True)
class Match:
    """Where a path leads: the route's name, and the handler unless the method is not allowed."""

    name: str
    handler: Handler | None
    ids: tuple[str, ...]


class Routes:
    """Finds handlers by patterns such as `("GET", "customers/{id}/attributes")`."""

    def __init__(self, handlers: Mapping[tuple[str, str], Handler]) -> None:
        self._routes = [
            (method, tuple(pattern.split("/")), handler)
            for (method, pattern), handler in handlers.items()
        ]

    def find(self, method: str, segments: tuple[str, ...]) -> Match | None:
        """The match for a path without its base, or None if no pattern fits it."""
        found = None
        for allowed, pattern, handler in self._routes:
            if not _fits(pattern, segments):
                continue
            name = "/".join(part for part in pattern if part != "{id}")
            ids = tuple(
                given for part, given in zip(pattern, segments, strict=True) if part == "{id}"
            )
            if allowed == method:
                return Match(name, handler, ids)
            found = Match(name, None, ids)
        return found

    def listing(self) -> list[str]:
        """The routes as `GET customers`, for an error that says what there is."""
        return [f"{method} {'/'.join(pattern)}" for method, pattern, _ in self._routes]


def _fits(pattern: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return len(pattern) == len(segments) and all(
        part == given or (part == "{id}" and given)
        for part, given in zip(pattern, segments, strict=True)
    )
