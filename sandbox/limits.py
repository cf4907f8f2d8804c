"""A rate limit over a sliding window, as both vendors describe theirs, and the busiest window."""

import threading
import time
from collections import deque
from collections.abc import Callable


class SlidingWindow:
    """Counts the requests admitted in the last `seconds`; refused ones do not count."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._admitted: deque[float] = deque()
        self._lock = threading.Lock()

    def admit(self, limit: int) -> float | None:
        """Count a request and return None, or return the seconds until there is room for it."""
        with self._lock:
            now = self._forget_old()
            if len(self._admitted) < limit:
                self._admitted.append(now)
                return None
            return self._until_room(now, limit)

    def remaining(self, limit: int) -> int:
        """How many more requests would be admitted right now."""
        with self._lock:
            self._forget_old()
            return max(0, limit - len(self._admitted))

    def resets_in(self) -> float:
        """Seconds until the oldest counted request leaves the window; 0.0 when it is empty."""
        with self._lock:
            now = self._forget_old()
            return self._admitted[0] + self.seconds - now if self._admitted else 0.0

    def _forget_old(self) -> float:
        now = self._clock()
        while self._admitted and self._admitted[0] <= now - self.seconds:
            self._admitted.popleft()
        return now

    def _until_room(self, now: float, limit: int) -> float:
        if limit < 1:
            return self.seconds
        # After the limit was lowered, more than `limit` requests may be in the window.
        return self._admitted[len(self._admitted) - limit] + self.seconds - now


class Busiest:
    """The largest number of requests that came in within any `seconds`, refused ones included."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: deque[float] = deque()
        self._lock = threading.Lock()
        self.most = 0

    def note(self, seconds: float) -> None:
        """Count a request that has come in."""
        with self._lock:
            now = self._clock()
            while self._seen and self._seen[0] <= now - seconds:
                self._seen.popleft()
            self._seen.append(now)
            self.most = max(self.most, len(self._seen))
