"""Runs Savedesk on this host: web server, queue and research, until told to stop."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from operations.supervising.services import services
from operations.supervising.supervisor import AlreadySupervised, Supervisor

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Run the web server and both clusters, and restart what dies or stops making progress."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default="127.0.0.1", help="Address the web server binds to (127.0.0.1)."
        )
        parser.add_argument(
            "--no-web", action="store_true", help="Only the clusters: a host of workers."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        for words in settings.SUSPICIONS:
            logger.warning("%s", words)
        try:
            Supervisor(services(options["host"], with_web=not options["no_web"])).run()
        except AlreadySupervised as error:
            raise CommandError(str(error)) from error
