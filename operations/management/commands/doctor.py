"""Says what is wrong with an installation, and what to do about it."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from operations import doctor, scheduling
from operations.doctor import Finding, Verdict
from operations.doctor.address import base


class Command(BaseCommand):
    help = (
        "Check settings, database, workers, Customer.io and Mavera, and say what to do about "
        "what is wrong. docs/connect.md explains each line. Ends with 1 if a check fails."
    )
    requires_system_checks = ()  # they are one of the checks

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--url",
            default="",
            help="The public address to be checked too, https://your-host; else PUBLIC_URL.",
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="First put right what can be put right without asking: the sweep's schedule.",
        )
        parser.add_argument("--json", action="store_true", help="For programs.")

    def handle(self, *args: Any, **options: Any) -> None:
        url = base(options["url"] or settings.PUBLIC_URL)
        if options["url"] and not url:
            raise CommandError("--url must be a whole address: https://your-host")
        if options["repair"]:
            self._repair(self.stderr if options["json"] else self.stdout)
        findings = doctor.examine(doctor.everything(url))
        if options["json"]:
            found = list(findings)
            self.stdout.write(json.dumps(_report(found), indent=2))
        else:
            found = self._tell(findings)
            if not url:
                self.stdout.write("The public address was not checked: give it with --url.")
        failed = _count(found, Verdict.FAIL)
        summary = f"{len(found)} checks: {failed} failed, {_count(found, Verdict.WARN)} to look at."
        if failed:
            raise CommandError(summary)
        if not options["json"]:
            self.stdout.write(summary)

    def _repair(self, out: Any) -> None:
        try:
            done = scheduling.repair()
        except DatabaseError as error:
            raise CommandError(
                f"Nothing was repaired: the database failed ({type(error).__name__})"
            ) from None
        for sentence in done or ["Nothing had to be repaired."]:
            out.write(f"repair  {sentence}")

    def _tell(self, findings: Iterable[Finding]) -> list[Finding]:
        """Print each finding as soon as it is known, because some checks wait for the network."""
        styles = {
            Verdict.OK: self.style.SUCCESS,
            Verdict.WARN: self.style.WARNING,
            Verdict.FAIL: self.style.ERROR,
        }
        told = []
        for finding in findings:
            level = styles[finding.level](f"{finding.level:<4}")
            self.stdout.write(f"{level}  {finding.name}: {finding.seen}")
            if finding.cure:
                self.stdout.write(f"      {finding.cure}")
            self.stdout.flush()
            told.append(finding)
        return told


def _count(findings: list[Finding], level: Verdict) -> int:
    return sum(finding.level == level for finding in findings)


def _report(findings: list[Finding]) -> dict[str, Any]:
    return {
        "ok": not _count(findings, Verdict.FAIL),
        "failed": _count(findings, Verdict.FAIL),
        "warned": _count(findings, Verdict.WARN),
        "checks": [{"name": finding.name, **asdict(finding)} for finding in findings],
    }
