"""What is promised of documents, by which people find briefs."""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from typing import Any

from django.db.models import CharField, Exists, Model, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Coalesce, Concat

from briefs.finding.words import documents, matching
from briefs.models import (
    Brief,
    BriefDocument,
    CustomerDocument,
    Research,
    ResearchDocument,
    SearchIndex,
    TextChange,
)
from operations.invariants.promises import Broken, promise, told
from personas.models import Customer

READ_ANEW = 200  # of the newest documents of each kind
Kind = TextChange.Kind
_CURE = "Write all documents anew, while people go on searching: manage.py rebuild_search."
Texts = dict[int, list[documents.Text]]


def _of_briefs(keys: Collection[int]) -> Texts:
    return {one.brief.pk: one.texts for one in documents.of_briefs(keys)}


_ALL: tuple[tuple[str, type[Model], type[Model], str, Callable[[Collection[int]], Texts]], ...] = (
    (Kind.BRIEF, Brief, BriefDocument, "briefs_below", _of_briefs),
    (Kind.CUSTOMER, Customer, CustomerDocument, "customers_below", documents.of_customers),
    (Kind.RESEARCH, Research, ResearchDocument, "research_below", documents.of_answers),
)


@promise("Each brief, customer and answer has a document, and nothing else has one", Brief, _CURE)
def document_is_there(_now: datetime) -> Iterator[Broken]:
    """Or it is marked, or still to come: after an upgrade all are written anew."""
    index = SearchIndex.objects.filter(pk=1).first()
    for kind, rows, written, below, _ in _ALL:
        left = written._default_manager.filter(~_is_there(rows))
        yield from told(kind, _unmarked(left, kind), "it is gone, and its document is left")
        if index and index.rules:
            reached = Q() if index.finished_at else Q(pk__gte=getattr(index, below))
            missing = rows._default_manager.filter(reached, ~_is_there(written))
            yield from told(kind, _unmarked(missing, kind), "it has no document: nobody finds it")


@promise("A document says what its row says", BriefDocument, _CURE)
def document_says_what_its_row_says(_now: datetime) -> Iterator[Broken]:
    """The columns are compared for all briefs, the words for the newest rows of each kind."""
    same = (
        Brief.objects.filter(pk=OuterRef("pk"))
        .annotate(
            its_research=Coalesce("research_id", 0),
            its_case=Concat(Cast("persona_id", CharField()), Value(":"), "kind"),
        )
        .filter(its_research=OuterRef("research"), its_case=OuterRef("persona_kind"))
    )
    others = BriefDocument.objects.filter(_is_there(Brief), ~Exists(same))
    words = "its document names another answer, persona or signal"
    yield from told("brief", _unmarked(others, Kind.BRIEF), words)
    if not SearchIndex.objects.filter(pk=1, rules=documents.rules()).exists():
        return  # they are about to be written by other rules
    if TextChange.objects.filter(kind__in=(Kind.REASON, Kind.OFFER)).exists():
        return  # briefs with a name that changed are not marked yet
    for kind, rows, written, _, texts_of in _ALL:
        present = _unmarked(written._default_manager.filter(_is_there(rows)), kind)
        keys = list(present.order_by("-pk").values_list("pk", flat=True)[:READ_ANEW])
        for key in matching.saying_otherwise(written, texts_of(keys)):
            yield Broken(kind, key, "its document has other words")


def _is_there(model: type[Model]) -> Exists:
    return Exists(model._default_manager.filter(pk=OuterRef("pk")))


def _unmarked(rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
    """Those whose document is not to be written anew."""
    marks = TextChange.objects.filter(kind=kind, key=OuterRef("pk"))
    unmarked = rows.filter(~Exists(marks))
    if kind != Kind.BRIEF:
        return unmarked
    customers = TextChange.objects.filter(kind=Kind.CUSTOMER).values("key")
    return unmarked.filter(~Exists(Brief.objects.filter(pk=OuterRef("pk"), customer__in=customers)))
