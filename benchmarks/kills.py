"""Kills and freezes processes of the two clusters at random, while their supervisor runs."""

import contextlib
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil

LONGEST_FREEZE_SECONDS = 15.0
CLUSTERS = {"research": 7, "default": 3}  # by the name in their environment, and how often
BLOWS = {
    "kill a worker": 40,
    "kill a cluster": 12,
    "kill a sentinel": 4,  # rare: its cluster looks alive, and is found out after two minutes
    "freeze a worker": 30,
    "freeze a cluster": 14,
}


@dataclass
class Killer:
    """Kills and freezes; counts how often, and how many kills hit a call under way."""

    supervisor: int
    sandbox_port: int
    random: random.Random
    blows: Counter[str] = field(default_factory=Counter)
    kills_in_flight: int = 0
    _frozen: list[tuple[psutil.Process, float]] = field(default_factory=list)

    def strike(self) -> None:
        """Kill or freeze once; do nothing if no such process runs after an earlier kill."""
        blow = self.random.choices(list(BLOWS), list(BLOWS.values()))[0]
        victims = self._victims(blow.split()[-1])
        if not victims:
            return
        self.blows[blow] += 1
        if blow.startswith("freeze"):
            self._freeze(victims)
            return
        self.kills_in_flight += any(self._is_asking(process) for process in victims)
        for process in victims:
            _quietly(process.kill)

    def thaw(self, *, everything: bool = False) -> None:
        """Resume the processes that were frozen long enough."""
        now = time.monotonic()
        for process, until in self._frozen:
            if everything or until <= now:
                _quietly(process.resume)
        self._frozen = [] if everything else [each for each in self._frozen if each[1] > now]

    def _freeze(self, victims: list[psutil.Process]) -> None:
        until = time.monotonic() + self.random.uniform(1, LONGEST_FREEZE_SECONDS)
        for process in victims:
            _quietly(process.suspend)
            self._frozen.append((process, until))

    def _victims(self, kind: str) -> list[psutil.Process]:
        leader = self._leader()
        if leader is None:
            return []
        try:
            if kind == "cluster":
                return _group(leader)
            sentinels = [child for child in leader.children() if child.children()]
            if kind == "sentinel":
                return sentinels[:1]
            # Its pusher and its monitor are among them, and are killed like workers.
            workers = [worker for sentinel in sentinels for worker in sentinel.children()]
            return [self.random.choice(workers)] if workers else []
        except psutil.Error:
            return []

    def _leader(self) -> psutil.Process | None:
        """The first process of a cluster, chosen at random."""
        name = self.random.choices(list(CLUSTERS), list(CLUSTERS.values()))[0]
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.supervisor).children():
                if child.environ().get("Q_CLUSTER_NAME") == name:
                    return child
        return None

    def _is_asking(self, process: psutil.Process) -> bool:
        """Whether a process of the research cluster is connected to the sandbox."""
        try:
            if process.environ().get("Q_CLUSTER_NAME") != "research":
                return False
            peers = [each.raddr for each in process.net_connections("tcp") if each.raddr]
            return any(peer.port == self.sandbox_port for peer in peers)
        except psutil.Error:
            return False


def _group(leader: psutil.Process) -> list[psutil.Process]:
    """Every process of the leader's group, orphans of an earlier kill included."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(process.pid) == leader.pid:
                found.append(process)
    return found


def _quietly(act: Callable[[], object]) -> None:
    with contextlib.suppress(psutil.Error):  # it was gone before
        act()
