"""Process groups as Linux shows them in /proc. Elsewhere they look empty, and the rows must do."""

import hashlib
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

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
    return bool(members(group))


def members(group: int) -> list[int]:
    """The processes of the group that have not ended."""
    return [one.pid for one in _processes() if one.group == group and one.state != _ENDED]


def is_stopped(group: int) -> bool:
    """Whether any process of the group was stopped (SIGSTOP) and waits for SIGCONT."""
    return any(one.group == group and one.state == _STOPPED for one in _processes())


def marks(name: str) -> dict[str, str]:
    """The environment by which a later supervisor knows a service of this installation."""
    mine = next((one.identity for one in _processes() if one.pid == os.getpid()), "")
    return {SERVICE: _mark(name), SUPERVISOR: mine}


def left_behind(name: str) -> set[int]:
    """Groups of this service whose supervisor was killed: they wind down, or hang."""
    living = {one.identity for one in _processes() if one.state != _ENDED}
    return {group for group, supervisor in _groups_of(name) if supervisor not in living}


def supervisor_of(name: str) -> int | None:
    """The process, not this one, that supervises a service of this name here; None if none does."""
    living = {one.identity: one.pid for one in _processes() if one.state != _ENDED}
    found = {living[supervisor] for _, supervisor in _groups_of(name) if supervisor in living}
    return min(found - {os.getpid()}, default=None)


def _groups_of(name: str) -> set[tuple[int, str]]:
    """Each group of this service, whoever started it, and the identity of its supervisor."""
    found = set()
    for one in _processes():
        environment = {} if one.state == _ENDED else _environment(one.pid)
        if environment.get(SERVICE) == _mark(name):
            found.add((one.group, environment.get(SUPERVISOR, "")))
    return found


def _mark(name: str) -> str:
    """One installation: this code on this database and port. Others on the machine are not ours."""
    database = settings.DATABASES["default"]
    parts = (settings.BASE_DIR, settings.PORT, *(database.get(k) for k in ("HOST", "PORT", "NAME")))
    return f"{name}-{hashlib.sha256(repr(parts).encode()).hexdigest()[:16]}"


class _Process(NamedTuple):
    pid: int
    state: str
    group: int
    started: str

    @property
    def identity(self) -> str:
        """Its pid may be another's one day; together with its start it never is."""
        return f"{self.pid}-{self.started}"


def _processes() -> Iterator[_Process]:
    """Everything that runs."""
    for entry in PROC.glob("[0-9]*"):
        with suppress(OSError, ValueError, IndexError):
            # The name in parentheses may hold anything.
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            yield _Process(int(entry.name), fields[0], int(fields[2]), fields[19])


def _environment(pid: int) -> dict[str, str]:
    with suppress(OSError):
        lines = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
        pairs = (line.decode(errors="replace").partition("=") for line in lines)
        return {name: value for name, _, value in pairs}
    return {}
