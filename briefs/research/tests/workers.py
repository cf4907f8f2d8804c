"""For tests: worker processes on the test's own database, and what they report."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import psutil
from django.conf import settings
from django.db import connection

PATIENCE = 300  # seconds to wait for a worker, on a busy machine


class Workers:
    """Starts workers of `step_worker.py`; each is known by its process id."""

    def __init__(self) -> None:
        self._news: dict[int, dict[str, Any]] = {}
        self._order: list[int] = []
        self._heard = threading.Condition()
        self._nursery = subprocess.Popen(
            [sys.executable, "-m", "briefs.research.tests.step_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings_test"},
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        for pid, news in self._news.items():
            if "ended" not in news:
                self.send(pid, signal.SIGKILL)
        self._nursery.stdin.close()
        self._nursery.wait(timeout=PATIENCE)

    def start(self, job: str = "run_next", step: str = "", **order: Any) -> int:
        """Start a worker and return its process id once it has begun."""
        known = set(self._order)
        order |= {"job": job, "step": step, "database": _database()}
        order["mavera"] = [settings.MAVERA_BASE_URL, settings.MAVERA_API_KEY]
        self._nursery.stdin.write(json.dumps(order) + "\n")
        self._nursery.stdin.flush()
        self.wait_until(lambda: len(self._order) > len(known), "a worker to begin")
        return next(pid for pid in self._order if pid not in known)

    def wait_until_at(self, pid: int, step: str) -> None:
        """Wait until the worker has stopped at the step. It reports the step just before."""
        self.wait_until(lambda: {"at", "ended"} & self._news[pid].keys(), f"the step “{step}”")
        assert self._news[pid].get("at") == step, self._news[pid]
        self._wait_until_stopped(pid)

    def result(self, pid: int) -> Any:
        """What its job returned, or what ended it in words."""
        self.wait_until(lambda: "ended" in self._news[pid], "a worker's end")
        return self._news[pid]["ended"]

    def kill(self, pid: int) -> None:
        self.send(pid, signal.SIGKILL)
        self.wait_until(lambda: _state(pid) in ("", psutil.STATUS_ZOMBIE), "the process to die")

    def stop(self, pid: int) -> None:
        self.send(pid, signal.SIGSTOP)
        self._wait_until_stopped(pid)

    def _wait_until_stopped(self, pid: int) -> None:
        self.wait_until(lambda: _state(pid) == psutil.STATUS_STOPPED, "the process to stop")

    @staticmethod
    def send(pid: int, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def _listen(self) -> None:
        for line in self._nursery.stdout:
            news = json.loads(line)
            with self._heard:
                pid = news.pop("pid")
                if news.pop("began", False):
                    self._order.append(pid)
                self._news.setdefault(pid, {}).update(news)
                self._heard.notify_all()

    def wait_until(self, holds: Any, what: str) -> None:
        end = time.monotonic() + PATIENCE
        with self._heard:
            while not holds():
                assert time.monotonic() < end, f"waited too long for {what}: {self._news}"
                self._heard.wait(0.01)


def _state(pid: int) -> str:
    """Empty if there is no such process."""
    try:
        return psutil.Process(pid).status()
    except psutil.NoSuchProcess:
        return ""


def _database() -> dict[str, Any]:
    """How a worker reaches the database of this very test."""
    shown = connection.settings_dict
    wanted = ("OPTIONS", "USER", "PASSWORD", "HOST", "PORT")
    return {"NAME": str(shown["NAME"]), **{key: shown[key] for key in wanted}}
