"""What the processes of this host's cluster did last. Other hosts on the same rows do not matter.

The processes write it into a file without a name, which the supervisor shares with them. The file
shows two faults that the rows do not show:

A monitor that was killed is started again, but waits for ever for the lock that the dead one held.
The tasks are done, never acknowledged to the broker, and therefore done again and again.

Workers that wait for the lock of a dead worker take no task. While another host works, no row is
late. So the supervisor knocks: through the file it gives a task that does nothing, which only its
own cluster can take. The same way it gives tasks that find work in the rows, which need no broker.

A guard that hangs starts no worker anew and ends none, and nothing else shows it.
"""

import os
import struct
import tempfile
import time
from typing import Any

from django_q.signals import post_execute, post_execute_in_worker, post_spawn, pre_execute

FILE = "SAVEDESK_BEATS"  # the number of the open file, inherited by all processes of a cluster
UNRECORDED_SECONDS = 20.0
KNOCK_AFTER_SECONDS = 25.0  # without a task begun
SILENT_SECONDS = 65.0
UNGUARDED_SECONDS = 75.0  # the guard may wait for a broker, and for the database
KNOCK = "briefs.tasks.knock"
TASKS = (KNOCK, "briefs.tasks.sweep", "briefs.tasks.drain", "briefs.tasks.research",
         "briefs.tasks.index")  # fmt: skip
_FORMAT = "d"
_SIZE = struct.calcsize(_FORMAT)
_MOMENTS = _GUARDED, _BEGUN, _DONE, _RECORDED = [_SIZE * place for place in range(4)]
# How often each task was given, which only the supervisor writes, and taken, which only the
# cluster writes. So neither needs a lock.
_GIVEN = _SIZE * len(_MOMENTS)
_TAKEN = _GIVEN + _SIZE * len(TASKS)
_WORKERS = _TAKEN + _SIZE * len(TASKS)  # from here on one byte for each process id
_IDLE, _BUSY = b"i", b"b"


class Beats:
    """The supervisor's side of the file."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the service exists
        self.begin()

    @property
    def number(self) -> int:
        return self._file.fileno()

    @property
    def environment(self) -> dict[str, str]:
        return {FILE: str(self.number)}

    def begin(self) -> None:
        """Begin anew: nothing waits to be taken or recorded, and no worker is known."""
        os.ftruncate(self.number, 0)
        os.ftruncate(self.number, _WORKERS)
        for place in _MOMENTS:
            _note(self.number, place)

    def knock(self) -> None:
        """Give this cluster a task that does nothing, if it has begun no task for a while."""
        if self._seconds_since(_BEGUN) > KNOCK_AFTER_SECONDS:
            self.give(KNOCK)

    def give(self, task: str, count: int = 1) -> None:
        """Give this cluster a task so many times, those included that it has not taken yet."""
        place = _SIZE * TASKS.index(task)
        _write(self.number, _GIVEN + place, _read(self.number, _TAKEN + place) + count)

    def is_silent(self, processes: list[int]) -> bool:
        """Whether a worker is idle, and yet none has taken a task for long, not even a knock."""
        is_idle = any(self._work_of(process) == _IDLE for process in processes)
        return is_idle and self._seconds_since(_BEGUN) > SILENT_SECONDS

    def is_busy(self, processes: list[int]) -> bool:
        """Whether one of these living processes has a task under way. Marks of dead ones stay."""
        return any(self._work_of(process) == _BUSY for process in processes)

    def workers(self, processes: list[int]) -> int:
        """How many of these living processes take tasks."""
        return sum(self._work_of(process) in (_IDLE, _BUSY) for process in processes)

    @property
    def is_unguarded(self) -> bool:
        """Whether the guard, which replaces dead workers and ends tasks that hang, hangs itself."""
        return self._seconds_since(_GUARDED) > UNGUARDED_SECONDS

    @property
    def is_unrecorded(self) -> bool:
        """Whether a task was done after the last one was recorded, and that is a while ago."""
        done, recorded = (_read(self.number, place) for place in (_DONE, _RECORDED))
        return done > recorded and time.monotonic() - recorded > UNRECORDED_SECONDS

    def _seconds_since(self, place: int) -> float:
        return time.monotonic() - _read(self.number, place)

    def _work_of(self, process: int) -> bytes:
        return os.pread(self.number, 1, _WORKERS + process)


def connect() -> None:
    """The cluster's side of the file: this process and those that it forks note their work."""
    if FILE in os.environ:
        post_spawn.connect(_idle, dispatch_uid="beats")
        pre_execute.connect(_begun, dispatch_uid="beats")
        post_execute_in_worker.connect(_done, dispatch_uid="beats")
        post_execute.connect(_recorded, dispatch_uid="beats")


def take_task() -> str | None:
    """A task that the supervisor gave to this cluster alone, if one is left."""
    if FILE not in os.environ:  # nobody supervises this process
        return None
    file = int(os.environ[FILE])
    for number, task in enumerate(TASKS):
        place = _SIZE * number
        taken = _read(file, _TAKEN + place)
        if taken < _read(file, _GIVEN + place):
            _write(file, _TAKEN + place, taken + 1)
            return task
    return None


def guarded() -> None:
    """The guard went round once more."""
    if FILE in os.environ:
        _note(int(os.environ[FILE]), _GUARDED)


def _idle(**kw: Any) -> None:
    _mark(int(os.environ[FILE]), _IDLE)


def _begun(**kw: Any) -> None:
    _note(int(os.environ[FILE]), _BEGUN)
    _mark(int(os.environ[FILE]), _BUSY)


def _done(**kw: Any) -> None:
    _note(int(os.environ[FILE]), _DONE)
    _mark(int(os.environ[FILE]), _IDLE)


def _recorded(**kw: Any) -> None:
    _note(int(os.environ[FILE]), _RECORDED)


def _mark(file: int, work: bytes) -> None:
    os.pwrite(file, work, _WORKERS + os.getpid())


def _note(file: int, place: int) -> None:
    _write(file, place, time.monotonic())  # one clock for all processes


def _write(file: int, place: int, value: float) -> None:
    os.pwrite(file, struct.pack(_FORMAT, value), place)


def _read(file: int, place: int) -> float:
    value: float = struct.unpack(_FORMAT, os.pread(file, _SIZE, place))[0]
    return value
