"""Which tables keep something about people, how it is found, and what becomes of it on erasure.

Each app registers its tables when it is ready. A test fails for a model without an entry, and for a
column with text that no entry names. `briefs.forgetting` walks over the entries.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.apps import apps
from django.db import models

Rows = models.QuerySet[Any]


@dataclass(frozen=True, slots=True)
class Person:
    """One person as rows know them. `identifiers` by kind, of now and of before, as rows keep them.

    customers: keys of their rows; none for somebody of whom only events are stored.
    names: full names, which are replaced wherever they are quoted. words: all that attributes say
    of who they are, also single names; replaced only where the row is about this person.
    """

    identifiers: Mapping[str, frozenset[str]]
    customers: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


class Fate(StrEnum):
    """What becomes of a row."""

    DELETED = "deleted"
    EMPTIED = "emptied"  # it stays for the figures, without what says who it is
    REPLACED = "replaced"  # what names the person is, in the midst of a text that stays
    TOLD = "told"  # nothing: whoever erases is told, because an edit of rules is the team's


class Wanted(StrEnum):
    """What of a person is looked for in a text."""

    NAMING = "naming"  # identifiers and full names, which mean nobody else
    WORDS = "words"  # also single names and short ids, which may mean somebody else
    BEGINNINGS = "beginnings"  # also what begins like one of these


@dataclass(frozen=True, slots=True)
class Theirs:
    """Rows that are about one person, found by keys and indexes.

    empty: what is done instead of deleting them; returns how many rows it was.
    """

    table: str  # as Django labels the model
    columns: str
    rows: Callable[[Person], Rows]
    found: str  # the same in words
    fate: Fate = Fate.DELETED
    empty: Callable[[Rows, Person], int] | None = None
    harmless: Mapping[str, str] = field(default_factory=dict)  # columns, and why


@dataclass(frozen=True, slots=True)
class Quotes:
    """Rows whose texts may quote anybody: they are searched for all that names the person.

    Of a row that is deleted `texts` says what is searched, where the columns cannot be read by the
    database: packed ones. After a text was replaced, `mend` gives the columns that follow from it.
    among: leaves out rows. wanted: more than what names nobody else only where nobody misses a row
    too many, or where whoever erases is told and decides.
    """

    table: str
    columns: str
    fate: Fate = Fate.REPLACED
    harmless: Mapping[str, str] = field(default_factory=dict)
    texts: Callable[[Any], str] | None = None
    mend: Callable[[Any], dict[str, Any]] | None = None
    among: Callable[[Rows], Rows] | None = None
    wanted: Wanted = Wanted.NAMING


@dataclass(frozen=True, slots=True)
class Nobody:
    """A table in which no customer can be named."""

    table: str
    why: str


Entry = Theirs | Quotes | Nobody
entries: list[Entry] = []


def register(*given: Entry) -> None:
    entries.extend(given)


def theirs() -> Iterator[Theirs]:
    """In the order in which rows may be deleted: what refers to others comes before them."""
    return (one for one in entries if isinstance(one, Theirs))


def quotes() -> Iterator[Quotes]:
    return (one for one in entries if isinstance(one, Quotes))


def model_of(entry: Entry) -> Any:
    return apps.get_model(entry.table)


# A text of these cannot name anybody: numbers, moments, and random tokens.
_WITHOUT_TEXT = (
    models.AutoField, models.BooleanField, models.DateField, models.DecimalField,
    models.DurationField, models.FloatField, models.ForeignKey, models.IntegerField,
    models.TimeField, models.UUIDField,
)  # fmt: skip


def text_columns(model: Any) -> set[str]:
    """The columns that could hold a name. Closed lists of our own words are none."""
    return {
        column.name
        for column in model._meta.concrete_fields
        if not isinstance(column, _WITHOUT_TEXT) and not column.choices
    }


def missing() -> list[str]:
    """Tables without an entry, and columns that none names, in words for whoever added them."""
    named: dict[str, set[str]] = {}
    whole: set[str] = set()
    for entry in entries:
        columns = named.setdefault(entry.table, set())
        if isinstance(entry, Nobody):
            whole.add(entry.table)
        else:
            columns.update(entry.columns.split(), entry.harmless)
    found = []
    for model in apps.get_models(include_auto_created=True):
        label = model._meta.label
        if model._meta.proxy or label in whole:
            continue
        if label not in named:
            found.append(label)
            continue
        left = sorted(text_columns(model) - named[label])
        found += [f"{label}.{column}" for column in left]
    return found


def history_of(label: str, columns: str, **harmless: str) -> Quotes:
    """The entry of the history that django-simple-history keeps of a model."""
    app, _, name = label.partition(".")
    return Quotes(f"{app}.Historical{name}", f"{columns} history_change_reason", harmless=harmless)
