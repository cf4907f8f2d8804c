"""The broker of BROKER_URL, which also gives a cluster the knocks of its own supervisor.

Any host may take a task from the broker. Only a task that no other host can take shows whether the
workers of this host still take tasks. Their pusher gets it here, before it asks the broker.
"""

import os
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django_q.brokers import Broker
from django_q.conf import Conf
from django_q.signing import SignedPackage

from operations.supervising import beats

TASK = "briefs.tasks.knock"
Tasks = list[tuple[Any, str]] | None  # each after the id by which it is acknowledged


def broker(list_key: str | None = None) -> Broker:
    """For django-q2's setting `broker_class`."""
    made = _broker_class()(list_key=list_key or Conf.CLUSTER_NAME)
    if beats.FILE in os.environ:  # a process of a cluster that is supervised
        made.dequeue = _knocks_first(made.dequeue)
    return made


def _broker_class() -> type[Broker]:
    """The class that django-q2 would choose; imported late, because each needs other packages."""
    if isinstance(Conf.SQS, dict):
        from django_q.brokers.aws_sqs import Sqs as Kind
    elif Conf.ORM:
        from operations.supervising.polling import QuietOrm as Kind
    else:
        from django_q.brokers.redis_broker import Redis as Kind
    return Kind  # type: ignore[no-any-return]  # the package is not typed


def _knocks_first(dequeue: Callable[[], Tasks]) -> Callable[[], Tasks]:
    def knock_or_task() -> Tasks:
        if not beats.take_knock():
            return dequeue()
        names = {"id": "knock", "name": "knock", "func": TASK}
        task = {**names, "args": (), "kwargs": {}, "save": False, "started": timezone.now()}
        return [(None, SignedPackage.dumps(task))]

    return knock_or_task
