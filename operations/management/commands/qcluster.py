"""django-q2's own command, with a cluster that also ends if it is asked to stop twice."""

import os
import signal
from types import FrameType
from typing import Any

from django_q.cluster import Cluster
from django_q.management.commands.qcluster import Command as PlainCommand


class PatientCluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Stop at the first signal, and ignore the next ones.

        While it stops, django-q2 1.11 holds a lock. The handler of a second signal would wait for
        that lock for ever, and the cluster would never end. Two signals do come: one because a
        supervisor died, one from the next supervisor.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        super().sig_handler(signum, frame)


class Command(PlainCommand):  # type: ignore[misc]  # nor has its command
    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster_name"]:
            os.environ["Q_CLUSTER_NAME"] = options["cluster_name"]
        cluster = PatientCluster()
        cluster.start()
        if options["run_once"]:
            cluster.stop()
