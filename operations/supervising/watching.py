"""Who stands still, and what is done about it.

A service that seems stuck is first given something to do: a wake-up may be lost, a budget may
just have been raised, the database may have been away. If it still is stuck two looks later, it is
asked to end, killed soon after, and started anew. People are told.
"""

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.db import Error, close_old_connections, connection

from briefs.models import Alarm
from briefs.models.notifications import CALM
from briefs.notifying import outbox
from operations import alarms
from operations.figures import Figures
from operations.supervising.messenger import Errand, Messenger
from operations.supervising.services import Service
from operations.troubles import TOLD_AFTER, Ages, Choice, Kind, choose
from webhooks.clock import database_now

logger = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY_SECONDS = 10.0
STUCK_TIMES = 3  # looks in a row
LAST_WORDS_SECONDS = 5.0  # to finish what is under way, before a stuck cluster is killed
QUERY_SECONDS = 5
STOPPED = "one of its processes had been stopped"
UNRECORDED = "its tasks were done and not recorded"
UNWRITTEN = "alarm not written"
SILENT = "its workers had taken no task for more than a minute, not even a knock"

NOBODY_SWEEPS: Choice = dict.fromkeys((Kind.UNSWEPT, Kind.UNSCHEDULED), Ages(TOLD_AFTER))


@dataclass(frozen=True, slots=True)
class Finding:
    """What the rows say of a service. None where the database did not."""

    trouble: str | None = None
    is_paying: bool | None = None


Findings = dict[str, Finding]  # by service


class Watching:
    """Looks after the progress of a host's services.

    The database is asked through a messenger. Whatever it does not answer in time it is away for.
    """

    def __init__(self, services: list[Service]) -> None:
        self.services = services
        self.messenger = Messenger()
        self.reports: dict[str, tuple[float, str]] = {}  # by service: when, and in which words
        self.is_untold = False  # the database may be away just when there is something to tell
        self._question: Errand[Findings] | None = None
        self._telling: Errand[bool | None] | None = None
        self._speaking: Errand[None] | None = None
        self._looked_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._looked_at >= LOOK_EVERY_SECONDS

    def look(self) -> None:
        """Knock and ask; what comes of it is heard by `listen`, now or later."""
        self._looked_at = time.monotonic()
        for service in self.services:
            service.beats.knock()
        if self._question is not None:
            return
        self._question = self.messenger.send(lambda: find_out(self.services))
        self._speaking = self.messenger.send(lambda: speak_for_the_workers())
        if self._question is None:
            self._judge_all({})
        self.listen()

    def listen(self) -> None:
        """Act on what the messenger brought; it is never waited for."""
        self._hear_told()
        if self._question and (self._question.is_done or self._question.is_late):
            question, self._question = self._question, None
            _raise_from(question)
            self._judge_all(question.answer or {})
        if self._speaking and self._speaking.is_done:
            speaking, self._speaking = self._speaking, None
            _raise_from(speaking)

    def knock(self, service: Service) -> None:
        """Give the service something to do that the rows hold."""
        if service.knock is not None:
            self.messenger.send(lambda: knock(service))

    def _judge_all(self, findings: Findings) -> None:
        if not findings:
            logger.warning("progress cannot be read: the database does not answer")
        for service in self.services:
            self._judge(service, findings.get(service.name, Finding()))
        self.tell()

    def _judge(self, service: Service, finding: Finding) -> None:
        if not service.is_running:
            return
        if service.end_by:
            if service.times_stuck >= STUCK_TIMES and not _is_paying(service, finding):
                service.end_within(LAST_WORDS_SECONDS)
            return
        words = _trouble(service, finding)
        if words is None:
            service.trust()  # it could not work either, and has time once the database is back
        elif not words:
            service.has_worked()
        elif time.monotonic() >= service.trusted_until:
            self._act(service, words, finding)

    def _act(self, service: Service, words: str, finding: Finding) -> None:
        service.times_stuck += 1
        if service.times_stuck >= STUCK_TIMES:
            self._end(service, words, finding)
            return
        if service.times_stuck > 1:  # the first knock may just be early, and is answered
            logger.warning("%s may be stuck: %s", service.name, words)
        if not service.is_stopped:  # else it does not hear, and may hold SQLite's lock for writing
            self.knock(service)

    def _end(self, service: Service, words: str, finding: Finding) -> None:
        logger.error("%s is stuck: %s; ended", service.name, words)
        service.kills += 1
        service.ask_to_stop(None if _is_paying(service, finding) else LAST_WORDS_SECONDS)
        self.report(service, f"was found stuck: {words}")

    def report_end(self, service: Service, code: int | None) -> None:
        """Tell of a service that ended without having been asked to."""
        what = f"ended by itself ({_ending(code)})"
        if service.failures > 1:
            what += f", {service.failures} times in a row soon after its start"
        self.report(service, what)

    def report(self, service: Service, what: str) -> None:
        words = (
            f"The process “{service.name}” on {socket.gethostname()} {what}. It was ended with all "
            f"that belonged to it, and is started again. {_effect(service)}"
        )
        self.reports[service.name] = (time.monotonic(), words)
        self.is_untold = True
        self.tell()

    def tell(self) -> None:
        """Write down what is untold; what cannot be written now is tried again."""
        if not self.is_untold or self._telling is not None:
            return
        calm = CALM.total_seconds()
        recent = [words for at, words in self.reports.values() if time.monotonic() - at < calm]
        words = " ".join([*recent, _CURE])
        self._telling = self.messenger.send(lambda: _try(lambda: _write(words), UNWRITTEN))
        self.is_untold = self._telling is None
        self._hear_told()

    def _hear_told(self) -> None:
        if self._telling and self._telling.is_done:
            telling, self._telling = self._telling, None
            self.is_untold = self.is_untold or not telling.answer
            _raise_from(telling)


# In the messenger's thread ------------------------------------------------------------------------


def find_out(services: list[Service]) -> Findings:
    """What the rows say of each service."""
    return {service.name: _finding(service) for service in services}


def _finding(service: Service) -> Finding:
    trouble = _try(service.trouble, "progress cannot be read")
    return Finding(trouble, _try(service.is_paying, "calls under way cannot be read"))


def speak_for_the_workers() -> None:
    """Look for trouble and tell of it where no worker does: alarms come from the sweep else."""
    if _try(lambda: choose(Figures(), NOBODY_SWEEPS), "alarms cannot be checked"):
        alarms.sweep()
        _try(outbox.send_due, "notifications not sent")


def knock(service: Service) -> None:
    """Give the service something to do."""
    if service.knock is not None:
        _try(service.knock, "wake-up not sent")


def _write(words: str) -> bool:
    alarms.report(Alarm.Kind.STUCK, words, database_now())
    return True


_BOUND_SQL = {
    "postgresql": f"SET statement_timeout = '{QUERY_SECONDS}s'",
    "sqlite": f"PRAGMA busy_timeout = {QUERY_SECONDS * 1000}",
}


def _try(work: Callable[[], T], words: str) -> T | None:
    """Ask or tell the database, bounded in time; None if it is away."""
    close_old_connections()
    try:
        with connection.cursor() as cursor:
            cursor.execute(_BOUND_SQL[connection.vendor])
        return work()
    except Error as error:
        logger.warning("%s: %s", words, type(error).__name__)
        connection.close()
        return None


# In the supervisor's own thread -------------------------------------------------------------------


def _raise_from(errand: Errand[T]) -> None:
    if errand.error:
        raise errand.error


def _trouble(service: Service, finding: Finding) -> str | None:
    """Why it seems to stand still, empty if it does not, None if nobody knows."""
    if service.is_stopped:
        return STOPPED
    if finding.trouble is None:
        return None
    if service.beats.is_unrecorded:
        return UNRECORDED
    return SILENT if service.is_silent else finding.trouble


def _is_paying(service: Service, finding: Finding) -> bool:
    """Whether a task that costs is under way here. A worker that died does not wait for Mave."""
    return service.is_busy and finding.is_paying is not False


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by signal {-code}"
    return f"with code {code}"


def _effect(service: Service) -> str:
    if service.is_receiver:
        return (
            "Until it answers, Customer.io's webhooks fail; it sends them again, and holds back "
            "those that follow until one is taken."
        )
    return (
        "Customer.io notices nothing: webhooks are accepted and kept, and what waited is taken up "
        "now."
    )


_CURE = (
    "Once is no reason to worry. If it repeats, read the log lines before it (a machine short of "
    "memory kills processes) and ask `manage.py doctor`."
)
