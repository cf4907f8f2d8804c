"""What one check of the doctor says: how it is, what was seen, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import DatabaseError
from django.db.models import TextChoices


class Level(TextChoices):
    OK = "ok"
    WARN = "warn"  # works, but somebody should know
    FAIL = "FAIL"  # something that people rely on does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report and the cure below it. Never holds a secret."""

    level: Level
    seen: str
    cure: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    look: Callable[[], Finding]
    needs_database: bool = True
    is_base: bool = False  # if it fails, whatever needs the database is left out

    def run(self) -> Finding:
        try:
            finding = self.look()
        except DatabaseError as error:
            finding = fail(
                f"the database failed ({type(error).__name__})", "See “database” and “migrations”."
            )
        return replace(finding, name=self.name)

    def left_out(self) -> Finding:
        seen = "not checked, because the database cannot be read"
        return Finding(Level.WARN, seen, name=self.name)


def ok(seen: str) -> Finding:
    return Finding(Level.OK, seen)


def warn(seen: str, cure: str) -> Finding:
    return Finding(Level.WARN, seen, cure)


def fail(seen: str, cure: str) -> Finding:
    return Finding(Level.FAIL, seen, cure)


def number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
