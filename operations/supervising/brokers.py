"""The broker of BROKER_URL, with a door of its own for the supervisor's knocks.

A task in the broker may be taken by any host. Whether this host's workers still take tasks only
shows by one that nobody else can take: its pusher finds it here, before it asks the broker.
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
Tasks = list[tuple[Any, str]] | None  # each with what it is acknowledged by


def broker(list_key: str | None = None) -> Broker:
    """For django-q2's setting `broker_class`."""
    made = _kind()(list_key=list_key or Conf.CLUSTER_NAME)
    if beats.FILE in os.environ:  # a process of a cluster that is supervised
        made.dequeue = _knocks_first(made.dequeue)
    return made


def _kind() -> type[Broker]:
    """As django-q2 chooses; imported late, because each needs packages of its own."""
    if isinstance(Conf.SQS, dict):
        from django_q.brokers.aws_sqs import Sqs as Kind
    elif Conf.ORM:
        from django_q.brokers.orm import ORM as Kind
    else:
        from django_q.brokers.redis_broker import Redis as Kind
    return Kind  # type: ignore[no-any-return]  # the package is not typed


def _knocks_first(dequeue: Callable[[], Tasks]) -> Callable[[], Tasks]:
    def knock_or_task() -> Tasks:
        return [(None, _package())] if beats.take_knock() else dequeue()

    return knock_or_task


def _package() -> str:
    task = {"id": "knock", "name": "knock", "func": TASK, "args": (), "kwargs": {}, "save": False}
    package: str = SignedPackage.dumps({**task, "started": timezone.now()})
    return package
