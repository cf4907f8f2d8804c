"""Looks for an answer that was asked for and did not arrive: it may be paid, and lies in a thread.

Mavera knows no idempotency key, but each question carries a reference of its own, and her threads
can be read for free. A question is paid once more only when they do not hold the answer.
"""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TypeVar

from django.db import transaction
from django.db.models.functions import Now

from briefs.asking import answers, breaker, pacing, probing
from briefs.asking.mave import DEADLINE_SECONDS, GATEWAY_GAVE_UP, Mave, MaveError, Thread
from briefs.health import database_now
from briefs.models import MaveCall, MaveHealth, Research, ResearchPolicy

A = TypeVar("A")
R = TypeVar("R")

SEARCH_FOR = timedelta(minutes=5)  # after the call's start, for a thread to appear
WAIT_FOR = timedelta(minutes=15)  # after the call's start, for the answer in its thread
PAUSE = timedelta(seconds=20)  # between two searches
CLOCKS_DIFFER = timedelta(minutes=10)  # Mavera's and ours, at most
TELLING = 60  # characters of a question, to know it by
LONGEST_SECONDS = 120.0  # of one search; the next goes on where it ended
GIVE_UP_AFTER = timedelta(days=1)  # if Mavera's threads cannot be read at all
MOST_PAGES = 20  # of threads; ours is among the newest
SHORT_HOLD_SECONDS = 10.0  # is waited for: a search takes nobody's place
MOST_TIMES_PAID = 2  # for one start: the first time, and once more
# Answers that are about this page or thread: another one may well be read.
_UNREADABLE = (200, 400, 401, 403, 404, 500)


class _Interrupted(Exception):
    """The search must go on later; the message says why.

    http_status: of Mavera's answer, if she gave one. is_ours: we did not even ask her.
    """

    def __init__(
        self, message: str, http_status: int | None = None, *, is_ours: bool = False
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.is_ours = is_ours


def search(found: pacing.Search) -> None:
    """Search once, and save the answer, put the search off, or let the question be paid again."""
    research, token, call = found.research, found.token, found.call
    is_last = _is_older(call, SEARCH_FOR)  # as of before the search
    searcher = _Searcher(research, call)
    try:
        thread = searcher.find()
    except _Interrupted as error:
        if not error.is_ours and _cannot_be_read(found):
            research.fail(token, f"Its answer is lost, and Mave's threads cannot be read: {error}")
        else:
            research.search_again(token, f"Looking for a lost answer: {error}", PAUSE)
        return
    if thread and thread.answer.content:
        answers.save(research, token, searcher.call, thread.answer, is_recovered=True)
    elif thread and thread.is_answered and call.outcome == MaveCall.Outcome.ANSWERED:
        _ask_once_more(found, "Mave's answer is empty")
    elif thread and not _is_older(call, WAIT_FOR):
        words = "Mave has not finished her answer in its thread yet"
        research.search_again(token, words, PAUSE, is_busy=True)
    elif thread:
        _ask_once_more(found, "Mave never finished her answer")
    elif is_last and call.http_status in GATEWAY_GAVE_UP:
        _never_begun(found)
    elif is_last:
        _ask_once_more(found, "the answer is in none of Mave's threads")
    else:
        words = f"{call.detail or 'the answer was lost'}: looking for it in Mave's threads"
        research.search_again(token, words, PAUSE)


def _ask_once_more(found: pacing.Search, why: str) -> None:
    research = found.research
    since = research.restarted_at or research.created_at
    if research.calls.maybe_paid().filter(started_at__gte=since).count() >= MOST_TIMES_PAID:
        research.fail(found.token, f"Asked twice, and without an answer both times: {why}")
    else:
        research.ask_again(found.token, f"Asked once more, perhaps for a second price: {why}")


@transaction.atomic
def _never_begun(found: pacing.Search) -> None:
    """A gateway answered in Mave's place, and she has no thread: nothing can have been charged.

    So an outage behind a gateway is like any other: it costs no credits, and a trial no try.
    """
    research, call = found.research, found.call
    words = f"{call.detail}, and Mave never began it"
    if breaker.is_trial(call, MaveHealth.current()):
        is_ours = research.give_back(found.token, words)
    else:
        is_ours = research.try_again(found.token, words)
    if is_ours:
        call.disprove()


def _cannot_be_read(found: pacing.Search) -> bool:
    """Whether reads of this search have failed for a day, of which nothing was a pause."""
    since = found.call.started_at
    if resumed := ResearchPolicy.history.filter(history_change_reason="resumed").first():
        since = max(since, resumed.history_date)
    failed = found.research.calls.filter(
        purpose=MaveCall.Purpose.THREADS,
        outcome__in=(MaveCall.Outcome.REFUSED, MaveCall.Outcome.NOT_SENT),
        started_at__gte=since,
    )
    return failed.filter(started_at__lte=Now() - GIVE_UP_AFTER).exists()


def _is_older(call: MaveCall, age: timedelta) -> bool:
    return MaveCall.objects.filter(pk=call.pk, started_at__lte=Now() - age).exists()


class _Searcher:
    """Reads threads until one carries the call's reference; each request with leave of its own.

    `research.searched` keeps what was looked into, for the next search. An answer to an earlier
    call that was lost as well is as good: `call` is then that one.
    """

    def __init__(self, research: Research, call: MaveCall) -> None:
        self._mave = Mave()
        self._research, self.call = research, call
        lost = research.calls.chats().filter(outcome=MaveCall.Outcome.UNKNOWN)
        self._earlier = list(lost.exclude(pk=call.pk))
        self._begun_at = min(one.started_at for one in (call, *self._earlier))
        self._stop_at = time.monotonic() + LONGEST_SECONDS
        self._unreadable: _Interrupted | None = None

    def find(self) -> Thread | None:
        """The call's thread, answered or not; None if there is none. Raises _Interrupted."""
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
        """Threads that may have been begun by the call, newest first."""
        query: dict[str, str] | None = None
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            page = self._request(self._mave.threads, query)
            ahead = self._mave_is_ahead()
            earliest = self._begun_at + ahead - CLOCKS_DIFFER
            longest = timedelta(seconds=DEADLINE_SECONDS) + CLOCKS_DIFFER
            latest = self.call.started_at + ahead + longest
            fresh = [thread for thread in page.threads if thread[0] not in seen]
            seen.update(thread_id for thread_id, _ in fresh)
            yield from (
                thread_id for thread_id, at in fresh if at is None or earliest <= at <= latest
            )
            moments = [at for _, at in page.threads if at is not None]
            is_past = bool(moments) and moments[-1] < earliest and moments[-1] <= moments[0]
            if page.next is None or not fresh or is_past:  # a list may turn in circles
                return
            query = page.next

    def _mave_is_ahead(self) -> timedelta:
        """Of the database's clock; threads are dated by Mavera's."""
        told = self._mave.told_at
        return timedelta(0) if told is None else told - database_now()

    def _read(self, thread_id: str) -> Thread | None:
        """The thread; None if it is gone, or if it alone cannot be read."""
        try:
            return self._request(self._mave.thread, thread_id)
        except _Interrupted as error:
            if error.http_status == 404:
                return None
            if error.http_status not in _UNREADABLE or self._unreadable:
                raise
            self._unreadable = error
            return None

    def _request(self, send: Callable[[A], R], argument: A) -> R:
        """Make one request. Raises _Interrupted."""
        row = self._leave_to_read()
        if not pacing.is_fresh(row):  # frozen meanwhile
            row.settle(MaveCall.Outcome.NOT_SENT, detail="not made in time after its row")
            raise _Interrupted("the search goes on soon", is_ours=True)
        try:
            found = send(argument)
        except MaveError as error:
            probing.settle_read(row, self._mave, error, may_pause=False)
            raise _Interrupted(str(error), error.http_status) from error
        probing.settle_read(row, self._mave)
        return found

    def _leave_to_read(self) -> MaveCall:
        """A row in the ledger for the next request; waits for it if Mavera asked for seconds."""
        while time.monotonic() < self._stop_at:
            row = pacing.admit_read(MaveCall.Purpose.THREADS, self._research)
            if row is not None:
                return row
            hold = breaker.held_for(MaveHealth.current())
            if not 0 < hold <= SHORT_HOLD_SECONDS:
                words = "Mavera's requests are used up or held back for the moment"
                raise _Interrupted(words, is_ours=True)
            time.sleep(hold)
        raise _Interrupted("there are many threads, and the search goes on soon", is_ours=True)
