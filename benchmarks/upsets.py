"""What goes wrong at Customer.io and Mavera during the chaos, at random and as often as asked."""

import random
import time
from collections import Counter
from dataclasses import dataclass, field

from sandbox import Sandbox

PLENTY = 10**9  # credits
MOST_IN_WAITING = 2  # faults of one route: more would outlast the calm
EMPTY_EVERY = (60.0, 240.0)  # seconds between two times without credits
EMPTY_FOR = (5.0, 30.0)
STORM = (20.0, 60.0)  # seconds, and as long a calm in between
CHANCE_IN_STORM, CHANCE_IN_CALM = 0.5, 0.05  # of a new fault, each second and route

CHAT: dict[str, float] = {
    "429": 4, "500": 3, "502": 1, "503": 3, "504": 1, "hang": 2, "drop": 3, "html": 2, "empty": 1,
    "truncated": 3, "paid_then_dropped": 5, "lost": 1, "slow": 2, "403": 0.3,
}  # fmt: skip
READS: dict[str, float] = {
    "429": 2, "500": 2, "503": 2, "hang": 1, "drop": 2, "html": 1, "truncated": 1,
}  # fmt: skip
LOOK_UPS: dict[str, float] = {"429": 3, "500": 1, "503": 3, "hang": 1, "drop": 3}
ROUTES: dict[str, tuple[float, dict[str, float]]] = {
    "mave/chat": (1.0, CHAT),
    "mave/threads": (0.3, READS),
    "usage": (0.2, READS),
    "customers/attributes": (0.1, LOOK_UPS),
}


@dataclass
class Upsets:
    """Scripts faults in the sandbox, in storms with calms in between; `tick` once a second."""

    sandbox: Sandbox
    random: random.Random
    counts: Counter[str] = field(default_factory=Counter)
    _is_storm: bool = True
    _turns_at: float = 0.0
    _credits_turn_at: float = 0.0

    def __post_init__(self) -> None:
        now = time.monotonic()
        self._turns_at = now + self.random.uniform(*STORM)
        self._credits_turn_at = now + self.random.uniform(*EMPTY_EVERY) / 4

    def tick(self) -> None:
        """Begin a storm or a calm if it is time, and perhaps add a fault to each route."""
        now = time.monotonic()
        if now >= self._turns_at:
            self._is_storm = not self._is_storm
            self._turns_at = now + self.random.uniform(*STORM)
        if now >= self._credits_turn_at:
            self._turn_credits(now)
        for route, (share, kinds) in ROUTES.items():
            chance = share * (CHANCE_IN_STORM if self._is_storm else CHANCE_IN_CALM)
            if self._in_waiting(route) < MOST_IN_WAITING and self.random.random() < chance:
                self._add(route, kinds)

    def end(self) -> None:
        """End all faults and fill the account."""
        self.sandbox.faults.clear()
        self.sandbox.credits = PLENTY

    def _turn_credits(self, now: float) -> None:
        """Now and then take all credits away, and give them back later."""
        if self.sandbox.credits == PLENTY:
            self.sandbox.credits = self.sandbox.credits_used
            self.counts["mave/chat 402 until paid"] += 1
            self._credits_turn_at = now + self.random.uniform(*EMPTY_FOR)
        else:
            self.sandbox.credits = PLENTY
            self._credits_turn_at = now + self.random.uniform(*EMPTY_EVERY)

    def _in_waiting(self, route: str) -> int:
        return sum(1 for each in self.sandbox.faults.listing() if each["route"] == route)

    def _add(self, route: str, kinds: dict[str, float]) -> None:
        kind = self.random.choices(list(kinds), list(kinds.values()))[0]
        seconds = {
            "hang": self.random.uniform(1, 6),
            "paid_then_dropped": self.random.choice((0.0, self.random.uniform(1, 30))),
            "slow": self.random.uniform(5, 20),
        }.get(kind, 0.0)
        retry_after = self.random.choice((None, 1, 2, 5)) if kind == "429" else 1
        self.sandbox.faults.add(route, kind, seconds=seconds, retry_after=retry_after)
        self.counts[f"{route} {kind}"] += 1
