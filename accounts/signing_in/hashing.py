"""Passwords are hashed by two threads of their own, which give way to everything else.

A hash takes a core for a third of a second. Many log-ins at once must not take the processor from
the receiver, nor all threads of the pages: who comes too many is asked to try again.
"""

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.contrib.auth.hashers import PBKDF2PasswordHasher

THREADS = 2
PLACES = 4  # hashes that run or wait; each holds a thread of the pages
NICENESS = 10


class TooManyAtOnce(Exception):
    """More passwords are being checked than there are places; the page says so with a 503."""


def _give_way() -> None:
    with contextlib.suppress(OSError, AttributeError):  # a system that knows no niceness of threads
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="hashing", initializer=_give_way)
_places = threading.BoundedSemaphore(PLACES)


class PBKDF2(PBKDF2PasswordHasher):
    """Django's hasher and its hashes, two at a time. Raises TooManyAtOnce."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        if not _places.acquire(blocking=False):
            raise TooManyAtOnce
        try:
            hashed: Any = _pool.submit(super().encode, password, salt, iterations).result()
            return str(hashed)
        finally:
            _places.release()
