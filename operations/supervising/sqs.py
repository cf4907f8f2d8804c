"""SQS, connected when it is first needed and with the time-outs of all brokers.

django-q2 asks for the queue as soon as its broker is made: a cluster would not start while SQS is
away, its processes would share the connection over their fork, and an answer is waited for
for minutes. A queue that was deleted is made anew.
"""

import os
from typing import Any

from botocore.config import Config
from django.conf import settings
from django_q.brokers.aws_sqs import Sqs
from django_q.conf import Conf

SHORTEST_SECONDS = 1.0  # AWS may be an ocean away


class LateSqs(Sqs):  # type: ignore[misc]  # the package is not typed
    """One queue; each process connects by itself."""

    _found: Any = None
    _process = 0  # in which it was found

    def get_queue(self) -> None:
        """Called when it is made: not yet."""

    @property
    def queue(self) -> Any:
        if self._found is None or self._process != os.getpid():
            self._process = os.getpid()
            # A session is not to be shared over a fork either.
            self.sqs = self.get_connection().resource("sqs", config=_limits())
            names = self.sqs.meta.client.exceptions
            try:
                self._found = self.sqs.get_queue_by_name(QueueName=self.list_key)
            except names.QueueDoesNotExist:
                self._found = self.sqs.create_queue(QueueName=self.list_key)
        return self._found

    @queue.setter
    def queue(self, found: None) -> None:
        self._found = found

    def enqueue(self, task: str) -> Any:
        try:
            return super().enqueue(task)
        except Exception:
            self._found = None  # it may be a new queue by the next call
            raise

    def dequeue(self) -> Any:
        try:
            return super().dequeue()
        except Exception:
            self._found = None
            raise

    def delete(self, task_id: str) -> None:
        self.queue.meta.client.delete_message(QueueUrl=self.queue.url, ReceiptHandle=task_id)

    def queue_size(self) -> int:
        """Asked anew each time; boto3 would keep the first answer."""
        self.queue.load()
        size: int = super().queue_size()
        return size


def _limits() -> Config:
    """One try each, as long as any broker may take, and as SQS itself may wait for a task."""
    seconds = max(settings.BROKER_SECONDS, SHORTEST_SECONDS)
    poll_seconds: int = Conf.SQS["receive_message_wait_time_seconds"]
    return Config(
        connect_timeout=seconds,
        read_timeout=seconds if settings.IS_WEB else seconds + poll_seconds,
        retries={"total_max_attempts": 1},
    )
