"""What a promise is, and what breaks it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from django.db.models import Count, Model, Q, QuerySet

MOST = 1_000  # of the rows that break one promise; there may be more
# The sweep comes once a minute. What it has left alone for so long, nobody takes care of.
LONG_AGO = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Broken:
    """One row that breaks a promise."""

    kind: str  # what the row is: event, brief, call
    key: int | str
    words: str  # what is wrong with it

    def __str__(self) -> str:
        return f"{self.kind} {self.key}: {self.words}"


Look = Callable[[datetime], Iterator[Broken]]


@dataclass(frozen=True, slots=True)
class Promise:
    """What always holds. `look` yields what breaks it, given the time of the snapshot."""

    name: str  # for programs
    words: str
    cure: str  # what to do if it is broken
    rows: type[Model] | Callable[[], QuerySet[Any]]  # that are looked at
    look: Look

    def broken(self, now: datetime) -> list[Broken]:
        """The rows that break it, one more than MOST if there are more."""
        return list(islice(self.look(now), MOST + 1))


def promise(
    words: str, rows: type[Model] | Callable[[], QuerySet[Any]], cure: str
) -> Callable[[Look], Promise]:
    """Make a promise of the function that looks for what breaks it, under the function's name."""
    return lambda look: Promise(look.__name__, words, cure, rows, look)


def told(kind: str, rows: QuerySet[Any], words: str) -> Iterator[Broken]:
    """All of these rows, with the same words."""
    for key in rows.order_by("pk").values_list("pk", flat=True)[: MOST + 1]:
        yield Broken(kind, key, words)


def unfit(kind: str, rows: QuerySet[Any], conditions: Mapping[str, Q]) -> Iterator[Broken]:
    """Those of these rows that meet a condition, with the words of each that they meet."""
    for words, condition in conditions.items():
        yield from told(kind, rows.filter(condition), words)


def repeated(rows: QuerySet[Any], column: str) -> Iterator[tuple[Any, int]]:
    """The values that the column has in several of these rows, and in how many."""
    counted = rows.order_by().values_list(column).annotate(number=Count("pk"))
    yield from counted.filter(number__gt=1)[: MOST + 1]
