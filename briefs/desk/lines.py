"""The lines of the inbox: one brief each, or a fold of many that one message caused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from briefs.desk.returning import list_address
from briefs.dossier.dossier import Dossier, Situation, dossiers, listed
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
    dossiers: list[Dossier] = field(default_factory=list)  # while it is open

    @property
    def is_unfolded(self) -> bool:
        return bool(self.dossiers)

    @property
    def further(self) -> int:
        return self.number - len(self.dossiers)


@dataclass(slots=True)
class Line:
    """One of both."""

    dossier: Dossier | None = None
    fold: Fold | None = None
    folded: int = 0  # briefs of the same cause that a fold of the list holds
    snippets: list[Snippet] = field(default_factory=list)  # where a search found it


def lines_of(
    rows: Sequence[Brief], found: Folds, briefs: BriefQuerySet, here: str, situation: Situation
) -> list[Line]:
    """`rows`: of the page, where a fold is one of its briefs. `briefs`: of the whole list."""
    shown = _shown([found.firsts[row.pk] for row in rows if row.pk in found.firsts], found, briefs,
                   here, situation)  # fmt: skip
    single = dossiers([row for row in rows if row.pk not in found.firsts], situation)
    by_key = {one.brief.pk: one for one in single}
    return [
        Line(fold=shown[found.firsts[row.pk]])
        if row.pk in found.firsts
        else Line(by_key[row.pk], folded=found.numbers.get(row.cause_id or 0, 0))
        for row in rows
    ]


def on_page(lines: Iterable[Line]) -> int:
    """How many briefs stand behind these lines."""
    return sum(line.fold.number if line.fold else 1 for line in lines)


def _shown(
    causes: Sequence[int], found: Folds, briefs: BriefQuerySet, here: str, situation: Situation
) -> dict[int, Fold]:
    if not causes:
        return {}
    rows = Cause.objects.select_related("assignee").in_bulk(causes)
    values = value_by_cause(folds.of_causes(briefs, causes))
    asked = asking.pairs(here)
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
        for key, cause in rows.items()
    }
    opened = next((fold for key, fold in shown.items() if unfolded == str(key)), None)
    if opened:
        own = listed(folds.of_causes(briefs, [opened.cause.pk]).by_urgency())
        opened.dossiers = dossiers(own[:MOST_UNFOLDED], situation)
    return shown
