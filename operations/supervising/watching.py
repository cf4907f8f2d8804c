"""Finds services that are stuck, and ends them, so that the supervisor starts them anew.

A service that seems stuck is first woken up: a wake-up may be lost, a budget may just have been
raised, the database may have been away. If it is still stuck two looks later, it is asked to end,
and killed soon after. People are told.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
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
from webhooks.connections import is_ours_alone
from webhooks.models import ServiceBeat

logger = logging.getLogger(__name__)
T = TypeVar("T")

LOOK_EVERY_SECONDS = 10.0
TELL_WORKERS_EVERY_SECONDS = 30.0
BRING_EVERY_SECONDS = 4.0
BRING_AGAIN_SECONDS = 1.0  # after something was brought: the broker seems to be away
STUCK_TIMES = 3  # looks in a row
STUCK_GRACE_SECONDS = 5.0  # for a stuck cluster to finish its work, before it is killed
QUERY_SECONDS = 5
STOPPED = "one of its processes had been stopped"
UNRECORDED = "its tasks were done and not recorded"
UNGUARDED = "its guard, which ends tasks that hang, hung itself"
UNWRITTEN = "alarm not written"
SILENT = "its workers had taken no task for more than a minute, not even a knock"

NOBODY_SWEEPS: Choice = dict.fromkeys((Kind.UNSWEPT, Kind.UNSCHEDULED), Ages(TOLD_AFTER))


@dataclass(frozen=True, slots=True)
class Observation:
    """What the rows say about a service; None if the database did not answer."""

    trouble: str | None = None
    is_paying: bool | None = None


Observations = dict[str, Observation]  # by service


class Watching:
    """Watches the progress of a host's services.

    The database is asked through a messenger. If it does not answer in time, it counts as away.
    """

    def __init__(self, services: list[Service]) -> None:
        self.services = services
        self.messenger = Messenger()
        self.reports: dict[str, tuple[float, str]] = {}  # by service: when, and in which words
        self.is_untold = False  # a report is not written yet, because the database was away
        self._question: Errand[Observations] | None = None
        self._telling: Errand[bool | None] | None = None
        self._alarm_check: Errand[None] | None = None
        self._bringing: Errand[bool] | None = None
        self._looked_at = time.monotonic()
        self._bring_at = self._tell_workers_at = time.monotonic()

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._looked_at >= LOOK_EVERY_SECONDS

    def look(self) -> None:
        """Knock, and ask the database; `listen` acts on the answers, now or later."""
        self._looked_at = time.monotonic()
        for service in self.services:
            service.beats.knock()
        if self._question is not None:
            return
        self._tell_workers()
        self._question = self.messenger.send(lambda: observe(self.services))
        self._alarm_check = self.messenger.send(lambda: check_alarms_if_nobody_sweeps())
        if self._question is None:
            self._judge_all({})
        self.listen()

    def listen(self) -> None:
        """Act on the answers that have come. Never waits."""
        self._hear_told()
        if self._question and (self._question.is_done or self._question.is_late):
            question, self._question = self._question, None
            _raise_from(question)
            self._judge_all(question.answer or {})
        if self._alarm_check and self._alarm_check.is_done:
            alarm_check, self._alarm_check = self._alarm_check, None
            _raise_from(alarm_check)

    def bring(self) -> None:
        """Give the services now and then what is due in the rows and nobody takes. Never waits."""
        if self._bringing and self._bringing.is_done:
            bringing, self._bringing = self._bringing, None
            pause = BRING_AGAIN_SECONDS if bringing.answer else BRING_EVERY_SECONDS
            self._bring_at = time.monotonic() + pause
            _raise_from(bringing)
        if self._bringing is None and time.monotonic() >= self._bring_at:
            able = [one for one in self.services if one.is_running and not one.end_by]
            self._bringing = self.messenger.send(lambda: bring(able))

    def _tell_workers(self) -> None:
        """Say now and then, for monitoring, which workers live on this host. Never waits."""
        if time.monotonic() >= self._tell_workers_at:
            self._tell_workers_at = time.monotonic() + TELL_WORKERS_EVERY_SECONDS
            workers = {service.name: service.workers for service in self.services}
            self.messenger.send(lambda: note_workers(workers))

    def say_farewell(self) -> None:
        """This host stops because it was told to: it is not missed. Never waits."""
        ours = ServiceBeat.objects.filter(host=settings.HOST_NAME)
        self.messenger.send(lambda: _try(ours.delete, _UNSAID))

    def wake_up(self, service: Service) -> None:
        """Have the service look for work in the rows."""
        if service.wake_up is not None:
            self.messenger.send(lambda: wake_up(service))

    def _judge_all(self, observations: Observations) -> None:
        if not observations:
            logger.warning("progress cannot be read: the database does not answer")
        for service in self.services:
            self._judge(service, observations.get(service.name, Observation()))
        self.tell()

    def _judge(self, service: Service, seen: Observation) -> None:
        if not service.is_running:
            return
        if service.end_by:
            if service.times_stuck >= STUCK_TIMES and not _is_paying(service, seen):
                service.end_within(STUCK_GRACE_SECONDS)
            return
        words = _trouble(service, seen)
        if words is None:
            service.trust()  # without the database it could not work either, so it gets time again
        elif not words:
            service.has_worked()
        elif time.monotonic() >= service.trusted_until:
            self._act(service, words, seen)

    def _act(self, service: Service, words: str, seen: Observation) -> None:
        """Wake a service up that seems stuck; after several looks in a row, end it."""
        service.times_stuck += 1
        if service.times_stuck >= STUCK_TIMES:
            logger.error("%s is stuck: %s; ended", service.name, words)
            service.kills += 1
            service.ask_to_stop(None if _is_paying(service, seen) else STUCK_GRACE_SECONDS)
            self.report(service, f"was found stuck: {words}")
            return
        if service.times_stuck > 1:  # one look may just be early: the next one finds it at work
            logger.warning("%s may be stuck: %s", service.name, words)
        if not service.is_stopped:  # a stopped process cannot react, and may hold SQLite's lock
            self.wake_up(service)

    def report_end(self, service: Service, code: int | None) -> None:
        """Tell of a service that ended without having been asked to."""
        what = f"ended by itself ({_ending(code)})"
        if service.failures > 1:
            what += f", {service.failures} times in a row soon after its start"
        self.report(service, what)

    def report(self, service: Service, what: str) -> None:
        words = (
            f"The process “{service.name}” on {settings.HOST_NAME} {what}. It was ended with all "
            f"that belonged to it, and is started again. {_effect(service)}"
        )
        self.reports[service.name] = (time.monotonic(), words)
        self.is_untold = True
        self.tell()

    def tell(self) -> None:
        """Write the recent reports into the alarm; if that fails, the next look tries again."""
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


def observe(services: list[Service]) -> Observations:
    """What the rows say about each service."""
    return {service.name: _observation(service) for service in services}


def _observation(service: Service) -> Observation:
    seen = _try(
        lambda: Observation(service.trouble(), service.is_paying()), "progress cannot be read"
    )
    return seen or Observation()


def check_alarms_if_nobody_sweeps() -> None:
    """Check the alarms and send notifications, which otherwise the sweep of a worker does."""
    if _try(lambda: choose(Figures(), NOBODY_SWEEPS), "alarms cannot be checked"):
        alarms.sweep()
        _try(outbox.send_due, "notifications not sent")


def bring(services: list[Service]) -> bool:
    """Whether something was due that nobody had taken."""
    return bool(_try(lambda: _bring(services), "due work cannot be read"))


def _bring(services: list[Service]) -> bool:
    brought = [service.bring(service.beats) for service in services if service.bring is not None]
    return any(brought)


def wake_up(service: Service) -> None:
    """Give the service something to do."""
    wake = service.wake_up
    if wake is not None:
        _try(lambda: wake(service.beats), "wake-up not given")


def _write(words: str) -> bool:
    alarms.report(Alarm.Kind.STUCK, words, database_now())
    return True


_UNSAID = "workers not told to monitoring"


def note_workers(workers: dict[str, int]) -> None:
    """Write down how many workers of each service live on this host."""
    _try(lambda: ServiceBeat.objects.all().note(settings.HOST_NAME, workers), _UNSAID)


_BOUND_SQL = {
    "postgresql": f"SET statement_timeout = '{QUERY_SECONDS}s'",
    "sqlite": f"PRAGMA busy_timeout = {QUERY_SECONDS * 1000}",
}


def _try(work: Callable[[], T], words: str) -> T | None:
    """Do it with a time limit for each statement; None if the database is away.

    Behind a pooler there is none but the role's: the connection is lent to others too.
    """
    close_old_connections()
    try:
        if connection.vendor == "sqlite" or is_ours_alone(connection):
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


def _trouble(service: Service, seen: Observation) -> str | None:
    """Why it seems to be stuck; empty if it does not; None if that is not known."""
    if service.is_stopped:
        return STOPPED
    if seen.trouble is None:
        return None
    if service.beats.is_unrecorded:
        return UNRECORDED
    if not service.is_receiver and service.beats.is_unguarded:
        return UNGUARDED
    return SILENT if service.is_silent else seen.trouble


def _is_paying(service: Service, seen: Observation) -> bool:
    """Whether a task that costs is under way on this host.

    The row of a call outlives its worker, so a living worker must also have a task under way.
    """
    return service.is_busy and seen.is_paying is not False


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
