"""The queue in the database, asked only when there is something in it, or might be.

django-q2's own broker asks ten times a second, in each cluster of each host. Here whoever puts a
task into the queue also sends a notification (PostgreSQL's NOTIFY), and clusters wait for one. It
may get lost: hosts of an earlier version send none, a task that a killed cluster had taken becomes
free without one, and a pooler between us and the server delivers none. So they also ask now and
then, at first often and then after pauses that grow with the silence.

Tasks are stamped and taken by the database's clock, which all hosts share.
"""

import time
from datetime import timedelta
from typing import Any

from django.db import Error, InterfaceError, OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.functions import Now
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.models import OrmQ

from webhooks.connections import is_ours_alone

CHANNEL = "savedesk_queue"  # of this database alone; the notification's text is the queue's name
# The next pause: this share of the silence so far, and the longest one in seconds.
SHARE, LONGEST_SECONDS = 0.1, 1.0
NOTIFIED_SHARE, NOTIFIED_LONGEST_SECONDS = 0.5, 5.0  # where notifications arrive
LONGEST_WAIT_SECONDS = 0.5  # for one call: in between the cluster looks whether it shall stop


class QuietOrm(ORM):  # type: ignore[misc]  # the package is not typed
    """One queue; each process has its own object, and its own connection."""

    look_at = 0.0  # when to ask next
    busy_at = 0.0  # when there was something in it, the last time
    is_notified = True  # the last task was announced, so the next one probably will be
    _heard_by: Any = None  # the connection that gets notifications

    def enqueue(self, task: str) -> int:
        key = self.list_key or Conf.CLUSTER_NAME
        row = self.get_connection().create(key=key, payload=task, lock=Now())
        database = _database()
        if database.vendor == "postgresql":
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, key])
        return int(row.pk)

    def waiting(self) -> int:
        """How many tasks nobody has taken yet."""
        return int(self.get_connection().filter(key=self.list_key, lock__lte=Now()).count())

    def dequeue(self) -> list[tuple[int, str]] | None:
        """Take a task, or wait a moment for one and return None."""
        pause = self.look_at - time.monotonic()
        is_rung = pause > 0 and self._wait(min(pause, LONGEST_WAIT_SECONDS))
        if not is_rung and time.monotonic() < self.look_at:
            return None
        is_found, taken = self._take()
        now = time.monotonic()
        is_next = self.look_at == self.busy_at  # one more, at once after the one before
        self.is_notified = is_rung or (self.is_notified and (is_next or not is_found))
        if is_found or not self.busy_at:
            self.look_at = self.busy_at = now
        if not is_found:
            self.look_at = now + self._pause(now - self.busy_at)
        return taken or None

    def _pause(self, silence: float) -> float:
        share, longest = SHARE, LONGEST_SECONDS
        if self._heard_by is not None and self.is_notified:
            share, longest = NOTIFIED_SHARE, NOTIFIED_LONGEST_SECONDS
        return min(max(share * silence, float(Conf.POLL)), longest)

    def _wait(self, seconds: float) -> bool:
        """Whether a notification came within these seconds."""
        database = _database()
        if self._heard_by is None or self._heard_by is not database.connection:
            time.sleep(seconds)
            return False
        try:
            with database.wrap_database_errors:
                notices = self._heard_by.notifies(timeout=seconds)
                return any(notice.payload == self.list_key for notice in notices)
        except Error:  # the server ended it; asking connects again
            database.close()
            return True

    def _take(self) -> tuple[bool, list[tuple[int, str]]]:
        """Whether there is something to take, and what of it we took before others did.

        No health check before: the server may have been restarted since, and only then the first
        try fails.
        """
        try:
            return self._take_once()
        except (InterfaceError, OperationalError):
            _database().close()
            return self._take_once()

    def _take_once(self) -> tuple[bool, list[tuple[int, str]]]:
        self._listen()
        free = OrmQ.objects.using(Conf.ORM).filter(key=self.list_key, lock__lte=Now())
        found = list(free.order_by("pk")[: Conf.BULK])
        later = Now() + timedelta(seconds=Conf.RETRY)
        return bool(found), [
            (row.pk, row.payload) for row in found if free.filter(pk=row.pk).update(lock=later)
        ]

    def _listen(self) -> None:
        """Get notifications from now on, so that none is missed after we found nothing."""
        database = _database()
        if database.vendor != "postgresql":
            return
        is_direct = is_ours_alone(database)
        if not is_direct:
            self._heard_by = None
        elif self._heard_by is not database.connection:
            with database.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._heard_by = database.connection


def _database() -> BaseDatabaseWrapper:
    return connections[Conf.ORM]
