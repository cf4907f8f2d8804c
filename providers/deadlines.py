"""Work that may hang runs in a thread of its own, and its caller waits for a limited time.

A thread cannot be ended from outside. After the time limit the thread continues until its
work ends; the process can end without it.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")


class OutOfTime(Exception):
    """The work was not done in time. Its thread may still be working."""


def in_time(
    work: Callable[[], T], seconds: float, *, name: str, given_up: threading.Event | None = None
) -> T:
    """Return what the work returns, or raise what it raises, within `seconds`; else OutOfTime.

    name: the thread's name, for a person who inspects a process that hangs.
    given_up: set when the time is over, so that the work can stop before its next step.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller, who raises it
            outcome.set_exception(error)

    threading.Thread(target=run, name=name, daemon=True).start()
    wait([outcome], timeout=seconds)
    if outcome.done():
        return outcome.result()
    if given_up is not None:
        given_up.set()
    raise OutOfTime(f"not done within {seconds:.3g} s")
