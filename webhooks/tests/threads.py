"""Runs work in many threads at the same moment, each with a connection of its own."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Call `work` with 0, 1, … `count` - 1, each in its own thread; returns their results in order.

    Raises the first exception of a thread, rather than one that only waited for the others.
    """
    starting = threading.Barrier(count)

    def run(number: int) -> Any:
        try:
            connection.ensure_connection()
            starting.wait(timeout=120)
            return work(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(run, number) for number in range(count)]
    errors = [error for future in futures if (error := future.exception())]
    for error in sorted(errors, key=lambda e: isinstance(e, threading.BrokenBarrierError)):
        raise error  # BrokenBarrierError comes last: it only says that another thread failed
    return [future.result() for future in futures]


class Aside:
    """Runs `work` in another thread at once; `result` waits a minute for what it returns."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._pool = ThreadPoolExecutor(1)
        self._future = self._pool.submit(self._run)

    @property
    def result(self) -> Any:
        self._pool.shutdown(wait=False)  # the thread may wait for a lock of the caller
        return self._future.result(timeout=60)

    def wait_until_blocked(self) -> None:
        """Return once a connection waits for a lock of this database (PostgreSQL only)."""
        waiting = """SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
                     WHERE datname = current_database() AND NOT granted"""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(waiting)
                if cursor.fetchone()[0]:
                    return
            assert not self._future.done(), "it did not have to wait"
            time.sleep(0.01)
        raise AssertionError("nothing waits for a lock")

    def _run(self) -> Any:
        try:
            return self._work()
        finally:
            connection.close()
