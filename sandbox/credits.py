"""Mavera's credits: what a message costs, and the balance that runs out.

Documentation: https://docs.mavera.io/guides/credits and https://docs.mavera.io/features/mave-agent.
"""

import threading

COMPLEXITIES = (
    ("SIMPLE", 400, 10, 15),
    ("MODERATE", 1_200, 20, 30),
    ("COMPLEX", 3_000, 30, 50),
    ("STRATEGIC", None, 40, 75),
)
"""Complexity, the message length in characters below which it applies, least and most credits.

The credits are documented; that length decides is ours, because it is easy to foresee in a test.
"""

CLARIFICATION_COST = 10


def price(message: str) -> tuple[str, int]:
    """Complexity and credits of a message: the same for the same length, always."""
    for complexity, shorter_than, least, most in COMPLEXITIES:
        if shorter_than is None or len(message) < shorter_than:
            return complexity, least + len(message) % (most - least + 1)
    raise AssertionError("the last complexity has no upper bound")


class Balance:
    """Credits used in this billing period, which lasts as long as the sandbox runs."""

    def __init__(self) -> None:
        self._used = 0
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """Credits used so far."""
        with self._lock:
            return self._used

    def charge(self, cost: int, included: int) -> bool:
        """Take the credits if that many are left of those included, else take none."""
        with self._lock:
            if self._used + cost > included:
                return False
            self._used += cost
            return True
