"""Writes all documents of the search anew."""

from typing import Any

from django.core.management.base import BaseCommand

from briefs.finding.words import indexing
from operations.management.commands.reprocess_events import Progress


class Command(BaseCommand):
    help = (
        "Write what searches look through anew, the newest briefs first. Searches go on "
        "meanwhile, and so does all other work. It may be stopped: begun again, it goes on. The "
        "sweep would do the same in the background, more slowly."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if indexing.is_built():
            indexing.begin_anew()
        progress, written = Progress(indexing.left()), 0
        for number in indexing.build_all():
            written += number
            progress(min(written, progress.total))
        self.stdout.write(f"{written:,} documents written.")
