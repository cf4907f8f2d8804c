"""The lines of the inbox: one brief each, or a fold of many that one message caused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from briefs.desk.returning import list_address
from briefs.desk.rows import Place, Row, row
from briefs.dossier.dossier import Situation, dossiers
from briefs.dossier.loading import for_rows
from briefs.finding import asking, folds
from briefs.finding.folds import Folds
from briefs.finding.known_values import Sums, value_by_cause
from briefs.finding.words.snippets import Snippet
from briefs.models import Brief, Cause
from briefs.models.queryset import BriefQuerySet

MOST_UNFOLDED = 50  # rows; the list of the cause alone shows all


@dataclass(slots=True)
class Fold:
    cause: Cause
    number: int
    value: Sums
    address: str  # of the list with the fold open, or closed if it is open
    list_address: str  # of its briefs alone
    rows: list[Row] = field(default_factory=list)  # while it is open

    @property
    def state(self) -> str:
        return fold_state(self.cause, self.number)

    @property
    def is_unfolded(self) -> bool:
        return bool(self.rows)

    @property
    def further(self) -> int:
        return self.number - len(self.rows)


def fold_state(cause: Cause, number: int) -> str:
    """Another one where its line would say something else, as open pages ask for it."""
    return f"{number}-{cause.assignee_id or 0}-{cause.is_open:d}"


@dataclass(slots=True)
class Line:
    """One of both."""

    row: Row | None = None
    fold: Fold | None = None
    snippets: list[Snippet] = field(default_factory=list)  # where a search found it


def lines_of(
    of_page: Sequence[Brief],
    found: Folds,
    briefs: BriefQuerySet,
    place: Place,
    situation: Situation,
) -> list[Line]:
    """`of_page`: where a fold is one of its briefs. `briefs`: of the whole list."""
    causes = [found.firsts[brief.pk] for brief in of_page if brief.pk in found.firsts]
    shown = _shown(causes, found, briefs, place, situation)
    single = dossiers([brief for brief in of_page if brief.pk not in found.firsts], situation)
    by_key = {one.brief.pk: one for one in single}
    return [
        Line(fold=shown[found.firsts[brief.pk]])
        if brief.pk in found.firsts
        else Line(row(by_key[brief.pk], place, folded=found.numbers.get(brief.cause_id or 0, 0)))
        for brief in of_page
    ]


def on_page(lines: Iterable[Line]) -> int:
    """How many briefs stand behind these lines."""
    return sum(line.fold.number if line.fold else 1 for line in lines)


def _shown(
    causes: Sequence[int], found: Folds, briefs: BriefQuerySet, place: Place, situation: Situation
) -> dict[int, Fold]:
    if not causes:
        return {}
    by_key = Cause.objects.select_related("assignee").in_bulk(causes)
    values = value_by_cause(folds.of_causes(briefs, causes))
    asked = asking.pairs(place.here)
    unfolded = asked.pop(asking.UNFOLDED, "")
    shown = {
        key: Fold(
            cause=cause,
            number=found.numbers[key],
            value=values.get(key, Sums([], 0, 0)),
            address=list_address(
                asking.kept({**asked, asking.UNFOLDED: "" if unfolded == str(key) else str(key)})
            ),
            list_address=list_address(asking.kept({**asked, "cause": str(key), "page": ""})),
        )
        for key, cause in by_key.items()
    }
    opened = next((fold for key, fold in shown.items() if unfolded == str(key)), None)
    if opened:
        own = for_rows(of_open_fold(briefs, opened.cause.pk))
        opened.rows = [row(one, place, is_of_fold=True) for one in dossiers(own, situation)]
    return shown


def of_open_fold(briefs: BriefQuerySet, cause: int) -> BriefQuerySet:
    """Of the list's briefs those that the open fold of this cause shows, in its order."""
    return folds.of_causes(briefs, [cause]).by_urgency()[:MOST_UNFOLDED]
