"""The real supervisor over the real clusters, with seconds where production waits for minutes.

    python -m operations.supervising.tests.hasty

Everything else is production's: settings, commands, processes. `Host` is a test's view of it.
A slow process must not count as frozen, so a busy machine gets more time, by `slowness`.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import django
import psutil

ROOT = Path(__file__).resolve().parents[3]
AUXILIARIES = 2  # monitor and pusher


def main() -> None:
    django.setup()
    from operations.supervising import services, supervisor, watching

    services.TRUST_SECONDS = 3.0  # and twice as long after each start that took longer
    services.WORKERS_NICENESS = 0  # no web server here needs the processor
    watching.STUCK_GRACE_SECONDS = 0.5
    supervisor.STEADY_SECONDS = 0.0  # one test after the other is no crash loop

    class Hasty(supervisor.Supervisor):
        def look(self) -> None:
            set_times(slowness())
            super().look()

    Hasty(services.services("127.0.0.1", with_web=False)).run()


def set_times(slower: float) -> None:
    """How long what counts as frozen shows nothing, on a machine that is so much slower."""
    from operations import troubles
    from operations.supervising import beats, watching

    troubles.work.PATIENCE = troubles.research.PATIENCE = timedelta(seconds=slower)
    troubles.work.QUIET = timedelta(seconds=3 * slower)
    troubles.work.SCHEDULE_LATE = timedelta(hours=1)  # a new cluster starts none for 30 s
    beats.UNRECORDED_SECONDS = slower
    beats.KNOCK_AFTER_SECONDS = 1.0
    beats.SILENT_SECONDS = 4 * slower
    watching.LOOK_EVERY_SECONDS = slower / 2


def slowness() -> float:
    """By what times are multiplied: more on a busy machine, 1 with up to two processes a core.

    The busier counts of this moment and of the last minute, which does not tell at once.
    """
    now = int(Path("/proc/loadavg").read_text().split()[3].partition("/")[0])
    return max(1.0, max(now, os.getloadavg()[0]) / 2 / (os.cpu_count() or 1))


class Host:
    """A supervisor without a web server, as real processes, and what a test does to them."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.environment = {**os.environ, **environment}
        self.log = log
        self.supervisor: subprocess.Popen[bytes] | None = None

    @property
    def is_up(self) -> bool:
        return self.supervisor is not None and self.supervisor.poll() is None

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.supervisor = subprocess.Popen(
                [sys.executable, "-m", "operations.supervising.tests.hasty"],
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
            )

    def end(self) -> None:
        """Kill all its processes."""
        if self.supervisor:
            self.supervisor.kill()
            self.supervisor.wait()
        for pid in self._mine(psutil.pids()):
            send(pid, signal.SIGKILL)

    # The processes of a cluster --------------------------------------------------------------

    def leaders(self, cluster: str) -> list[int]:
        """The `qcluster` commands that run: more than one would be a double cluster."""
        leading = filter(leads_a_group, psutil.pids())  # asked first, because it costs least
        return [
            pid for pid in self._mine(leading) if variables(pid).get("Q_CLUSTER_NAME") == cluster
        ]

    def leader(self, cluster: str) -> int:
        (pid,) = self.leaders(cluster)
        return pid

    def sentinel(self, cluster: str) -> int:
        (pid,) = children(self.leader(cluster))
        return pid

    def workers(self, cluster: str) -> list[int]:
        return children(self.sentinel(cluster))[:-AUXILIARIES]

    def monitor(self, cluster: str) -> int:
        return children(self.sentinel(cluster))[-2]

    def pusher(self, cluster: str) -> int:
        return children(self.sentinel(cluster))[-1]

    def lock_holders(self, cluster: str) -> list[int]:
        """The idle worker that reads the queue's pipe. The others wait for the lock it holds."""
        return holders(self.workers(cluster))

    def is_complete(self, cluster: str) -> bool:
        """All processes are there, and an idle worker holds the queue's lock."""
        try:
            workers = self.workers(cluster)
            return len(workers) == self.count(cluster) and bool(holders(workers))
        except (OSError, ValueError):
            return False

    def count(self, cluster: str) -> int:
        from django.conf import settings

        workers: int = {
            **settings.Q_CLUSTER,
            **settings.Q_CLUSTER["ALT_CLUSTERS"].get(cluster, {}),
        }["workers"]
        return workers

    def _mine(self, pids: Iterable[int]) -> list[int]:
        mine = {name: self.environment[name] for name in ("DATABASE_URL", "PORT")}.items()
        found = [(pid, variables(pid)) for pid in pids]
        return [pid for pid, its in found if "SAVEDESK_SUPERVISOR" in its and mine <= its.items()]


def leads_a_group(pid: int) -> bool:
    with suppress(OSError):
        return os.getpgid(pid) == pid
    return False


def holders(idle: list[int]) -> list[int]:
    if place(os.getppid()) in ("", "0"):
        return idle  # the kernel does not tell: kill all of them, and one of them holds it
    return [pid for pid in idle if "pipe" in place(pid)]


def variables(pid: int) -> dict[str, str]:
    with suppress(psutil.Error, OSError):
        return psutil.Process(pid).environ()
    return {}


def place(pid: int) -> str:
    """Where in the kernel a process waits."""
    return Path(f"/proc/{pid}/wchan").read_text()


def children(parent: int) -> list[int]:
    """The oldest one first."""
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(parent).children():
            with suppress(psutil.Error):
                if child.status() != psutil.STATUS_ZOMBIE:
                    found.append((child.create_time(), child.pid))
    return [pid for _, pid in sorted(found)]


def send(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def wait(what: str, ask: Callable[[], Any], seconds: float = 180) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := ask():
            return found
        time.sleep(0.1)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


if __name__ == "__main__":
    main()
