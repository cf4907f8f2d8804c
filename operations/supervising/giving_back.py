"""Processes of the research cluster give their connections back after each task.

A question takes Mave half a minute, so a new connection for each costs nothing that anybody sees.
Kept, eight connections of every host would be idle most of the day. The workers of the other
cluster keep theirs, because between them and a brief every millisecond counts.
"""

import os
from typing import Any

from django.db import connections
from django_q.signals import post_execute, post_execute_in_worker

CLUSTER = "research"


def connect() -> None:
    """Have workers and monitor of this cluster close their connections; others keep them."""
    if os.environ.get("Q_CLUSTER_NAME", "").endswith(CLUSTER):
        post_execute_in_worker.connect(_give_back, dispatch_uid="giving back")
        post_execute.connect(_give_back, dispatch_uid="giving back")


def _give_back(**kw: Any) -> None:
    connections.close_all()
