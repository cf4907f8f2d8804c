"""`manage.py sandbox`: the stand-ins for Customer.io and Mavera, in a process of their own."""

import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, get_args

from django.core.management.base import BaseCommand, CommandError

from sandbox.options import Paging
from sandbox.server import Sandbox


class Command(BaseCommand):
    """Serves until SIGTERM or Ctrl-C. Needs no database and no settings of ours."""

    help = "Serve stand-ins for the APIs of Customer.io and Mavera, for trying things out."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        add = parser.add_argument
        add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
        add("--port", type=int, default=8010, help="port; 0 takes a free one (%(default)s)")
        add("--latency", type=float, default=3.0, help="seconds Mave thinks (%(default)s)")
        add("--jitter", type=float, default=0.5, help="most seconds added to it (%(default)s)")
        add("--credits", type=int, default=5000, help="Mavera credits to spend (%(default)s)")
        add("--requests-per-minute", type=int, default=120, help="Mavera's limit (%(default)s)")
        add(
            "--time-scale",
            type=_speed,
            default=1.0,
            help="how many times faster than a clock Mavera's time runs (%(default)s)",
        )
        add(
            "--paging",
            choices=get_args(Paging),
            default="cursor",
            help="how threads are listed (%(default)s)",
        )
        add("--quiet", action="store_true", help="do not print a line for each request")

    def handle(self, *args: Any, **options: Any) -> None:
        sandbox = Sandbox(
            host=options["host"],
            port=options["port"],
            latency=options["latency"],
            jitter=options["jitter"],
            credits=options["credits"],
            requests_per_minute=options["requests_per_minute"],
            time_scale=options["time_scale"],
            paging=options["paging"],
            log=None if options["quiet"] else self._say,
        )
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        try:
            sandbox.start()
        except (OSError, OverflowError) as error:
            raise CommandError(f"Cannot listen on {sandbox.url}: {error}.") from error
        try:
            self._say(f"{sandbox.introduction}Stop it with Ctrl-C.")
            stop.wait()
        finally:
            sandbox.stop()
        self._say("Sandbox stopped.")

    def _say(self, line: str) -> None:
        # Flushed, because the output is often a pipe and its reader waits for the addresses.
        self.stdout.write(line)
        self.stdout.flush()


def _speed(given: str) -> float:
    try:
        number = float(given)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise ArgumentTypeError("it is a number above 0, such as 1 or 60")
    return number
