"""Reads Mave's threads for the one that a lost call began, and for the answer in it."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from briefs.models import MaveCall, MaveHealth, Research
from briefs.research import pacing, probing
from providers.mavera import DEADLINE_SECONDS, Mave, MaveError, Thread, ThreadPage
from webhooks.clock import database_now

A = TypeVar("A")
R = TypeVar("R")

CLOCKS_DIFFER = timedelta(minutes=10)  # Mavera's clock from ours, at most
FIRST_CHARACTERS = 60  # of a question: a thread whose question begins otherwise is another's
LONGEST_SECONDS = 120.0  # of one search; the next search goes on where this one ended
MOST_PAGES = 20  # of threads in one search; the next search goes on as well
SHORT_HOLD_SECONDS = 10.0  # a search waits so long itself: it keeps no question from being asked
# Statuses that may be about one thread only, so that other threads can be read.
_UNREADABLE = (200, 400, 401, 403, 404, 500)
_MANY = "there are many threads, and the search goes on soon"


class Interrupted(Exception):
    """The search must go on later; the message says why.

    http_status, code: of Mavera's answer, if it gave one. is_ours: our own limits ended the search.
    """

    def __init__(
        self,
        message: str,
        http_status: int | None = None,
        *,
        code: str = "",
        is_ours: bool = False,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.is_ours = is_ours


class Searcher:
    """Reads threads until one contains the call's reference. Each request is in the ledger.

    `research.searched` and `search_page` keep what was read, for the next search. An answer to an
    earlier call of this research that was lost as well is accepted: then `call` is that call.
    """

    def __init__(self, research: Research, call: MaveCall) -> None:
        self._mave = Mave()
        self._research, self.call = research, call
        lost = research.calls.chats().filter(outcome=MaveCall.Outcome.UNKNOWN)
        self._earlier = list(lost.exclude(pk=call.pk))
        self._begun_at = min(one.started_at for one in (call, *self._earlier))
        self._stop_at = time.monotonic() + LONGEST_SECONDS
        self._unreadable: Interrupted | None = None

    def find(self) -> Thread | None:
        """The call's thread, answered or not; None if there is none. Raises Interrupted."""
        if self._research.thread_id and (thread := self._read(self._research.thread_id)):
            return thread
        others = MaveCall.objects.filter(started_at__gte=self._begun_at - CLOCKS_DIFFER)
        others = others.exclude(pk=self.call.pk)
        passed_over = {*others.values_list("thread_id", flat=True), *self._research.searched}
        for thread_id in self._candidates():
            if thread_id in passed_over:
                continue
            thread = self._read(thread_id)
            if thread and self._began_with_call(thread):
                self._research.thread_id = thread_id
                return thread
            if thread and thread.questions:
                self._research.searched.append(thread_id)
        if self._unreadable:  # the lost answer may be in that thread
            raise self._unreadable
        return None

    def _began_with_call(self, thread: Thread) -> bool:
        """Whether the call's question is the thread's first one.

        Other threads, and later questions in a thread, may quote the reference.
        """
        asked = " ".join(thread.questions[0].split()) if thread.questions else ""
        words = " ".join(self._research.question.split())[:FIRST_CHARACTERS]
        if not asked.startswith(words):
            return False
        if thread.answer.content:
            for earlier in self._earlier:
                if earlier.reference in asked:
                    self.call = earlier
        return self.call.reference in asked

    def _candidates(self) -> Iterator[str]:
        """Threads that the call may have begun, in Mavera's order. Raises Interrupted."""
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._request(self._mave.threads, self._research.search_page)
            earliest, latest = self._span()
            fresh = [thread for thread in page.threads if thread[0] not in seen]
            seen.update(thread_id for thread_id, _ in fresh)
            yield from (
                thread_id for thread_id, at in fresh if at is None or earliest <= at <= latest
            )
            # A list may repeat its pages without end: then no thread of a page is fresh.
            is_end = page.next is None or not fresh or _ends_before(page, earliest)
            self._research.search_page = None if is_end else page.next
            if is_end:
                return
        raise Interrupted(_MANY, is_ours=True)

    def _span(self) -> tuple[datetime, datetime]:
        """When the call's thread began, at the earliest and at the latest, by Mavera's clock."""
        told = self._mave.told_at  # Mavera's clock may be far ahead of the database's, or behind
        ahead = timedelta(0) if told is None else told - database_now()
        longest = timedelta(seconds=DEADLINE_SECONDS) + CLOCKS_DIFFER
        return self._begun_at + ahead - CLOCKS_DIFFER, self.call.started_at + ahead + longest

    def _read(self, thread_id: str) -> Thread | None:
        """The thread; None if it is gone, or if it is the first one that cannot be read."""
        try:
            return self._request(self._mave.thread, thread_id)
        except Interrupted as error:
            if error.http_status == 404:
                return None
            if error.http_status not in _UNREADABLE or self._unreadable:
                raise
            self._unreadable = error
            return None

    def _request(self, send: Callable[[A], R], argument: A) -> R:
        """Make one request. Raises Interrupted."""
        row = self._enter_read()
        if not pacing.may_send(row):
            raise Interrupted("the search goes on soon", is_ours=True)
        try:
            found = send(argument)
        except MaveError as error:
            probing.settle_read(row, self._mave, error, may_pause=False)
            raise Interrupted(error.words, error.http_status, code=error.code) from error
        probing.settle_read(row, self._mave)
        return found

    def _enter_read(self) -> MaveCall:
        """Enter the next request in the ledger; waits first if Mavera asked for a few seconds."""
        while time.monotonic() < self._stop_at:
            row = pacing.admit_read(MaveCall.Purpose.THREADS, self._research)
            if row is not None:
                return row
            hold = MaveHealth.current().held_seconds
            if not 0 < hold <= SHORT_HOLD_SECONDS:
                words = "Mavera's requests are used up or held back for the moment"
                raise Interrupted(words, is_ours=True)
            time.sleep(hold)
        raise Interrupted(_MANY, is_ours=True)


def _ends_before(page: ThreadPage, moment: datetime) -> bool:
    """Whether a list, newest thread first, has come to threads from before `moment`."""
    moments = [at for _, at in page.threads if at is not None]
    return bool(moments) and moments[-1] < moment and moments[-1] <= moments[0]
