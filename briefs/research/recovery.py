"""Looks for an answer that did not arrive: it may be paid already, and be in one of Mave's threads.

Mavera has no idempotency key. But each question contains a reference of its own, and the threads
can be read for free. A question is paid once more only when they do not hold the answer.
"""

from datetime import timedelta

from django.db import transaction
from django.db.models.functions import Now

from briefs.models import MaveCall, MaveHealth, ResearchPolicy
from briefs.research import pacing, settling
from briefs.research.searching import Interrupted, Searcher
from providers.mavera import GATEWAY_GAVE_UP

SEARCH_FOR = timedelta(minutes=5)  # after the call's start, for a thread to appear
WAIT_FOR = timedelta(minutes=15)  # after the call's start, for the answer in its thread
PAUSE = timedelta(seconds=20)  # between two searches
GIVE_UP_AFTER = timedelta(days=1)  # if Mavera's threads cannot be read at all
MOST_TIMES_PAID = 2  # until a person starts the question again


def search(found: pacing.Search) -> None:
    """Search once, and save the answer, put the search off, or let the question be paid again."""
    research, token, call = found.research, found.token, found.call
    # Judged before the search. A search that goes on in a long list began some minutes earlier.
    is_last = _is_older(call, 2 * SEARCH_FOR if research.search_page else SEARCH_FOR)
    searcher = Searcher(research, call)
    try:
        thread = searcher.find()
    except Interrupted as error:
        if not error.is_ours and _cannot_be_read(found):
            words = f"Its answer is lost, and Mave's threads cannot be read: {error}"
            research.fail(token, words, mavera_code=error.code or None)
        else:
            words = f"Looking for a lost answer: {error}"
            research.search_again(token, words, PAUSE, code=error.code)
        return
    if thread and thread.answer.content:
        settling.save(research, token, searcher.call, thread.answer, is_recovered=True)
    elif thread and thread.is_answered and call.outcome == MaveCall.Outcome.ANSWERED:
        _ask_once_more(found, "Mave's answer is empty")
    elif thread and not _is_older(call, WAIT_FOR):
        words = "Mave has not finished the answer in its thread yet"
        research.search_again(token, words, PAUSE, is_busy=True)
    elif thread:
        _ask_once_more(found, "Mave never finished its answer")
    elif is_last and call.http_status in GATEWAY_GAVE_UP:
        _try_again_unpaid(found)
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
def _try_again_unpaid(found: pacing.Search) -> None:
    """A gateway answered in Mave's place, and Mave has no thread: nothing can have been charged.

    So the question is tried again as after any other fault; a trial uses up no try.
    """
    research, call = found.research, found.call
    words = f"{call.detail}, and Mave never began it"
    if MaveHealth.current().is_trial(call):
        is_ours = research.give_back(found.token, words)
    else:
        is_ours = research.try_again(found.token, words)
    if is_ours:
        call.disprove()


def _cannot_be_read(found: pacing.Search) -> bool:
    """Whether reads of this search have failed for a day, or for a day since the last pause."""
    since = found.call.started_at
    resumptions = ResearchPolicy.history.filter(history_change_reason=ResearchPolicy.Change.RESUMED)
    if resumed := resumptions.first():
        since = max(since, resumed.history_date)
    failed = found.research.calls.filter(
        purpose=MaveCall.Purpose.THREADS,
        outcome__in=(MaveCall.Outcome.REFUSED, MaveCall.Outcome.NOT_SENT),
        started_at__gte=since,
    )
    return failed.filter(started_at__lte=Now() - GIVE_UP_AFTER).exists()


def _is_older(call: MaveCall, age: timedelta) -> bool:
    return MaveCall.objects.filter(pk=call.pk, started_at__lte=Now() - age).exists()
