"""What one check of the doctor says: how it is, what was seen, and what to do about it."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django.db import DatabaseError
from django.db.models import TextChoices

from operations.figures import Figures
from operations.troubles import Choice, Kind, choose


class Verdict(TextChoices):
    OK = "ok"
    WARN = "warn"  # works, but somebody should know
    FAIL = "FAIL"  # something that people rely on does not work


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report and the cure below it. Never holds a secret."""

    level: Verdict
    seen: str
    cure: str = ""
    name: str = ""
    kinds: tuple[Kind, ...] = ()  # of the troubles that it reports


@dataclass(frozen=True, slots=True)
class Check:
    name: str
    look: Callable[[], Finding]
    needs_database: bool = True
    is_base: bool = False  # if it fails, every check that needs the database is left out

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
        return Finding(Verdict.WARN, seen, name=self.name)


def ok(seen: str) -> Finding:
    return Finding(Verdict.OK, seen)


def warn(seen: str, cure: str) -> Finding:
    return Finding(Verdict.WARN, seen, cure)


def fail(seen: str, cure: str) -> Finding:
    return Finding(Verdict.FAIL, seen, cure)


def troubles_found(choice: Choice) -> Finding | None:
    """The troubles of this choice as one finding, which fails if one of them is a problem."""
    found = choose(Figures(), choice)
    if not found:
        return None
    level = Verdict.FAIL if any(one.level == "problem" for one in found) else Verdict.WARN
    seen, cure = (" ".join(words) for words in zip(*((o.text, o.cure) for o in found), strict=True))
    return Finding(level, seen, cure, kinds=tuple(one.kind for one in found))


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
