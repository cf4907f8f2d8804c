"""What one host runs: the web server and two clusters, each leading a process group of its own,
so that nothing it started outlives it."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection

from operations import progress
from operations.supervising import bringing, groups
from operations.supervising.beats import Beats
from operations.troubles import Kind, look

TRUST_SECONDS = 45.0  # for a new service to show progress; schedules first run after 30
LONGEST_TRUST_SECONDS = 240.0  # after several kills, because killing may not help
LONGEST_DEATH_SECONDS = 2.0
WORKERS_NICENESS = 5
_PR_SET_PDEATHSIG = 1
# Looked up here, because after a fork it could wait for a lock that the messenger's thread held.
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass
class Service:
    """One process group: how it starts, how long it may take to stop, what its progress is."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    grace_seconds: float = 10.0
    is_receiver: bool = False  # a web server: workers give way to it, and stop before it
    trouble: Callable[[], str] = lambda: ""  # why the rows say that it is stuck, or empty
    is_paying: Callable[[], bool] = lambda: False  # whether a paid call or a message is under way
    wake_up: Callable[[Beats], object] | None = None  # gives it something to do
    # Gives it what is due in the rows and nobody takes; returns whether there was any.
    bring: Callable[[Beats], bool] | None = None
    process: subprocess.Popen[bytes] | None = None
    group: int | None = None
    # Groups that a killed supervisor left behind, and when each is killed.
    adopted: dict[int, float] = field(default_factory=dict)
    beats: Beats = field(default_factory=Beats)
    started_at: float = 0.0
    start_again_at: float = 0.0
    trusted_until: float = 0.0
    end_by: float | None = None  # it was asked to end, and is killed at this time
    failures: int = 0  # in a row, each soon after the start
    times_stuck: int = 0  # looks in a row
    kills: int = 0  # in a row, without progress between them

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def age(self) -> float:
        return time.monotonic() - self.started_at

    @property
    def is_stopped(self) -> bool:
        return self.group is not None and groups.is_stopped(self.group)

    @property
    def is_silent(self) -> bool:
        """Whether its workers take no task, not even one that only they can take."""
        return self.group is not None and self.beats.is_silent(groups.members(self.group))

    @property
    def is_busy(self) -> bool:
        """Whether a living worker has a task under way."""
        return self.group is not None and self.beats.is_busy(groups.members(self.group))

    @property
    def workers(self) -> int:
        """How many of its processes work: the leader of the web server only watches others."""
        living = groups.members(self.group) if self.group is not None else []
        return max(len(living) - 1, 0) if self.is_receiver else self.beats.workers(living)

    def start(self) -> None:
        self.beats.begin()
        marks = groups.marks(self.name) | self.beats.environment
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            self.command,
            env={**os.environ, **self.environment, **marks},
            cwd=settings.BASE_DIR,
            start_new_session=True,
            preexec_fn=_die_with_parent if self.is_receiver else _die_with_parent_and_give_way,
            pass_fds=[self.beats.number],
        )
        self.group = self.process.pid
        self.started_at = time.monotonic()
        self.end_by = None
        self.trust()

    def trust(self) -> None:
        """Give it time before it is judged: it just started, or could not work for a while."""
        self.times_stuck = 0
        seconds = min(TRUST_SECONDS * 2.0**self.kills, LONGEST_TRUST_SECONDS)
        self.trusted_until = time.monotonic() + seconds

    def has_worked(self) -> None:
        """It made progress, so earlier kills no longer give it more time than other services."""
        self.times_stuck = self.kills = 0
        self.trusted_until = min(self.trusted_until, self.started_at + TRUST_SECONDS)

    def adopt(self, group: int) -> None:
        """Stop a group that a killed supervisor left behind. It may finish its work first."""
        self.adopted[group] = time.monotonic() + self.grace_seconds
        _ask_to_stop(group)

    def end_adopted(self) -> list[int]:
        """Kill groups whose time is over; returns those that ended since the last call."""
        for group, end_by in self.adopted.items():
            if time.monotonic() > end_by:
                groups.send(group, signal.SIGKILL)
        gone = [group for group in self.adopted if not groups.is_alive(group)]
        for group in gone:
            del self.adopted[group]
        return gone

    def ask_to_stop(self, within_seconds: float | None = None) -> None:
        """Send SIGTERM to the leader, and SIGCONT, because a stopped process does not react."""
        if not self.is_running or self.group is None:
            return
        self.end_within(self.grace_seconds if within_seconds is None else within_seconds)
        _ask_to_stop(self.group)

    def end_within(self, seconds: float) -> None:
        """Have it killed after this time, or at the time that was set before if that is earlier."""
        self.end_by = min(self.end_by or float("inf"), time.monotonic() + seconds)

    def kill(self) -> None:
        """Kill the whole group, also workers that lost their parent or were stopped."""
        for group in self.adopted:
            groups.send(group, signal.SIGKILL)
        if self.group is None:
            return
        groups.send(self.group, signal.SIGKILL)
        if self.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):  # it may hang on a disk
                self.process.wait(timeout=LONGEST_DEATH_SECONDS)
        self.end_by = self.end_by or time.monotonic()


def services(host: str, *, with_web: bool = True) -> list[Service]:
    """The services of one host: the web server unless told otherwise, and the two clusters."""
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    clusters = [
        Service(
            "queue",
            [*manage, "qcluster"],
            {"Q_CLUSTER_NAME": "default"},
            grace_seconds=settings.DRAIN_TIMEOUT_SECONDS,
            trouble=queue_trouble,
            is_paying=progress.is_sending,
            wake_up=bringing.wake_queue,
            bring=bringing.bring_events,
        ),
        Service(
            "research",
            [*manage, "qcluster"],
            {"Q_CLUSTER_NAME": "research"},
            grace_seconds=settings.RESEARCH_TIMEOUT_SECONDS,  # a call under way is paid for
            trouble=research_trouble,
            is_paying=progress.is_asking,
            wake_up=bringing.wake_research,
            bring=bringing.bring_questions,
        ),
    ]
    return (
        [Service("web", web_command(host), is_receiver=True), *clusters] if with_web else clusters
    )


def web_command(host: str) -> list[str]:
    # Threads mostly wait for the commit that they share. SQLite has one writer at a time, and
    # processes that wait for it poll: one process writes faster than two.
    workers = "1" if connection.vendor == "sqlite" else "2"
    server = [sys.executable, "-m", "operations.supervising.web_server"]
    return [*server, "--host", host, "--port", str(settings.PORT), "--workers", workers]


WHY_STUCK = {
    Kind.NOT_TAKEN: "events had been due for a minute and none was taken",
    Kind.UNSWEPT: "no worker had looked for work for more than a minute",
    Kind.NOT_ASKED: "questions had been due for a minute and none was asked",
}


def queue_trouble() -> str:
    """Why the `default` cluster seems to be stuck, in words; empty if it does not.

    A trouble of any age counts: the supervisor acts at once, before people are told.
    """
    return _first_of(Kind.NOT_TAKEN, Kind.UNSWEPT)


def research_trouble() -> str:
    """The same of the `research` cluster."""
    return _first_of(Kind.NOT_ASKED)


def _first_of(*kinds: Kind) -> str:
    found = look(kinds=kinds)
    return WHY_STUCK[found[0].kind] if found else ""


def _ask_to_stop(group: int) -> None:
    try:
        os.kill(group, signal.SIGTERM)
        groups.send(group, signal.SIGCONT)
    except ProcessLookupError:  # without its leader the group cannot be asked
        groups.send(group, signal.SIGKILL)


def _die_with_parent() -> None:
    """Ask Linux to stop a service whose supervisor was killed; elsewhere it stays behind."""
    if _prctl is not None:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _die_with_parent_and_give_way() -> None:
    """Workers yield the processor to the receiver: acknowledging comes before processing."""
    _die_with_parent()
    os.nice(WORKERS_NICENESS)
