"""Where a search found a brief: a piece of the text around it, with the words that match marked."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from briefs.finding.words import documents, folding
from briefs.finding.words.documents import Common, Text
from briefs.finding.words.typed import Term
from briefs.models import Brief

MOST = 2  # of a brief
AROUND = 60  # characters before and after what was found
_SHOWN_ANYWAY = ("Name", "Persona", "Signal")  # each row of a list has them
_SIGNS = re.compile(r"(?:[*`|~]|^[#>]+|\[\d+\]|\s)+", re.M)  # of Markdown, and line ends


@dataclass(frozen=True, slots=True)
class Snippet:
    label: str
    parts: list[tuple[str, bool]]  # a piece, and whether it is marked


def snippets(
    terms: Iterable[Term], briefs: Sequence[Brief], common: Common
) -> dict[int, list[Snippet]]:
    """By brief, for those that have any. What a row of the list shows anyway is left out.

    Each brief needs its customer loaded, with the texts of a document. Further texts are read only
    of briefs whose customers do not say it all: their own first, then their research.
    """
    asked = [term for term in terms if (term.ways or term.apart) and not term.is_not]
    unsaid = [brief for brief in briefs if _Found(asked).look([_name(brief)]).left]
    if not unsaid:
        return {}
    who = documents.of_loaded_customers({brief.customer for brief in unsaid})
    found = {brief.pk: _Found(asked).look(who[brief.customer_id]) for brief in unsaid}

    unsaid = [brief for brief in unsaid if found[brief.pk].left]
    own = documents.own_of_briefs([brief.pk for brief in unsaid]) if unsaid else {}
    for brief in unsaid:
        shared = common.of(brief.persona_id, brief.kind)
        found[brief.pk].look([*own.get(brief.pk, []), *shared])

    unsaid = [brief for brief in unsaid if found[brief.pk].left]
    answers = documents.of_answers({brief.research_id for brief in unsaid if brief.research_id})
    for brief in unsaid:
        found[brief.pk].look(answers.get(brief.research_id or 0, []))
    return {key: one.snippets for key, one in found.items() if one.snippets}


class _Found:
    """What was found of these terms in the texts of one brief."""

    def __init__(self, asked: Sequence[Term]) -> None:
        """`asked`: each in the one reading or in the other."""
        self._asked = asked
        self.terms = list(dict.fromkeys(one for term in asked for one in _wanted(term)))
        self.left: Sequence[Term] = self.terms  # those that no text said yet
        self.snippets: list[Snippet] = []

    def look(self, texts: Iterable[Text]) -> Self:
        """A snippet for each text that says a term which none before it said; MOST in all."""
        for text in sorted(texts, key=lambda one: one.of_class):
            if not self.left:
                break
            left: Sequence[Term] = [term for term in self.left if not _says(text, term)]
            if len(left) == len(self.left):
                continue
            left = self._still_asked(left)
            if text.label not in _SHOWN_ANYWAY and len(self.snippets) < MOST:
                # A number is found by any of its ends, which are no words of it.
                new = [term for term in self.left if term not in left]
                parts = (
                    [(text.text, True)] if text.is_phone else excerpt(text.text, self.terms, new)
                )
                self.snippets.append(Snippet(text.label, parts))
            self.left = left
        return self

    def _still_asked(self, left: Sequence[Term]) -> Sequence[Term]:
        """Without what need not be said any more, because the other reading is."""
        for term in self._asked:
            apart = term.wanted_apart
            if term.ways and term not in left:
                left = [one for one in left if one not in apart or one in self._asked]
            elif apart and not any(one in left for one in apart):
                left = [one for one in left if one != term]
        return left


def _wanted(term: Term) -> Sequence[Term]:
    return [one for one in (term, *term.wanted_apart) if one.ways]


def _name(brief: Brief) -> Text:
    return Text("Name", brief.customer.name)


def _says(text: Text, term: Term) -> bool:
    if text.text.isascii() and not text.is_phone:
        lower = text.text.lower()
        if not any(way[-1] in lower for way in term.ways):
            return False  # most texts: they need not be split into words
    return any(term.occurs(run) for run in text.runs)


def excerpt(text: str, terms: Iterable[Term], new: Sequence[Term] = ()) -> list[tuple[str, bool]]:
    """The piece of the text around the first term that it says, of the new ones if it says any."""
    text = _SIGNS.sub(" ", text[: documents.LONGEST]).strip()
    places = list(folding.places(text))
    words = [word for word, _, _ in places]

    def said(terms: Iterable[Term]) -> list[tuple[int, int]]:
        found = (place for term in terms for place in term.found(words))
        pieces = ((places[start][1], places[end - 1][2]) for start, end, _ in found)
        return sorted(pieces, key=lambda piece: (piece[0], -piece[1]))  # the longest comes first

    marked = said(terms)
    at = next((begin for begin, _ in said(new) or marked), 0)
    first, last = _cut(text, at)
    parts = [("…", False)] if first else []
    done = first
    for begin, end in marked:
        if done <= begin < last:
            parts += [(text[done:begin], False), (text[begin : min(end, last)], True)]
            done = min(end, last)  # a word without an end may be longer than what is shown
    parts += [(text[done:last], False)]
    parts += [("…", False)] if last < len(text) else []
    return [part for part in parts if part[0]]


def _cut(text: str, at: int) -> tuple[int, int]:
    """From where to where it is shown: between words, if one ends near."""
    first, last = max(0, at - AROUND), min(len(text), at + 2 * AROUND)
    if first:
        first = text.find(" ", first, at) + 1 or first
    if last < len(text):
        last = max(text.rfind(" ", at + AROUND, last), 0) or last
    return first, last
