"""Documents and terms as each database compares them: all that is in SQL.

PostgreSQL has a tsvector with the place and the class of each word, which we write ourselves: its
own parser and dictionaries would split and fold in another way than SQLite's. SQLite has a table of
words with a column for each class. Words have letters and digits alone, so neither needs quoting.
"""

import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import OperationalError, connection, models, transaction
from django.db.models.expressions import RawSQL

from briefs.finding.words.documents import MOST_BYTES, MOST_WORDS, Text
from briefs.finding.words.typed import Term
from briefs.models.documents import CLASSES
from briefs.models.watching import WORDS

_GAP = " · "  # no word: so no phrase reaches from one text into the next
# PostgreSQL keeps so many places of a word. The next ones are those of the word with this sign.
_PLACES, _FURTHER = 255, "~"
_OF_A_PLACE = 6  # bytes that a word takes in a tsvector besides its letters, at most
Condition = tuple[str, list[Any]]


def is_postgresql() -> bool:
    return connection.vendor == "postgresql"


# What documents say ---------------------------------------------------------------------------


def vector(texts: Iterable[Text]) -> str:
    """For a tsvector: 'word':3A,17C. Between two texts one place stays empty."""
    places: dict[str, list[str]] = {}
    place = 0
    for of_class, run in _runs(texts):
        for word in run:
            place += 1
            places.setdefault(word, []).append(f"{place}{of_class}")
        place += 1
    return " ".join(
        f"'{word}{_FURTHER * (first // _PLACES)}':{','.join(found[first : first + _PLACES])}"
        for word, found in places.items()
        for first in range(0, len(found), _PLACES)
    )


def columns(texts: Iterable[Text]) -> list[str]:
    """For SQLite: the words of each class."""
    runs: dict[str, list[str]] = {name: [] for name in CLASSES}
    for of_class, run in _runs(texts):
        runs[of_class].append(" ".join(run))
    return [_GAP.join(filter(None, runs[name])) for name in CLASSES]


def _runs(texts: Iterable[Text]) -> Iterator[tuple[str, list[str]]]:
    """What of them a document takes, on both databases the same; each run with its class."""
    words, room = MOST_WORDS, MOST_BYTES
    for one in texts:
        for run in one.runs:
            taken = run[: max(0, words)]
            for number, word in enumerate(taken):
                room -= len(word.encode()) + _OF_A_PLACE
                if room < 0:
                    taken, words = taken[:number], 0
                    break
            words -= len(taken) + 1
            yield one.of_class, taken


def write(
    model: type[models.Model], rows: Sequence[tuple[int, list[Text], dict[str, Any]]]
) -> None:
    """Write the documents of these keys anew, with these further columns."""
    vectors = [vector(texts) if is_postgresql() else "" for _, texts, _ in rows]
    names = {name for _, _, more in rows for name in more}
    model._default_manager.bulk_create(
        [
            model(id=key, words=words, **more)
            for (key, _, more), words in zip(rows, vectors, strict=True)
        ],
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["words", *sorted(names)],
    )
    if not is_postgresql():
        table = WORDS[model._meta.db_table]
        with connection.cursor() as cursor:
            keys = json.dumps([key for key, _, _ in rows])
            cursor.execute(
                f"DELETE FROM {table} WHERE rowid IN (SELECT value FROM json_each(%s))",  # noqa: S608 - our own name
                [keys],
            )
            cursor.executemany(
                f"INSERT INTO {table} (rowid, a, b, c, d) VALUES (%s, %s, %s, %s, %s)",  # noqa: S608 - the same
                [[key, *columns(texts)] for key, texts, _ in rows],
            )


def saying_otherwise(model: type[models.Model], said: Mapping[int, list[Text]]) -> list[int]:
    """Of the documents of these keys those that are not what `write` would write of these texts."""
    with connection.cursor() as cursor:
        if is_postgresql():
            rows = [{"id": key, "words": vector(texts)} for key, texts in said.items()]
            cursor.execute(
                f"SELECT d.id FROM {model._meta.db_table} d "  # noqa: S608 - our own name
                "JOIN json_to_recordset(%s::json) AS said (id bigint, words text) USING (id) "
                "WHERE d.words <> said.words::tsvector ORDER BY d.id",
                [json.dumps(rows)],
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute(
            f"SELECT rowid, a, b, c, d FROM {WORDS[model._meta.db_table]} "  # noqa: S608 - the same
            "WHERE rowid IN (SELECT value FROM json_each(%s))",
            [json.dumps(list(said))],
        )
        written = {key: list(words) for key, *words in cursor.fetchall()}
    return sorted(key for key, texts in said.items() if written.get(key) != columns(texts))


# What is asked for ----------------------------------------------------------------------------


def said(
    model: type[models.Model],
    term: Term,
    classes: str = CLASSES,
    keys: Sequence[int] = (),
    *,
    whole: bool = False,
) -> Condition:
    """That the document `d` says the term, in a text of one of these classes.

    `keys`: of the documents that are asked, where they are known. SQLite, which lists all that say
    it, then does so for this part of its table.
    """
    asked: list[Any] = [_query(term, classes, whole)]
    if is_postgresql():
        return "d.words @@ %s::tsquery", asked
    words = WORDS[model._meta.db_table]
    where = f"{words} MATCH %s"
    if keys:
        where += " AND rowid BETWEEN %s AND %s"
        asked += [min(keys), max(keys)]
    return f"d.id IN (SELECT rowid FROM {words} WHERE {where})", asked  # noqa: S608 - our own name


def of_row(column: str, model: type[models.Model], term: Term) -> Condition:
    """That the document whose key is in this column says the term, of however many that do."""
    asked = _query(term, CLASSES, whole=False)
    if is_postgresql():
        table = model._meta.db_table
        return (
            f"EXISTS (SELECT 1 FROM {table} AS own WHERE own.id = {column} "  # noqa: S608 - our own name
            "AND own.words @@ %s::tsquery)",
            [asked],
        )
    words = WORDS[model._meta.db_table]
    return f"{column} IN (SELECT rowid FROM {words} WHERE {words} MATCH %s)", [asked]  # noqa: S608 - ours


def _query(term: Term, classes: str, whole: bool) -> str:
    ways = [(way, term.goes_on(way[-1]) and not whole) for way in term.ways]
    if is_postgresql():
        named = "" if classes == CLASSES else classes
        return " | ".join(_tsquery(way, named, goes_on) for way, goes_on in ways)
    phrases = [f'"{" ".join(way)}"{"*" * goes_on}' for way, goes_on in ways]
    return f"{{{' '.join(classes.lower())}}} : ({' OR '.join(phrases)})"


def _tsquery(way: Sequence[str], classes: str, goes_on: bool) -> str:
    """('ann':A <-> 'doe':*A); before the next word each one may be in any of its places."""
    *firsts, last = way
    if not firsts:
        return _lexeme(last, classes, goes_on)
    words = [_at_any_place(word, classes) for word in firsts]
    words.append(_lexeme(last, classes, goes_on) if goes_on else _at_any_place(last, classes))
    return f"({' <-> '.join(words)})"


def _at_any_place(word: str, classes: str) -> str:
    return f"({_lexeme(word, classes, False)} | {_lexeme(word + _FURTHER, classes, True)})"


def _lexeme(word: str, classes: str, goes_on: bool) -> str:
    marks = f"{'*' * goes_on}{classes}"
    return f"'{word}'" + f":{marks}" * bool(marks)


def any_of(column: str, values: Sequence[str]) -> Condition:
    """That the column has one of these values: one parameter, however many they are."""
    if is_postgresql():
        return f"{column} = ANY(%s)", [list(values)]
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(values))]  # noqa: S608 - ours


def any_key(column: str, keys: Sequence[int]) -> Condition:
    """The same for numbers."""
    if is_postgresql():
        return f"{column} = ANY(%s::bigint[])", [_array(keys)]
    return f"{column} IN (SELECT value FROM json_each(%s))", [json.dumps(list(keys))]  # noqa: S608 - ours


def among(rows: Any, keys: Iterable[int]) -> Any:
    """Of these rows those with these keys."""
    return rows.filter(pk__in=as_one(keys))


def as_one(keys: Iterable[int]) -> RawSQL:
    """Many keys as one parameter, to be compared by `in`: Django looks at each of a list."""
    if is_postgresql():
        return RawSQL("SELECT unnest(%s::bigint[])", [_array(keys)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(keys))])


def _array(keys: Iterable[int]) -> str:
    """As PostgreSQL reads it. The driver looks at each of a list's thousands of numbers."""
    return f"{{{','.join(map(str, keys))}}}"


# Asking ---------------------------------------------------------------------------------------


class TooSlow(Exception):
    """The database gave up a search that took too long."""


class Statements:
    """What one search asks the database: on PostgreSQL all of it within one time.

    There a search always begins in an index: where the planner takes a word for more common than it
    is, it would read all documents.
    """

    LEAST = 25  # milliseconds: a statement that comes late may be the one that finds most

    def __init__(self) -> None:
        self._taken = 0.0

    def rows(
        self, sql: str, given: Sequence[Any], *, by_key: bool = False, share: float = 1
    ) -> list[Any]:
        """Raises TooSlow.

        `by_key`: the documents of some rows are to be read by their keys. `share`: of the time, at
        most; the rest is for what is asked instead.
        """
        began = time.monotonic()
        try:
            return self._asked(sql, given, by_key, share)
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") == "57014":  # cancelled by its time
                raise TooSlow from error
            raise
        finally:
            self._taken += time.monotonic() - began

    def _asked(self, sql: str, given: Sequence[Any], by_key: bool, share: float) -> list[Any]:
        with connection.cursor() as cursor:
            if not is_postgresql():
                cursor.execute(sql, given)
                return list(cursor.fetchall())
            in_all = settings.SEARCH_MILLISECONDS
            left = max(self.LEAST, min(int(share * in_all), in_all - int(1_000 * self._taken)))
            wanted = ("off", "off" if by_key else "on", str(left))
            if connection.in_atomic_block:
                return _within(cursor, wanted, sql, given)
            # In one message: PostgreSQL takes both for one transaction, with which the settings
            # end. Each further message would take as long as a quick search.
            cursor.execute(f"{_SET}; {sql}", [*wanted, *given])
            cursor.nextset()
            return list(cursor.fetchall())


_NAMES = ("enable_seqscan", "enable_bitmapscan", "statement_timeout")
_SET = f"SELECT {', '.join(f'set_config({name!r}, %s, true)' for name in _NAMES)}"


def _within(cursor: Any, wanted: Sequence[str], sql: str, given: Sequence[Any]) -> list[Any]:
    """In a transaction that goes on: the settings are put back, also where the search fails."""
    with transaction.atomic():
        cursor.execute(f"SELECT {', '.join(f'current_setting({name!r})' for name in _NAMES)}")
        before = cursor.fetchone()
        cursor.execute(_SET, wanted)
        cursor.execute(sql, given)
        found = list(cursor.fetchall())
        cursor.execute(_SET, before)
    return found
