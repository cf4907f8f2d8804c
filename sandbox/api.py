"""What both APIs have in common: find the route, play the fault scripted for it, or answer."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace

from sandbox.faults import CHAT_KINDS, Faults
from sandbox.options import Options
from sandbox.wire import Match, Reply, Request, Routes

PAGE = b"<!doctype html><title>Just a moment</title><h1>Checking your connection</h1>"

Pause = Callable[[float], object]
"""Waits that many seconds, or less when the sandbox is stopped."""


class Api(ABC):
    """One vendor's API. `base` is its base path, in segments."""

    base: tuple[str, ...]
    routes: Routes

    def __init__(self, options: Options, faults: Faults, pause: Pause) -> None:
        self.options = options
        self._faults = faults
        self._pause = pause

    def answer(self, request: Request) -> Reply | None:
        """The answer to a request, or None to close the connection without one."""
        match = self.routes.find(request.method, request.segments[len(self.base) :])
        if match is None:
            return self.refuse(request) or self.fail(404)
        if match.handler is None:
            return self.refuse(request) or self.fail(405)
        return self._play(match, replace(request, fault=self._faults.take(match.name)))

    @abstractmethod
    def refuse(self, request: Request) -> Reply | None:
        """The error for a request without a good key or over the rate limit, else None."""

    @abstractmethod
    def fail(self, status: int, retry_after: int | None = None) -> Reply:
        """An error in the vendor's own shape."""

    def _play(self, match: Match, request: Request) -> Reply | None:
        fault = request.fault
        if fault is None or (match.name == "mave/chat" and fault.kind in CHAT_KINDS):
            return self._serve(match, request)
        match fault.kind:
            case "hang":
                self._pause(fault.seconds)
                return None
            case "drop":
                return None
            case "html":
                return _page(200)
            case "502" | "504":  # of a gateway before the API, which sends a web page and no JSON
                return _page(int(fault.kind))
            case "empty":
                return Reply()
            case "truncated":
                whole = self._serve(match, request)
                return whole and replace(whole, is_truncated=True)
            case _:
                return self.fail(int(fault.kind), fault.retry_after)

    def _serve(self, match: Match, request: Request) -> Reply | None:
        refused = self.refuse(request)
        if refused is not None or match.handler is None:
            return refused
        return match.handler(request, *match.ids)


def _page(status: int) -> Reply:
    return Reply(status=status, body=PAGE, content_type="text/html; charset=utf-8")
