"""Workers as processes of their own, which stop at a step that a test names.

`python -m briefs.research.tests.step_worker` sets Django up once and then forks one worker
for each order: a line of JSON on its standard input. Workers report on its standard output that
they began, stopped or ended. The product has no hook for this: a worker wraps the function that
begins (or ends) its step.
"""

import json
import os
import random
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

STEPS = {
    # name: module, attribute, and whether it stops before or after the call
    "before the claim": ("briefs.research.pacing.claim_next", "before"),
    "policy locked": ("briefs.research.pacing.requests_left", "before"),
    "claimed": ("briefs.research.working._ask", "before"),
    "lease checked": ("providers.mavera.Mave.chat", "before"),
    "answered": ("briefs.research.settling.save", "before"),
    "saving": ("briefs.models.Research.finish", "after"),
    "saved": ("briefs.models.Research.briefs_rest_on_it", "before"),
    "upgraded": ("briefs.research.breaker.answered", "before"),
    "error in the ledger": ("briefs.research.breaker.failed", "before"),
    "not asked": ("briefs.models.MaveCall.settle", "before"),
    "search claimed": ("briefs.research.recovery.search", "before"),
    "read entered": ("providers.mavera.Mave.threads", "before"),
    "page listed": ("providers.mavera.Mave.threads", "after"),
    "thread read": ("providers.mavera.Mave.thread", "after"),
    "probe claimed": ("briefs.research.pacing.admit_read", "before"),
    "probe answered": ("providers.mavera.Mave.usage", "after"),
    "job claimed": ("briefs.reprocessing.working._begin", "before"),
    "events due": ("briefs.reprocessing.working.make_due", "after"),
    "briefs changed": ("briefs.pipeline.remapping.remap", "after"),
    "batch written": ("briefs.reprocessing.working._told", "before"),
    "renewing": ("briefs.research.sharing.open_or_join", "after"),
}


def main() -> None:
    import django

    django.setup()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system removes workers that ended
    for line in sys.stdin:
        if os.fork() == 0:
            _obey(json.loads(line))


def _obey(order: dict[str, Any]) -> None:
    """One worker: do the job of this order, report the result, and end the process."""
    try:
        _connect(order)
        if order.get("step"):
            _stop_at(order["step"])
        tell(began=True)
        result = JOBS[order["job"]](order)
        tell(ended=result)
    except BaseException as error:  # noqa: BLE001 - the test must hear of every error
        tell(ended=f"{type(error).__name__}: {error}")
    finally:
        os._exit(0)


def tell(**news: Any) -> None:
    """One line, written at once: those of several workers do not mix."""
    os.write(1, (json.dumps({"pid": os.getpid(), **news}) + "\n").encode())


def _connect(order: dict[str, Any]) -> None:
    from django.conf import settings
    from django.db import connections

    connections.settings["default"].update(order["database"])
    del connections["default"]
    settings.MAVERA_BASE_URL, settings.MAVERA_API_KEY = order["mavera"]


def _stop_at(step: str) -> None:
    """Stop the process when it first comes to this step, until SIGCONT or SIGKILL."""
    from django.utils.module_loading import import_string

    path, moment = STEPS[step]
    owner, name = path.rsplit(".", 1)
    try:
        holder = import_string(owner)
    except ImportError:
        holder = __import__(owner, fromlist=[name])
    work = getattr(holder, name)
    has_stopped = False

    def stop() -> None:
        nonlocal has_stopped
        if not has_stopped:
            has_stopped = True
            _shorten_its_transaction()
            tell(at=step)
            os.kill(os.getpid(), signal.SIGSTOP)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if moment == "before":
            stop()
        result = work(*args, **kwargs)
        if moment == "after":
            stop()
        return result

    setattr(holder, name, wrapped)


def _shorten_its_transaction() -> None:
    """Let PostgreSQL end this idle transaction at once. Others may be idle for a minute."""
    from django.db import connection

    if connection.vendor == "postgresql" and connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 100")


# What a worker may be told to do.


def run_next(order: dict[str, Any]) -> bool:
    from briefs.research import working

    if order.get("dawdles"):  # so slow after its claim that the call must not be made any more
        from django.db.models import F

        from briefs.models import MaveCall
        from briefs.research.pacing import SEND_WITHIN

        ask = working._ask

        def too_late(ticket: Any) -> None:
            MaveCall.objects.update(started_at=F("started_at") - 2 * SEND_WITHIN)
            ask(ticket)

        working._ask = too_late
    return working.run_next()


def renew(order: dict[str, Any]) -> str:
    from briefs.models import Brief
    from briefs.research.renewal import renew

    return renew(Brief.objects.get(pk=order["brief"]), None).value


def ask(order: dict[str, Any]) -> int:
    """Real calls, one after the other, until SIGTERM."""
    from briefs.research import working

    return sum(working.run_next() for _ in _until_told(order))


def _until_told(order: dict[str, Any]) -> Iterator[random.Random]:
    """One round after the other until SIGTERM, with a short random pause after each."""
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    chance = random.Random(order["seed"])
    while not told:
        yield chance
        time.sleep(chance.uniform(0, order["pause"]))


def hammer(order: dict[str, Any]) -> int:
    """Claim calls and end each after some milliseconds, without any network, until SIGTERM."""
    from briefs.models import MaveCall
    from briefs.research import pacing

    claimed = 0
    for chance in _until_told(order):
        if chance.random() < 0.2:
            purpose = chance.choice([MaveCall.Purpose.THREADS, MaveCall.Purpose.USAGE])
            read = pacing.admit_read(purpose)
            if read:
                read.settle(MaveCall.Outcome.ANSWERED, http_status=200)
        ticket = pacing.claim_next()
        if isinstance(ticket, pacing.Ticket):
            claimed += 1
            time.sleep(chance.uniform(0, 0.02))
            _end(ticket, chance)
    return claimed


def _end(ticket: Any, chance: random.Random) -> None:
    from briefs.research import settling
    from providers.mavera import Answer, MaveError

    credits = chance.choice([None, 10, 32, 75])
    if chance.random() < 0.8:
        sources = [{"title": "", "url": "", "domain": "", "snippet": ""}]
        answer = Answer("It is so.", sources, [], {}, uuid.uuid4().hex, credits, {})
        settling.save(ticket.research, ticket.token, ticket.call, answer)
    else:  # an error of this question alone: no other question waits for it
        error = MaveError("refused", is_permanent=True, http_status=400)
        settling.settle_error(ticket.research, ticket.token, ticket.call, error)


def reprocess(order: dict[str, Any]) -> bool:
    from briefs.reprocessing import working
    from webhooks import replay

    replay.CHUNK = working.BATCH = 2
    return working.run()


JOBS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "run_next": run_next,
    "renew": renew,
    "reprocess": reprocess,
    "ask": ask,
    "hammer": hammer,
}

if __name__ == "__main__":
    main()
