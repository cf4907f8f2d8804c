"""Mavera's research agent Mave: one question in, one researched answer out.

Source: https://docs.mavera.io/api-reference/mave/send-message-to-mave
"""

from typing import Any
from urllib.parse import quote

from django.conf import settings

from briefs.asking import replies
from briefs.asking.replies import Answer, MaveError, RateLimit, Thread, ThreadPage, Usage
from personas import http

__all__ = ["Answer", "Mave", "MaveError", "RateLimit", "Thread", "ThreadPage", "Usage"]

DEADLINE_SECONDS = 180.0  # for a whole call; answers are said to take 30 to 90 seconds
READ_SECONDS = 10.0  # for a request that only reads
PAGE_SIZE = 100  # threads; the most that Mavera gives at once


class Mave:
    """A client with the key and address of the settings.

    Every method is one HTTP request and raises MaveError. `rate_limit` is what the last one said.
    """

    def __init__(self) -> None:
        self._base_url = settings.MAVERA_BASE_URL
        self._key = settings.MAVERA_API_KEY
        self._workspace_id = settings.MAVERA_WORKSPACE_ID
        self.rate_limit: RateLimit | None = None

    @property
    def is_configured(self) -> bool:
        return bool(self._key)

    def chat(self, message: str) -> Answer:
        """POST /mave/chat: ask and wait for the answer. Costs 10 to 75 credits.

        There is no way to make a repeated request free, so one whose outcome is unknown must be
        looked for before it is sent again.
        https://docs.mavera.io/api-reference/mave/send-message-to-mave
        """
        body = {"message": message} | self._workspace
        reply = self._send("POST", "/mave/chat", seconds=DEADLINE_SECONDS, json=body)
        return replies.answer(reply)

    def threads(self, page: dict[str, str] | None = None) -> ThreadPage:
        """GET /mave/threads: by `next` of the page before, from the newest without.

        Two generations of the page are documented; either cursor or offset is understood.
        https://docs.mavera.io/api-reference/mave/list-mave-threads
        """
        query = {"limit": str(PAGE_SIZE)} | self._workspace | (page or {})
        return replies.thread_page(self._send("GET", "/mave/threads", params=query), page or {})

    def thread(self, thread_id: str) -> Thread:
        """GET /mave/threads/{id}: what was asked there and what was answered.

        https://docs.mavera.io/api-reference/mave/get-mave-thread
        """
        return replies.thread(self._send("GET", f"/mave/threads/{quote(thread_id, safe='')}"))

    def usage(self) -> Usage:
        """GET /usage: the credits that are left. Costs none, as far as is known.

        https://docs.mavera.io/api-reference/usage/get-usage-statistics
        """
        return replies.usage(self._send("GET", "/usage"))

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
                **content,
            )
        except http.NotSent as error:
            raise MaveError(f"Mavera cannot be reached: {error}", is_sent=False) from error
        except http.NoAnswer as error:
            is_paid = path == "/mave/chat"
            raise MaveError(
                f"Mavera did not answer: {error}", is_outcome_unknown=is_paid
            ) from error
        self.rate_limit = replies.rate_limit(reply)
        if not reply.is_success:
            raise replies.refusal(reply)
        return reply
