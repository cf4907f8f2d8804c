"""Whether a cluster records the tasks it has done.

Its monitor acknowledges each one to the broker. A monitor that was killed is born again, but waits
for ever for the lock that the dead one held: the tasks are done, stay in the queue, and are done
again and again. The rows do not show that, so worker and monitor each note when they last worked,
in a file without a name that the supervisor shares with them.
"""

import os
import struct
import tempfile
import time
from typing import Any

from django_q.signals import post_execute, post_execute_in_worker

FILE = "SAVEDESK_BEATS"  # the number of the open file, inherited by all processes of a cluster
UNRECORDED_SECONDS = 20.0
_FORMAT = "d"
_SIZE = struct.calcsize(_FORMAT)
_DONE, _RECORDED = 0, _SIZE


class Beats:
    """The supervisor's end."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the service is known
        self.begin()

    @property
    def number(self) -> int:
        return self._file.fileno()

    @property
    def environment(self) -> dict[str, str]:
        return {FILE: str(self.number)}

    def begin(self) -> None:
        """As of now nothing waits to be recorded."""
        for place in (_DONE, _RECORDED):
            _note(self.number, place)

    @property
    def is_unrecorded(self) -> bool:
        """A task was done after the last one was recorded, which is a while ago."""
        done, recorded = (_read(self.number, place) for place in (_DONE, _RECORDED))
        return done > recorded and time.monotonic() - recorded > UNRECORDED_SECONDS


def keep() -> None:
    """The cluster's end: note the work of this process and of those it forks."""
    if FILE in os.environ:
        post_execute_in_worker.connect(_done, dispatch_uid="beats")
        post_execute.connect(_recorded, dispatch_uid="beats")


def _done(**kw: Any) -> None:
    _note(int(os.environ[FILE]), _DONE)


def _recorded(**kw: Any) -> None:
    _note(int(os.environ[FILE]), _RECORDED)


def _note(file: int, place: int) -> None:
    os.pwrite(file, struct.pack(_FORMAT, time.monotonic()), place)  # one clock for all processes


def _read(file: int, place: int) -> float:
    value: float = struct.unpack(_FORMAT, os.pread(file, _SIZE, place))[0]
    return value
