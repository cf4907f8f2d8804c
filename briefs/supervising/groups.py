"""Process groups as Linux shows them in /proc. Elsewhere they look empty, and the rows must do."""

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from django.conf import settings

PROC = Path("/proc")
SERVICE = "SAVEDESK_SERVICE"  # on every process of a service: which installation's, and which
SUPERVISOR = "SAVEDESK_SUPERVISOR"  # and the process that supervises it
_STOPPED = "T"
_ENDED = "Z"


def send(group: int, number: signal.Signals) -> None:
    """Signal a whole group; no trouble if it is gone."""
    with suppress(ProcessLookupError):
        os.killpg(group, number)


def is_alive(group: int) -> bool:
    """Whether anything of the group still runs, its leader or what the leader left behind."""
    return any(group == found and state != _ENDED for _, state, _, found in _processes())


def is_stopped(group: int) -> bool:
    """Whether any process of the group was stopped (SIGSTOP) and waits for SIGCONT."""
    return any(group == found and state == _STOPPED for _, state, _, found in _processes())


def marks(name: str) -> dict[str, str]:
    """The environment by which a later supervisor knows a service of this installation."""
    return {SERVICE: _mark(name), SUPERVISOR: str(os.getpid())}


def left_behind(name: str) -> set[int]:
    """Groups of this service whose supervisor was killed: they wind down, or hang."""
    found = set()
    parents = {pid: parent for pid, state, parent, _ in _processes() if state != _ENDED}
    for pid, state, _, group in _processes():
        environment = {} if state == _ENDED else _environment(pid)
        if environment.get(SERVICE) == _mark(name):
            supervisor = int(environment.get(SUPERVISOR) or 0)
            if not _is_supervised(group, supervisor, parents):
                found.add(group)
    return found


def _is_supervised(group: int, supervisor: int, parents: dict[int, int]) -> bool:
    """Whether the supervisor is there to tend to the group. Its pid may be somebody else's now."""
    if supervisor == os.getpid():
        return parents.get(group) == supervisor
    return parents.get(group, supervisor) == supervisor and supervisor in parents


def _mark(name: str) -> str:
    """One installation: this code on this database and port. Others on the machine are not ours."""
    database = settings.DATABASES["default"]
    parts = (settings.BASE_DIR, settings.PORT, *(database.get(k) for k in ("HOST", "PORT", "NAME")))
    return f"{name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


def _processes() -> Iterator[tuple[int, str, int, int]]:
    """Process, state, parent and group of everything that runs."""
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError):
            # The name in parentheses may hold anything.
            state, parent, group, *_ = (entry / "stat").read_text().rpartition(")")[2].split()
            yield int(entry.name), state, int(parent), int(group)


def _environment(pid: int) -> dict[str, str]:
    with suppress(OSError):
        lines = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        pairs = (line.decode(errors="replace").partition("=") for line in lines)
        return {name: value for name, _, value in pairs}
    return {}
