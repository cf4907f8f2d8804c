"""What was paid for each question. Only the provider knows this for certain."""

import re
import threading
from dataclasses import dataclass, replace

_REFERENCE = re.compile(r"^\s*Reference:.*$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Charge:
    """One question: its text without the line `Reference: ...`.

    `times` counts its charges. `answers` counts those whose answer can be read in a thread: from
    the second on they were paid for nothing. The other charges brought none.
    """

    question: str
    times: int = 0
    credits: int = 0
    answers: int = 0


class Charges:
    """All questions that were ever paid, in the order of their first charge."""

    def __init__(self) -> None:
        self._charges: dict[str, Charge] = {}
        self._lock = threading.Lock()

    def charged(self, message: str, cost: int) -> None:
        """Count a message that was accepted and paid."""
        self._change(message, times=1, credits=cost)

    def answered(self, message: str) -> None:
        """Count an answer that can be found in its thread from now on."""
        self._change(message, answers=1)

    def listing(self) -> list[Charge]:
        """One for each question, oldest first."""
        with self._lock:
            return list(self._charges.values())

    def _change(self, message: str, *, times: int = 0, credits: int = 0, answers: int = 0) -> None:
        question = _REFERENCE.sub("", message).strip()
        with self._lock:
            old = self._charges.get(question, Charge(question=question))
            self._charges[question] = replace(
                old,
                times=old.times + times,
                credits=old.credits + credits,
                answers=old.answers + answers,
            )
