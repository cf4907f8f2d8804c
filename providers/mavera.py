"""Mavera's research agent Mave: one question in, one researched answer out.

Source: https://docs.mavera.io/api-reference/mave/send-message-to-mave
"""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from django.conf import settings

from providers import http, mavera_replies
from providers.mavera_replies import (
    Answer,
    MaveError,
    RateLimit,
    Thread,
    ThreadPage,
    Usage,
    in_full,
)

__all__ = [
    "Answer",
    "Mave",
    "MaveError",
    "RateLimit",
    "Thread",
    "ThreadPage",
    "Usage",
    "in_full",
]

DEADLINE_SECONDS = 180.0  # for a whole call; answers are said to take 30 to 90 seconds
CONNECT_SECONDS = 7.0  # to connect; if that takes longer, nothing is sent
READ_SECONDS = 10.0  # for a request that only reads
PAGE_SIZE = 100  # threads; the most that Mavera gives at once
CHAT = "/mave/chat"
# A gateway stopped waiting, or took the client for gone: Mave may continue, and may charge.
GATEWAY_GAVE_UP = {408, 499, 502, 504, *range(520, 525)}
NOT_THERE = {404, 405, 410}


class Mave:
    """A client with the key and address of the settings.

    Every method is one HTTP request and raises MaveError. `rate_limit` and `told_at` are what its
    reply said.
    """

    def __init__(self) -> None:
        self._base_url = settings.MAVERA_BASE_URL
        self._key = settings.MAVERA_API_KEY
        self._workspace_id = settings.MAVERA_WORKSPACE_ID
        self.rate_limit: RateLimit | None = None
        self.told_at: datetime | None = None  # by Mavera's clock

    @property
    def is_configured(self) -> bool:
        return bool(self._key)

    def chat(self, message: str) -> Answer:
        """POST /mave/chat: ask and wait for the answer. Costs 10 to 75 credits.

        A repeated request is charged again. So if the outcome of one is unknown, look for its
        thread before sending it again.
        https://docs.mavera.io/api-reference/mave/send-message-to-mave
        """
        body = {"message": message} | self._workspace
        reply = self._send("POST", CHAT, seconds=DEADLINE_SECONDS, json=body)
        return mavera_replies.answer(reply)

    def threads(self, page: dict[str, str] | None = None) -> ThreadPage:
        """GET /mave/threads: newest first. `page` is the `next` of the page before.

        Mavera documents two versions of paging, by cursor and by offset; both are understood.
        https://docs.mavera.io/api-reference/mave/list-mave-threads
        """
        query = {"limit": str(PAGE_SIZE)} | self._workspace | (page or {})
        return mavera_replies.thread_page(
            self._send("GET", "/mave/threads", params=query), page or {}
        )

    def thread(self, thread_id: str) -> Thread:
        """GET /mave/threads/{id}: what was asked there and what was answered.

        https://docs.mavera.io/api-reference/mave/get-mave-thread
        """
        return mavera_replies.thread(
            self._send("GET", f"/mave/threads/{quote(thread_id, safe='')}")
        )

    def usage(self) -> Usage:
        """GET /usage: the credits that are left. Costs none, as far as is known.

        https://docs.mavera.io/api-reference/usage/get-usage-statistics
        """
        return mavera_replies.usage(self._send("GET", "/usage"))

    @property
    def _workspace(self) -> dict[str, str]:
        return {"workspace_id": self._workspace_id} if self._workspace_id else {}

    def _send(
        self, method: str, path: str, *, seconds: float | None = None, **content: Any
    ) -> http.Reply:
        try:
            reply = http.send(
                method,
                f"{self._base_url}{path}",
                seconds=seconds or READ_SECONDS,
                headers={"Authorization": f"Bearer {self._key}"},
                connect_seconds=CONNECT_SECONDS,
                **content,
            )
        except http.NotSent as error:
            raise MaveError(f"Mavera cannot be reached: {error}", is_sent=False) from error
        except http.NoAnswer as error:
            raise MaveError(
                f"Mavera did not answer: {error}", is_outcome_unknown=path == CHAT
            ) from error
        self.rate_limit = mavera_replies.rate_limit(reply)
        self.told_at = mavera_replies.told_at(reply)
        if reply.is_success:
            return reply
        raise (path == CHAT and _about_the_call(reply.status)) or mavera_replies.refusal(reply)


def _about_the_call(status: int) -> MaveError | None:
    """The error for a status that has a special meaning for a question; None for all others."""
    if status in GATEWAY_GAVE_UP:
        words = f"a gateway before Mavera gave up waiting (it answered {status})"
        return MaveError(words, is_outcome_unknown=True, is_broken_off=True, http_status=status)
    if status in NOT_THERE:
        words = f"Mavera has no research agent at this address ({status}): check MAVERA_BASE_URL"
        return MaveError(words, is_account_wide=True, http_status=status)
    return None
