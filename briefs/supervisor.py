"""Runs the web server and both clusters, and restarts what dies or stops making progress.

Each service leads a process group of its own, so that nothing it started outlives it. A cluster
that looks alive but claims nothing while rows are due is killed whole and started again.
"""

import contextlib
import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from types import FrameType

from django.conf import settings
from django.db import DatabaseError, close_old_connections, connection

from briefs import progress
from briefs.notifying import alarms, outbox

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 0.5
CHECK_PROGRESS_EVERY_SECONDS = 15.0
STUCK_TIMES = 3  # in a row, before a cluster is killed: within two minutes in all
LONGEST_PAUSE_SECONDS = 30.0
STEADY_SECONDS = 60.0  # a service that ran this long starts anew without a pause
WORKERS_NICENESS = 5
_PR_SET_PDEATHSIG = 1


@dataclass
class Service:
    """One process group: how it starts, how long it may take to stop, when it counts as stuck."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    grace_seconds: float = 10.0
    is_receiver: bool = False  # a web server: workers give way to it, and stop before it
    is_stuck: Callable[[], bool] = lambda: False
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failures: int = 0
    times_stuck: int = 0

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def age(self) -> float:
        return time.monotonic() - self.started_at

    def start(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            env={**os.environ, **self.environment},
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=_die_with_parent if self.is_receiver else _die_with_parent_and_give_way,
        )
        self.started_at = time.monotonic()

    def ask_to_stop(self) -> None:
        if self.is_running and self.process:
            self.process.terminate()

    def kill(self) -> None:
        """End the whole group: workers that lost their parent too."""
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


class Supervisor:
    """Keeps services running until SIGTERM or Ctrl-C; a second one stops at once.

    SIGHUP reloads: the web server takes new workers in without refusing a request, the clusters
    finish what is under way and start anew.
    """

    def __init__(self, services: list[Service]) -> None:
        self.services = services
        self.stops_asked = 0
        self.reload_asked = False
        self._checked_at = time.monotonic()

    def run(self) -> None:
        """Start everything, watch it, and return once everything has stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._reload)
        for service in self.services:
            service.start()
            logger.info("%s started (process %d)", service.name, _pid(service))
        try:
            while not self.stops_asked:
                self.look()
                time.sleep(LOOK_EVERY_SECONDS)
        finally:
            self._wind_down()

    def look(self) -> None:
        """One round: start what is down, and now and then kill what is stuck."""
        if self.reload_asked:
            self.reload_asked = False
            self.reload()
        for service in self.services:
            if not service.is_running:
                self._restart(service)
        if time.monotonic() - self._checked_at >= CHECK_PROGRESS_EVERY_SECONDS:
            self._checked_at = time.monotonic()
            self.check_progress()

    def reload(self) -> None:
        logger.info("reloading")
        for service in self.services:
            if service.is_receiver and service.process and service.is_running:
                service.process.send_signal(signal.SIGHUP)
            else:
                service.ask_to_stop()  # it starts again once it has stopped

    def check_progress(self) -> None:
        """Kill what was found stuck several times in a row: research that was just resumed is due
        for long already, and its workers deserve the time to take it."""
        for service in self.services:
            is_due = service.is_running and service.age > STEADY_SECONDS
            service.times_stuck = service.times_stuck + 1 if is_due and _asks(service) else 0
            if service.times_stuck >= STUCK_TIMES:
                logger.error("%s is stuck: rows are due and none is claimed; killed", service.name)
                service.times_stuck = 0
                service.kill()
        speak_for_the_workers()

    def _restart(self, service: Service) -> None:
        if service.process is not None:
            code = service.process.poll()
            service.kill()  # what it left behind
            service.process = None
            service.failures = 0 if service.age > STEADY_SECONDS else service.failures + 1
            pause = min(2.0**service.failures / 2, LONGEST_PAUSE_SECONDS)
            service.start_again_at = time.monotonic() + pause
            logger.error("%s ended with %s; starts again in %.0f s", service.name, code, pause)
        if time.monotonic() >= service.start_again_at:
            service.start()
            logger.info("%s started again (process %d)", service.name, _pid(service))

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stops_asked += 1

    def _reload(self, number: int, frame: FrameType | None) -> None:
        self.reload_asked = True

    def _wind_down(self) -> None:
        """Stop in reverse order: the receiver goes on until the workers are done."""
        logger.info("stopping; what is under way may finish (stop again to end it now)")
        self._stop_together([service for service in self.services if not service.is_receiver])
        self._stop_together([service for service in self.services if service.is_receiver])
        logger.info("stopped")

    def _stop_together(self, services: list[Service]) -> None:
        began = time.monotonic()
        for service in services:
            service.ask_to_stop()
        while any(service.is_running for service in services) and self.stops_asked < 2:
            for service in services:
                if time.monotonic() - began > service.grace_seconds:
                    service.kill()
            time.sleep(0.1)
        for service in services:
            service.kill()


def services(host: str, *, with_web: bool = True) -> list[Service]:
    """The services of one host: the web server unless told otherwise, and the two clusters."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    clusters = [
        Service(
            "queue",
            [*manage, "qcluster"],
            {"Q_CLUSTER_NAME": "default"},
            grace_seconds=settings.DRAIN_TIMEOUT_SECONDS,
            is_stuck=progress.is_drain_stuck,
        ),
        Service(
            "research",
            [*manage, "qcluster"],
            {"Q_CLUSTER_NAME": "research"},
            grace_seconds=settings.RESEARCH_TIMEOUT_SECONDS,  # a call under way is paid for
            is_stuck=progress.is_research_stuck,
        ),
    ]
    return (
        [Service("web", web_command(host), is_receiver=True), *clusters] if with_web else clusters
    )


def web_command(host: str) -> list[str]:
    # Threads mostly wait for the commit that they share. SQLite has one writer at a time, and
    # processes that wait for it poll: one process writes faster than two.
    workers = "1" if connection.vendor == "sqlite" else "2"
    return [
        *(sys.executable, "-m", "granian"),
        *("--interface", "wsgi", "--no-ws", "--http", "1"),
        *("--host", host, "--port", str(settings.PORT)),
        *("--workers", workers, "--blocking-threads", "16", "--respawn-failed-workers"),
        *("--workers-kill-timeout", "30"),
        *("--log-level", "error"),
        "config.wsgi:application",
    ]


def speak_for_the_workers() -> None:
    """Look for trouble and tell of it where no worker does: alarms come from the sweep else."""
    try:
        if progress.nobody_sweeps():
            alarms.sweep()
            outbox.send_due()
    except DatabaseError as error:
        logger.warning("alarms cannot be checked: %s", type(error).__name__)
        connection.close()


def _asks(service: Service) -> bool:
    close_old_connections()
    try:
        return service.is_stuck()
    except DatabaseError as error:  # a database that is away is no fault of the cluster
        logger.warning("progress cannot be read: %s", type(error).__name__)
        connection.close()
        return False


def _die_with_parent() -> None:
    """Ask Linux to stop a service whose supervisor was killed; elsewhere it stays behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _die_with_parent_and_give_way() -> None:
    """Workers yield the processor to the receiver: acknowledging comes before processing."""
    _die_with_parent()
    os.nice(WORKERS_NICENESS)


def _pid(service: Service) -> int:
    return service.process.pid if service.process else 0
