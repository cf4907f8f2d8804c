"""Finds briefs and customers by the words of their documents, the best first.

Each term must occur in the brief itself, in its research or in what its persona says. A search that
finds no more than `FEW` briefs knows them all. Of a term that is more common, only the newest
briefs of the list that is shown are looked at, so that no search takes long.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from django.core.exceptions import EmptyResultSet
from django.db.models import Count

from briefs.finding import counting
from briefs.finding.words import matching
from briefs.finding.words.documents import Common, Text
from briefs.finding.words.folding import words
from briefs.finding.words.matching import Condition, Statements, TooSlow
from briefs.finding.words.typed import MOST_TERMS, Term, first, terms
from briefs.models import BriefDocument, CustomerDocument, ResearchDocument
from personas.models import Customer
from personas.models.letters import Folded

if TYPE_CHECKING:
    from briefs.models.queryset import BriefQuerySet

FEW = 2_000  # briefs of a search that is not cut
MOST = 1_000  # briefs of one that is
# Where a term is more common than that, the newest of a list are looked at; more if few are found.
LOOKED_AT = (3_000, 12_000)
ENOUGH = 100
MOST_ANSWERS = 5_000  # of one term that are listed; of more, each brief's own is looked at
MANY_ANSWERS = 1_000  # which more than a few briefs share
RANKED_TERMS = 5
# What a term counts by the class of the text that has it; half as much again as a whole word.
POINTS = {"A": 8, "B": 4, "C": 2, "D": 1}
_NUMBERED, _NO_NUMBER = 20, -1


def search(briefs: "BriefQuerySet", text: str) -> "BriefQuerySet":
    """Of these briefs those in which all of it occurs."""
    return Search(text).narrow(briefs)


class Search:
    """What was typed, and what it finds. Made for one request."""

    def __init__(self, text: str) -> None:
        self.text = text
        asked = terms(text)
        self.terms = first(asked, MOST_TERMS)
        self.is_shortened = len(self.terms) < len(asked)
        self.is_cut = False  # there may be more than it found
        self.is_slow = False  # the database gave a part of it up
        # Of a common word, what was found among the newest of the list that was narrowed last.
        self.newest: list[int] | None = None
        self._database = Statements()

    @property
    def is_complete(self) -> bool:
        """Whether no brief can be missing from what was found so far."""
        return not (self.is_cut or self.is_slow)

    @cached_property
    def hits(self) -> list[int] | None:
        """All briefs that it finds; None if these are more than a few."""
        if not self.terms:
            return []
        if all(term.is_not or self._is_in_many_answers(term) for term in self.terms):
            return None  # the database would find so many, and take its time
        where, given = self._where
        sql = f"SELECT d.id FROM briefs_briefdocument d WHERE {where} LIMIT {FEW + 1}"  # noqa: S608 - ours
        asked = sql, tuple(given)
        if counting.are_many(asked):  # so further pages and other tabs need not read them again
            return None
        try:
            found = self._database.rows(sql, given, share=0.4)
        except TooSlow:
            return None
        if len(found) > FEW:
            counting.note_many(asked)
            return None
        return [key for (key,) in found]

    def _is_in_many_answers(self, term: Term) -> bool:
        if term.ways and len(self._shared[term][0]) >= MANY_ANSWERS:
            return True
        apart = term.wanted_apart
        return bool(apart) and all(self._is_in_many_answers(one) for one in apart)

    def narrow(self, briefs: "BriefQuerySet") -> "BriefQuerySet":
        """Of these briefs those that it finds; of many the newest. All if nothing is typed."""
        if not self.text.strip():
            return briefs
        hits = self.hits
        if hits is None:
            hits = self.newest = self._newest_of(briefs)
        found: BriefQuerySet = matching.among(briefs, hits)
        return found

    def _newest_of(self, briefs: "BriefQuerySet") -> list[int]:
        """Found among the newest of these briefs: in a few of them first, then in more."""
        newest = briefs.order_by("-pk").values_list("id", flat=True)
        among = self._joined if matching.is_postgresql() else self._of_keys
        found: list[int] = []
        first = 0
        for last in LOOKED_AT:
            try:
                part, has_more = among(newest, first, last)
            except TooSlow:
                self.is_slow = self.is_cut = True
                break
            except EmptyResultSet:  # Django knows without asking that there is none
                return []
            found += part
            first = last
            self.is_cut = has_more or len(found) >= MOST
            if len(found) >= ENOUGH or not has_more:
                break
        return found[:MOST]

    def _joined(self, newest: Any, first: int, last: int) -> tuple[list[int], bool]:
        """Of the rows from `first` to `last` those that it finds, the newest first; whether there
        are more rows. PostgreSQL reads no further than to the last one that is wanted.
        """
        sql, values = newest[first:last].query.sql_with_params()
        where, given = self._where
        statement = (
            f"SELECT d.id FROM ({sql}) AS shown "  # noqa: S608 - Django's and our own names
            f"JOIN briefs_briefdocument d ON d.id = shown.id WHERE {where} "
            f"ORDER BY d.id DESC LIMIT {MOST}"
        )
        rows = self._database.rows(statement, [*values, *given], by_key=True)
        return [key for (key,) in rows], len(rows) >= MOST or newest[last : last + 1].exists()

    def _of_keys(self, newest: Any, first: int, last: int) -> tuple[list[int], bool]:
        """The same for SQLite, which then lists the documents of a term for these keys alone."""
        keys = list(newest[first : last + 1])  # one more tells that there are more
        shown = keys[: last - first]
        if not shown:
            return [], False
        of_keys, given = matching.any_key("d.id", shown)
        where, values = _all_of(self.terms, lambda term: self._anywhere(term, shown))
        statement = (
            f"SELECT d.id FROM briefs_briefdocument d WHERE {of_keys} AND {where} "  # noqa: S608 - the same
            f"ORDER BY d.id DESC LIMIT {MOST}"
        )
        rows = self._database.rows(statement, [*given, *values])
        return [key for (key,) in rows], len(rows) >= MOST or len(keys) > len(shown)

    @cached_property
    def common(self) -> Common:
        return Common()

    @cached_property
    def _shared(self) -> dict[Term, tuple[list[int], dict[str, float]]]:
        """For each term the answers that say it, and the cases with what they count for it.

        Of the answers at most one more than MOST_ANSWERS.
        """
        asked = (one for term in self.terms for one in term.readings if one.ways)
        return {one: (self._answers(one), self._cases(one)) for one in dict.fromkeys(asked)}

    def _answers(self, term: Term) -> list[int]:
        sql, given = matching.said(ResearchDocument, term)
        statement = (
            f"SELECT d.id FROM briefs_researchdocument d WHERE {sql} LIMIT {MOST_ANSWERS + 1}"  # noqa: S608 - ours
        )
        try:
            return [key for (key,) in self._database.rows(statement, given)]
        except TooSlow:
            self.is_slow = True
            return []

    def _cases(self, term: Term) -> dict[str, float]:
        said = {text: best for text in self.common.texts if (best := _points(term, text))}
        if not said:  # nearly always: there are hundreds of cases, and a few dozen texts
            return {}
        found = {
            case: max((said[text] for text in texts if text in said), default=0)
            for case, texts in self.common.cases.items()
        }
        return {case: points for case, points in found.items() if points}

    @cached_property
    def _where(self) -> Condition:
        return _all_of(self.terms, self._anywhere)

    def _anywhere(self, term: Term, keys: Sequence[int] = ()) -> Condition:
        """`keys`: as for `matching.said`."""
        conditions: list[Condition] = []
        if term.number is not None:
            conditions.append(("d.id = %s", [term.number]))
        if term.ways:
            answers, cases = self._shared[term]
            conditions.append(matching.said(BriefDocument, term, keys=keys))
            if len(answers) > MOST_ANSWERS:
                conditions.append(matching.of_row("d.research", ResearchDocument, term))
            elif answers:
                conditions.append(matching.any_key("d.research", answers))
            if cases:
                conditions.append(matching.any_of("d.persona_kind", list(cases)))
        if term.apart:
            conditions.append(_all_of(term.apart, lambda one: self._anywhere(one, keys)))
        return _any_of(conditions)

    # The best first.

    def ranked(self, keys: Sequence[int]) -> list[int]:
        """These briefs that it found, the best first, and the newest of equals."""
        asked = first((term for term in self.terms if not term.is_not), RANKED_TERMS)
        read = list(dict.fromkeys(one for term in asked for one in (term, *term.wanted_apart)))
        said = [_said_in(BriefDocument, one, keys) for one in read]
        columns = "".join(f", {sql}" for sql, _ in said)
        where, values = matching.any_key("d.id", keys)
        sql = (
            f"SELECT d.id, d.persona_kind{columns} "  # noqa: S608 - of our own names
            f"FROM briefs_briefdocument d WHERE {where}"
        )
        given = [value for _, values in said for value in values] + values
        try:
            rows = self._database.rows(sql, given)
        except TooSlow:
            self.is_slow = True
            return sorted(keys, reverse=True)
        numbers = {term.number for term in read}

        @cache  # most rows say the same as others do
        def total(number: int, case: str, *found: Any) -> float:
            own = dict(zip(read, map(float, found), strict=True))
            return sum(self._total(term, number, case, own) for term in asked)

        points = {key: total(key if key in numbers else _NO_NUMBER, *said) for key, *said in rows}
        return sorted(keys, key=lambda key: (points.get(key, 0), key), reverse=True)

    def _total(self, term: Term, number: int, case: str, own: dict[Term, float]) -> float:
        """Where neither the brief's own texts nor its persona's say it, its research does.

        Words that were found apart count as the least of them does.
        """
        if term.number == number:
            return _NUMBERED
        points = [0.0]
        if term.ways:
            points += [own[term], self._shared[term][1].get(case, 0), POINTS["D"]]
        if apart := term.wanted_apart:
            points.append(min(self._total(one, number, case, own) for one in apart))
        return max(points)

    # Customers and companies.

    @cached_property
    def customer_keys(self) -> list[int]:
        """Customers who are found by themselves, with or without briefs: the newest of FEW."""
        if not any(one.ways and not one.is_not for term in self.terms for one in term.readings):
            return []
        where, given = _all_of(self.terms, _of_customer)
        statement = f"SELECT d.id FROM briefs_customerdocument d WHERE {where} LIMIT {FEW}"  # noqa: S608 - ours
        try:
            found = self._database.rows(statement, given)
        except TooSlow:
            self.is_slow = True
            return []
        return sorted((key for (key,) in found), reverse=True)

    def customers(self, most: int) -> list[Customer]:
        rows = Customer.objects.in_bulk(self.customer_keys[:most])
        return [rows[key] for key in self.customer_keys[:most] if key in rows]

    @cached_property
    def companies(self) -> list[str]:
        """Those whose names say all of it, of all customers that it finds: most people first.

        A name that is written in several cases is there once, as most write it.
        """
        if not self.customer_keys:
            return []
        theirs = matching.among(Customer.objects.exclude(company=""), self.customer_keys)
        named = theirs.order_by().values_list("company", Folded("company"))
        asked = [term for term in self.terms if (term.ways or term.apart) and not term.is_not]
        found: dict[str, str] = {}
        for name, folded, _ in named.annotate(people=Count("pk")).order_by("-people", "company"):
            if all(_is_said(term, words(name)) for term in asked):
                found.setdefault(folded, name)  # as the database folds: so does the page
        return list(found.values())


def _all_of(terms: Iterable[Term], condition: Callable[[Term], Condition]) -> Condition:
    """That each of these terms meets its condition, or does not if it is a -not."""
    parts, given = [], []
    for term in terms:
        sql, values = condition(term)
        parts.append(f"NOT ({sql})" if term.is_not else f"({sql})")
        given += values
    return " AND ".join(parts), given


def _any_of(conditions: Sequence[Condition]) -> Condition:
    sql = " OR ".join(f"({sql})" for sql, _ in conditions)
    return sql, [value for _, values in conditions for value in values]


def _of_customer(term: Term) -> Condition:
    conditions = [matching.said(CustomerDocument, term) if term.ways else ("1 = 0", [])]
    if term.apart:
        conditions.append(_all_of(term.apart, _of_customer))
    return _any_of(conditions)


def _points(term: Term, text: Text) -> float:
    if not any(term.occurs(run) for run in text.runs):
        return 0
    points = POINTS[text.of_class]
    return points * 1.5 if any(term.is_whole(run) for run in text.runs) else points


def _is_said(term: Term, words: Sequence[str]) -> bool:
    """In either reading."""
    if term.occurs(words):
        return True
    return bool(term.apart) and all(one.is_not != one.occurs(words) for one in term.apart)


def _said_in(model: Any, term: Term, keys: Sequence[int]) -> Condition:
    """What the document, which has one of these keys, counts for the term: an expression."""
    if not term.ways:
        return "0", []
    cases, given = [], []
    for of_class in "ABC":
        as_whole = matching.said(model, term, of_class, keys, whole=True)
        begun = matching.said(model, term, of_class, keys)
        # A phrase in quotes is whole wherever it is.
        asked = [(as_whole, 1.5), (begun, 1)] if begun != as_whole else [(as_whole, 1.5)]
        for (sql, values), times in asked:
            cases.append(f"WHEN {sql} THEN {POINTS[of_class] * times}")
            given += values
    return f"CASE {' '.join(cases)} ELSE 0 END", given
