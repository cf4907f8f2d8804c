"""What monitoring, logs and the database call this process: its version, service and host."""

import socket
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

LONGEST = 63  # bytes of an application_name; PostgreSQL cuts off the rest
CLUSTERS = {"default": "queue"}  # as the supervisor calls it


def version(folder: Path) -> str:
    with (folder / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["version"])


def host() -> str:
    return socket.gethostname()


def service(environment: Mapping[str, str], arguments: Sequence[str]) -> str:
    """`web`, a cluster's name, or the command of manage.py that runs: `supervise`, `migrate`."""
    if environment.get("SAVEDESK_PROCESS") == "web":
        return "web"
    if cluster := environment.get("Q_CLUSTER_NAME"):
        return CLUSTERS.get(cluster, cluster)
    is_command = len(arguments) > 1 and arguments[0].endswith("manage.py")
    return arguments[1] if is_command else "python"


def application(service: str, host: str) -> str:
    """The application_name of a connection to PostgreSQL, of ASCII alone."""
    name = f"savedesk-{service}@{host}".encode("ascii", "replace")
    return name[:LONGEST].decode()
