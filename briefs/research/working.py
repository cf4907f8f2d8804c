"""What a research worker does: asks Mave one question, or looks for a lost answer."""

import logging
import time

from django.conf import settings
from django.db import transaction

from briefs.models import MaveCall, MaveHealth, Research
from briefs.research import balance, breaker, pacing, probing, recovery, settling
from providers.mavera import Mave, MaveError
from webhooks import waking
from webhooks.logs.ids import about

logger = logging.getLogger(__name__)

TASK = "briefs.tasks.research"
SHORT_HOLD_SECONDS = 20.0


def wake() -> int:
    """Wake as many research workers as have something to do; returns how many.

    A wake-up that nobody has taken yet is one of them. Otherwise each call would leave more of them
    than it takes, and after a hundred questions workers would be woken for nothing for a minute.
    """
    workers: int = settings.Q_CLUSTER["ALT_CLUSTERS"]["research"]["workers"]
    wanted = min(pacing.workers_wanted(), workers)
    if wanted:
        wanted -= waking.waiting("research")
    woken = 0
    while woken < wanted and waking.wake(TASK, "research"):  # stops at the first failure
        woken += 1
    return woken


def run_next() -> bool:
    """Ask Mave the most urgent due question, or look for a lost answer; False if neither may be.

    Makes at most one paid call. No transaction is open while Mave works.
    """
    is_resumed = probing.probe()
    claimed = pacing.claim_next()
    if claimed is None:
        balance.read_if_due()
        return False
    try:
        if is_resumed:
            wake()  # the other workers too: this one is busy for a while
        with about(research=claimed.research.pk):
            if isinstance(claimed, pacing.Search):
                recovery.search(claimed)
            else:
                _ask(claimed)
    finally:
        wake()
    balance.read_if_due()
    return True


def work() -> None:
    """What a worker does when it is woken: one question or search, and it waits for a short hold.

    After the hold it wakes workers, which otherwise only the next sweep would do. While it waits,
    it uses none of the calls that Mave takes at once.
    """
    run_next()
    hold = MaveHealth.current().held_seconds
    if 0 < hold <= SHORT_HOLD_SECONDS and Research.objects.due().exists():
        time.sleep(hold)
        wake()


def _ask(ticket: pacing.Ticket) -> None:
    research, token, call = ticket.research, ticket.token, ticket.call
    if not ticket.is_good:  # frozen since the claim: another worker may have the question
        words = "the call was not made in time after its claim"
        with transaction.atomic():  # together, or the next call would count as a repeat of this one
            research.give_back(token, words)
            call.settle(MaveCall.Outcome.NOT_SENT, detail=words)
        return
    mave = Mave()
    try:
        answer = mave.chat(f"{research.question}\n\nReference: {call.reference}")
    except MaveError as error:
        logger.warning("research %d: %s", research.pk, error)
        settling.settle_error(research, token, call, error)
        breaker.after_error(error, mave.rate_limit)
    except BaseException:
        # Nothing is known of the call: the lease runs out, and then its answer is looked for.
        logger.exception("research %d was interrupted", research.pk)
        raise
    else:
        settling.save(research, token, call, answer)
        breaker.slow_down(mave.rate_limit)
