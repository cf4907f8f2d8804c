"""Process groups, and the marks by which a later supervisor knows which of them are its own.

A process may end at any moment, or not allow us to read it. Then it counts as not there.
"""

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
from django.conf import settings

SERVICE = "SAVEDESK_SERVICE"  # on every process of a service: which installation's, and which
SUPERVISOR = "SAVEDESK_SUPERVISOR"  # and the process that supervises it


def send(group: int, number: signal.Signals) -> None:
    """Signal a whole group; no error if it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def is_alive(group: int) -> bool:
    """Whether anything of the group still runs, its leader or what the leader left behind."""
    return bool(members(group))


def members(group: int) -> list[int]:
    """The processes of the group that have not ended."""
    return [pid for pid, _ in _living(group)]


def is_stopped(group: int) -> bool:
    """Whether any process of the group was stopped (SIGSTOP) and waits for SIGCONT."""
    return any(status == psutil.STATUS_STOPPED for _, status in _living(group))


def _living(group: int) -> Iterator[tuple[int, str]]:
    """Process and status of each in the group that has not ended."""
    for pid in psutil.pids():
        with suppress(psutil.Error, OSError):
            if os.getpgid(pid) == group:  # asked first, because it costs least
                status = psutil.Process(pid).status()
                if status != psutil.STATUS_ZOMBIE:
                    yield pid, status


def marks(name: str) -> dict[str, str]:
    """The environment by which a later supervisor knows a service of this installation."""
    return {SERVICE: _mark(name), SUPERVISOR: _identity(os.getpid())}


def left_behind(name: str) -> set[int]:
    """Groups of this service whose supervisor was killed: they are stopping, or hang."""
    return {group for group, supervisor in _groups_of(name) if supervisor is None}


def supervisor_of(name: str) -> int | None:
    """The process, not this one, that supervises a service of this name here; None if none does."""
    found = {supervisor for _, supervisor in _groups_of(name) if supervisor is not None}
    return min(found - {os.getpid()}, default=None)


def _groups_of(name: str) -> Iterator[tuple[int, int | None]]:
    """The group of each process of this service, and its supervisor unless that has ended."""
    for pid in psutil.pids():
        with suppress(psutil.Error, OSError):
            environment = psutil.Process(pid).environ()  # empty if it has ended
            if environment.get(SERVICE) == _mark(name):
                identity = environment[SUPERVISOR]
                supervisor = int(identity.partition("-")[0])
                lives = _identity(supervisor) == identity
                yield os.getpgid(pid), supervisor if lives else None


def _mark(name: str) -> str:
    """A service of this installation: of this code on this database and port."""
    database = settings.DATABASES["default"]
    parts = (settings.BASE_DIR, settings.PORT, *(database.get(k) for k in ("HOST", "PORT", "NAME")))
    return f"{name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def _identity(pid: int) -> str:
    """The pid and the start time, because a pid is used again later. Empty if it has ended."""
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{pid}-{_started(process)}"
    return ""


def _started(process: psutil.Process) -> int:
    """Hundredths of a second since the boot: the same when the machine's clock is set.

    Read from Linux itself: psutil adds the moment of the boot, which is told in whole seconds and
    on some machines differs by one from one reading to the next.
    """
    with suppress(FileNotFoundError):  # of another system, or of a process that has ended
        status = Path(f"/proc/{process.pid}/stat").read_text()
        ticks = int(status.rpartition(")")[2].split()[19])  # the 22nd field, see proc(5)
        return round(100 * ticks / os.sysconf("SC_CLK_TCK"))
    return round(100 * float(process.create_time() - psutil.boot_time()))
