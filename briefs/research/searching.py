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

CLOCKS_DIFFER = timedelta(minutes=10)  # Mavera's and ours, at most
TELLING = 60  # characters of a question, to know it by
LONGEST_SECONDS = 120.0  # of one search; the next goes on where it ended
MOST_PAGES = 20  # of threads, likewise
SHORT_HOLD_SECONDS = 10.0  # is waited for: a search takes nobody's place
# Answers that are about this page or thread: another one may well be read.
_UNREADABLE = (200, 400, 401, 403, 404, 500)
_MANY = "there are many threads, and the search goes on soon"


class Interrupted(Exception):
    """The search must go on later; the message says why.

    http_status, code: of Mavera's answer, if it gave one. is_ours: we did not even ask it.
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
    """Reads threads until one carries the call's reference; each request with leave of its own.

    `research.searched` and `search_page` keep what was looked into, for the next search. An answer
    to an earlier call that was lost as well is as good: `call` is then that one.
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
            if thread and self._is_ours(thread):
                self._research.thread_id = thread_id
                return thread
            if thread and thread.questions:
                self._research.searched.append(thread_id)
        if self._unreadable:  # it may be the very one
            raise self._unreadable
        return None

    def _is_ours(self, thread: Thread) -> bool:
        """Whether the call began it: others, and later questions, may quote its reference."""
        asked = " ".join(thread.questions[0].split()) if thread.questions else ""
        words = " ".join(self._research.question.split())[:TELLING]
        if not asked.startswith(words):
            return False
        if thread.answer.content:
            for earlier in self._earlier:
                if earlier.reference in asked:
                    self.call = earlier
        return self.call.reference in asked

    def _candidates(self) -> Iterator[str]:
        """Threads that may have been begun by the call, newest first. Raises Interrupted."""
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._request(self._mave.threads, self._research.search_page)
            earliest, latest = self._span()
            fresh = [thread for thread in page.threads if thread[0] not in seen]
            seen.update(thread_id for thread_id, _ in fresh)
            yield from (
                thread_id for thread_id, at in fresh if at is None or earliest <= at <= latest
            )
            # A list may turn in circles.
            is_end = page.next is None or not fresh or _ends_before(page, earliest)
            self._research.search_page = None if is_end else page.next
            if is_end:
                return
        raise Interrupted(_MANY, is_ours=True)

    def _span(self) -> tuple[datetime, datetime]:
        """When its thread was begun, at the earliest and at the latest, by Mavera's clock."""
        ahead = self._mave_is_ahead()
        longest = timedelta(seconds=DEADLINE_SECONDS) + CLOCKS_DIFFER
        return self._begun_at + ahead - CLOCKS_DIFFER, self.call.started_at + ahead + longest

    def _mave_is_ahead(self) -> timedelta:
        """Of the database's clock; threads are dated by Mavera's."""
        told = self._mave.told_at
        return timedelta(0) if told is None else told - database_now()

    def _read(self, thread_id: str) -> Thread | None:
        """The thread; None if it is gone, or if it alone cannot be read."""
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
        row = self._leave_to_read()
        if not pacing.may_send(row):
            raise Interrupted("the search goes on soon", is_ours=True)
        try:
            found = send(argument)
        except MaveError as error:
            probing.settle_read(row, self._mave, error, may_pause=False)
            raise Interrupted(error.words, error.http_status, code=error.code) from error
        probing.settle_read(row, self._mave)
        return found

    def _leave_to_read(self) -> MaveCall:
        """A row in the ledger for the next request; waits for it if Mavera asked for seconds."""
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
    """Whether a list that begins with the newest has come to threads from before that."""
    moments = [at for _, at in page.threads if at is not None]
    return bool(moments) and moments[-1] < moment and moments[-1] <= moments[0]
