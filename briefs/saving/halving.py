"""Tells Customer.io about many at once, and finds those alone that it refuses.

It refuses a whole request for one bad identifier, and does not say which one that is.
"""

import math
import time
from collections.abc import Callable
from typing import TypeVar

from providers.customerio_track import Refused

T = TypeVar("T")

MOST_REFUSALS = 30  # of one batch: enough to find three bad ids in a thousand


def tell(
    request: Callable[[list[T]], None],
    batch: list[T],
    *,
    done: Callable[[list[T]], None],
    refused: Callable[[T, Refused], None],
    put_off: Callable[[list[T]], None],
    stop_at: float = math.inf,
) -> None:
    """Make the request; where it is refused, halve it until the bad ones stand alone.

    put_off: gets those who were not asked about, since too many requests were refused. When the
    time is used up, the rest is left to the next run. Raises whatever else the request raises.
    """
    batches, refusals, has_less_to_do = [batch], 0, False
    while batches:
        if has_less_to_do and time.monotonic() >= stop_at:  # else each run began the same halving
            return
        some = batches.pop()
        if refusals >= MOST_REFUSALS:
            put_off(some)
            continue
        try:
            request(some)
        except Refused as error:
            refusals += 1
            if len(some) == 1:
                refused(some[0], error)
                has_less_to_do = True
            else:
                middle = len(some) // 2
                batches += [some[middle:], some[:middle]]
        else:
            done(some)
            has_less_to_do = True
