"""django-q2's own command, whose cluster ends however often it is asked to."""

import os
import signal
from types import FrameType
from typing import Any

from django_q.cluster import Cluster
from django_q.management.commands.qcluster import Command as PlainCommand


class PatientCluster(Cluster):  # type: ignore[misc]  # django-q2 has no types
    def sig_handler(self, signum: int, frame: FrameType | None) -> None:
        """Stop once. While django-q2 1.11 stops it holds a lock which the next signal's handler,
        run in the midst of it, would wait for in vain: the cluster would go on for ever.

        Signals do come in twos: one because a supervisor died, one from the next supervisor.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        super().sig_handler(signum, frame)


class Command(PlainCommand):  # type: ignore[misc]  # neither has its command
    def handle(self, *args: Any, **options: Any) -> None:
        if options["cluster_name"]:
            os.environ["Q_CLUSTER_NAME"] = options["cluster_name"]
        cluster = PatientCluster()
        cluster.start()
        if options["run_once"]:
            cluster.stop()
