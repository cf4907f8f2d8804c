"""`manage.py demo`: see the whole product work in a minute, on this machine alone."""

import os
import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sandbox import story
from sandbox.demo import Demo
from sandbox.processes import Failed


class Command(BaseCommand):
    """Stays up until Ctrl-C, or with `--once` ends after its last step."""

    help = "Start Savedesk beside the sandbox, send webhooks and tell what happens."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="end after the last step")
        parser.add_argument(
            "--port",
            type=int,
            default=os.environ.get("PORT") or "8000",  # words, so that they are checked as well
            help="wanted port; another one if it is taken (PORT, else 8000)",
        )
        parser.add_argument(
            "--latency", type=float, default=3.0, help="seconds Mave thinks (%(default)s)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()

        def end(*_: Any) -> None:
            if stop.is_set():
                return
            stop.set()
            raise KeyboardInterrupt

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end)
        demo = Demo(self._say, port=options["port"], latency=options["latency"])
        try:
            story.tell(demo)
            if options["once"]:
                self._say("\nEverything came true.")
            else:
                story.now_try(demo)
                while True:
                    demo.processes.check()
                    stop.wait(1)
        except Failed as error:
            raise CommandError(f"The demo stopped: {error}") from error
        except KeyboardInterrupt:
            self._say("\nStopping …")
        finally:
            stop.set()
            demo.stop()

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
