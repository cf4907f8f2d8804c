"""Mavera's API: keys, limits, Mave's chat and threads, the usage and the list of personas.

Documentation: https://docs.mavera.io/api-reference/introduction. Where it is silent (what a call
over the cap of ten gets, the reply to a deleted thread), this is a plausible guess.
"""

import math
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

from sandbox.api import Api, Pause
from sandbox.chat import Chat
from sandbox.credits import Balance
from sandbox.faults import Faults
from sandbox.limits import Busiest, SlidingWindow
from sandbox.mavera_errors import code_for, error
from sandbox.options import Options
from sandbox.paging import QueryError, page
from sandbox.stock_personas import stock_personas
from sandbox.threads import TITLE_LIMIT, Threads
from sandbox.usage import usage_report
from sandbox.wire import Reply, Request, Routes, json_reply


class Mavera(Api):
    """Answers below `/api/v1`, for one key and one workspace."""

    base = ("api", "v1")

    def __init__(self, options: Options, faults: Faults, pause: Pause) -> None:
        super().__init__(options, faults, pause)
        self.balance = Balance()
        self._threads = Threads()
        self.chat = Chat(options, self._threads, self.balance, pause)
        self._window = SlidingWindow(self._minute)
        self.busiest = Busiest()
        self._lock = threading.Lock()
        self._requests = self._errors = 0
        self._period_start = datetime.now(UTC)
        self.routes = Routes(
            {
                ("POST", "mave/chat"): self.chat.answer,
                ("GET", "mave/threads"): self.list_threads,
                ("GET", "mave/threads/{id}"): self.get_thread,
                ("PATCH", "mave/threads/{id}"): self.rename_thread,
                ("DELETE", "mave/threads/{id}"): self.delete_thread,
                ("GET", "usage"): self.usage,
                ("GET", "personas"): self.personas,
            }
        )

    def answer(self, request: Request) -> Reply | None:
        """As for any API; every answer also carries the three `X-RateLimit-` headers.

        https://docs.mavera.io/guides/rate-limits
        """
        self._window.seconds = self._minute
        self.busiest.note(self._minute)
        with ExitStack() as stack:
            if request.segments == (*self.base, "mave", "chat"):
                stack.enter_context(self.chat.watched())
            reply = super().answer(request)
        with self._lock:
            self._requests += 1
            self._errors += reply is None or reply.status >= 400
        return reply and replace(reply, headers={**self._limit_headers(), **reply.headers})

    def refuse(self, request: Request) -> Reply | None:
        """401 for a missing, unknown or revoked key; 429 past the limit of a minute.

        https://docs.mavera.io/guides/authentication
        """
        authorization = request.headers.get("authorization", "")
        if not authorization:
            return error("missing_api_key")
        key = authorization.removeprefix("Bearer ")
        if key in self.options.revoked_keys:
            return error("revoked_api_key")
        if authorization != f"Bearer {self.options.mavera_key}":
            return error("invalid_api_key")
        wait = self._window.admit(self.options.requests_per_minute)
        if wait is not None:
            return self.fail(429, max(1, math.ceil(wait)))
        return None

    def fail(self, status: int, retry_after: int | None = None) -> Reply:
        """The error that usually goes with the status; a 429 has no requests remaining."""
        if status != 429:
            return error(code_for(status))
        reply = error("rate_limit_exceeded", retry_after=retry_after)
        reset = _epoch_in(retry_after or self._minute)
        spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
        return replace(reply, headers={**reply.headers, **spent})

    def list_threads(self, request: Request) -> Reply:
        """GET mave/threads: newest first, paged as `Options.paging` has it.

        https://docs.mavera.io/api-reference/mave/list-mave-threads
        """
        query, paging = request.query, self.options.paging
        search = "" if paging == "offset" else query.get("search", "")
        threads = self._threads.listing(query.get("workspace_id"), search)
        try:
            return json_reply(page(threads, query, paging))
        except QueryError as bad:
            return error("invalid_field", str(bad), param=bad.param)

    def get_thread(self, request: Request, thread_id: str) -> Reply:
        """GET mave/threads/{id}: the thread with its messages, or 404.

        https://docs.mavera.io/api-reference/mave/get-mave-thread
        """
        thread = self._threads.get(thread_id)
        return json_reply(thread) if thread else error("resource_not_found")

    def rename_thread(self, request: Request, thread_id: str) -> Reply:
        """PATCH mave/threads/{id} with `title`, at most 100 characters: the thread, 400 or 404.

        https://docs.mavera.io/api-reference/mave/update-mave-thread
        """
        title = (request.json_object() or {}).get("title")
        if title is None:
            return error("missing_field", "Missing required field: 'title'.", param="title")
        if not isinstance(title, str) or not 1 <= len(title) <= TITLE_LIMIT:
            return error("invalid_field", "Invalid value for 'title'.", param="title")
        thread = self._threads.rename(thread_id, title)
        return json_reply(thread) if thread else error("resource_not_found")

    def delete_thread(self, request: Request, thread_id: str) -> Reply:
        """DELETE mave/threads/{id}: a confirmation whose shape is not documented, or 404."""
        if not self._threads.delete(thread_id):
            return error("resource_not_found")
        return json_reply({"id": thread_id, "object": "mave_thread", "deleted": True})

    def personas(self, request: Request) -> Reply:
        """GET personas: the stock personas, by `category`, `search`, `limit` and `cursor`. Free.

        https://docs.mavera.io/api-reference/personas/list-available-personas
        """
        query = request.query
        found = stock_personas(query.get("category", ""), query.get("search", ""))
        try:
            return json_reply(page(found, query))
        except QueryError as bad:
            return error("invalid_field", str(bad), param=bad.param)

    def usage(self, request: Request) -> Reply:
        """GET usage: credits used and left in the billing period, requests, the rate limit. Free.

        https://docs.mavera.io/api-reference/usage/get-usage-statistics
        """
        with self._lock:
            requests, errors = self._requests, self._errors
        report = usage_report(
            self.options, self.balance.used, requests, errors, since=self._period_start
        )
        return json_reply(report)

    @property
    def _minute(self) -> float:
        """Seconds of the limit's window."""
        return 60.0 / self.options.time_scale

    def _limit_headers(self) -> dict[str, str]:
        limit = self.options.requests_per_minute
        return {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(self._window.remaining(limit)),
            "X-RateLimit-Reset": _epoch_in(self._window.resets_in()),
        }


def _epoch_in(seconds: float) -> str:
    return str(math.ceil(time.time() + seconds))
