"""Processes that a demo or a benchmark starts beside the sandbox, and a port for them."""

import random
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class Failed(Exception):
    """A step of the demo or the benchmark failed."""


@dataclass
class Processes:
    """Management commands that were started; `stop` leaves none behind."""

    environment: dict[str, str]
    folder: Path = ROOT  # whose manage.py: another release's, to run both at once
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)
    logs: list[Path] = field(default_factory=list)  # of each of these

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end and return what it printed."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "manage.py", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise Failed(f"manage.py {arguments[0]} failed:\n{done.stdout}{done.stderr}")
        return done.stdout

    def start(self, log: Path, *arguments: str) -> None:
        """Start a management command that stays; what it says goes to a file."""
        self.logs.append(log)
        with log.open("ab") as output:
            self.running.append(
                subprocess.Popen(  # noqa: S603 - our own command
                    [sys.executable, "manage.py", *arguments],
                    cwd=self.folder,
                    env=self.environment,
                    stdout=output,
                    stderr=output,
                    start_new_session=True,  # Ctrl-C reaches only us, and we call `stop`
                )
            )

    def check(self) -> None:
        for process, log in zip(self.running, self.logs, strict=True):
            if process.poll() is not None:
                words = f"a process ended by itself: {process.args!r}"
                raise Failed(f"{words}. Why stands at the end of {log}")

    def stop(self) -> None:
        """Send SIGTERM, wait, in the end kill: those that started last end first."""
        for process in reversed(self.running):
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGTERM)  # the supervisor ends at once when asked twice
                try:
                    process.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


# Systems give higher ones to whoever connects or asks for any port, from 32768 or 49152 on.
GIVEN_TO_NOBODY = range(15_000, 32_000)


def free_port(wanted: int) -> int:
    """The wanted port if nobody has it, else a free one that stays free until it is used."""
    any_port = random.sample(GIVEN_TO_NOBODY, 100)
    for port in [wanted, *any_port] if wanted else any_port:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise Failed("no free port on 127.0.0.1")
