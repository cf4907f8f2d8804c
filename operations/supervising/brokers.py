"""The broker of BROKER_URL, for processes that go on while it is away.

The broker only announces work, and any host may take a task from it. While it does not answer, a
cluster takes the tasks that its own supervisor gives it (`beats`), of which the broker knows
nothing. It is asked again twice a second. Left alone, django-q2 would end the process that asks,
after a pause of ten seconds, and a cluster would not even start.
"""

import logging
import time
from typing import Any

from django.conf import settings
from django.utils import timezone
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

from operations.supervising import beats

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 0.5
Tasks = list[tuple[Any, str]] | None  # each after the id by which it is acknowledged


def broker(list_key: str | None = None) -> Broker:
    """For django-q2's setting `broker_class`."""
    name = list_key or Conf.CLUSTER_NAME
    return _kind()(list_key=f"{settings.QUEUE_PREFIX}-{name}" if settings.QUEUE_PREFIX else name)


class Patient(Broker):  # type: ignore[misc]  # the package is not typed
    """Additions to each of django-q2's brokers."""

    is_away = False

    def dequeue(self) -> Tasks:
        """Take a task: first those that the supervisor gave to this cluster alone."""
        if task := beats.take_task():
            return [(None, _package(task))]
        try:
            tasks: Tasks = super().dequeue()
        except Exception as error:  # noqa: BLE001 - of any broker; its words may hold its password
            if not self.is_away:
                logger.warning("the broker does not answer (%s)", type(error).__name__)
            self.is_away = True
            time.sleep(PAUSE_SECONDS)
            return None
        if self.is_away:
            logger.warning("the broker answers again")
        self.is_away = False
        return tasks

    def acknowledge(self, task_id: Any) -> None:
        """Have the broker forget a task. If it cannot, it gives it again, and nothing is done."""
        try:
            super().acknowledge(task_id)
        except Exception as error:  # noqa: BLE001 - the same
            logger.warning("a task is not acknowledged (%s)", type(error).__name__)

    def ping(self) -> bool:
        """A cluster starts without its broker: its supervisor gives it tasks."""
        return True

    def set_stat(self, key: str, value: str, timeout: int) -> None:
        """Called by the guard on each of its rounds. Nobody reads what it would save."""
        beats.guarded()


def _kind() -> type[Broker]:
    """The class that django-q2 would choose; imported late, because each needs other packages."""
    Kind: type[Broker]
    if isinstance(Conf.SQS, dict):
        from operations.supervising.sqs import LateSqs as Kind
    elif Conf.ORM:
        from operations.supervising.polling import QuietOrm as Kind
    else:
        from django_q.brokers.redis_broker import Redis as Kind  # type: ignore[no-redef]
    return type(Kind.__name__, (Patient, Kind), {})


def _package(task: str) -> str:
    name, key = uuid()  # a task that fails is kept under them, as every task
    names = {"id": key, "name": name, "func": task}
    package: str = SignedPackage.dumps(
        {**names, "args": (), "kwargs": {}, "save": False, "started": timezone.now()}
    )
    return package
