"""Judges open briefs anew, by today's thresholds, values and personas; or says what that would do.

Thresholds never move a brief by themselves: somebody looks at the preview and decides.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from django.db import transaction

from briefs.models import Activity, Brief, Priority, Yardstick
from briefs.models.priority import Judgement, shown
from briefs.pipeline import profiles
from briefs.research import sharing
from personas.models.writing import write

BATCH = 200  # briefs of one transaction: it holds their locks, on SQLite that of the only writer
EXAMPLES = 10


@dataclass(slots=True)
class Report:
    """How many open briefs of each priority there are before and after."""

    before: Counter[int] = field(default_factory=Counter)
    after: Counter[int] = field(default_factory=Counter)
    raised: int = 0
    lowered: int = 0
    examples: list[str] = field(default_factory=list)

    @property
    def changed(self) -> int:
        return self.raised + self.lowered

    def rows(self) -> list[tuple[str, int, int]]:
        """Each priority with its count before and after, the most urgent first."""
        return [(one.label, self.before[one], self.after[one]) for one in reversed(Priority)]

    def add(self, brief: Brief, judgement: Judgement) -> None:
        old, new = Priority(brief.priority), judgement.priority
        self.before[old] += 1
        self.after[new] += 1
        self.raised += new > old
        self.lowered += new < old
        if new != old and len(self.examples) < EXAMPLES:
            self.examples.append(f"brief {brief.pk}: {old.label} → {new.label}")


def preview(*, progress: Callable[[int], None] = lambda done: None) -> Report:
    """What `apply` would do now; nothing is written and nothing is locked."""
    return _each_batch(_look, progress)


def apply(*, progress: Callable[[int], None] = lambda done: None) -> Report:
    """Judge all open briefs anew. It may be stopped at any time, and begun again."""
    return _each_batch(_write, progress)


def _each_batch(
    step: Callable[[list[int], Report], None], progress: Callable[[int], None]
) -> Report:
    report, done, reached = Report(), 0, 0
    while True:
        open_ = Brief.objects.open().filter(pk__gt=reached).order_by("pk")
        keys = list(open_.values_list("pk", flat=True)[:BATCH])
        if not keys:
            return report
        step(keys, report)
        done, reached = done + len(keys), keys[-1]
        progress(done)


def _look(keys: list[int], report: Report) -> None:
    briefs = Brief.objects.open().filter(pk__in=keys).select_related("customer", "persona")
    for brief, judgement in _judged(list(briefs.order_by("pk"))):
        report.add(brief, judgement)


@transaction.atomic
def _write(keys: list[int], report: Report) -> None:
    rows = Brief.objects.open().filter(pk__in=keys).select_related("customer", "persona")
    # In the order of their keys, as everybody locks briefs.
    briefs = list(rows.order_by("pk").select_for_update(of=("self",)))
    told, changed, entries = [], [], []
    for brief, judgement in _judged(briefs):
        report.add(brief, judgement)
        if brief.priority != judgement.priority:
            entries.append(Activity(brief=brief, text=_words(brief, judgement)))
            if judgement.priority > brief.priority:
                changed.append(brief)
        if (brief.priority, shown(brief.priority_reasons)) != (
            judgement.priority,
            judgement.reasons,
        ):
            brief.is_judged(judgement)
            told.append(brief)
    write(Brief, ("priority", "priority_reasons"), told, also="revision = revision + 1")
    Activity.objects.bulk_create(entries)
    sharing.hurry(changed)


def _judged(briefs: list[Brief]) -> Iterator[tuple[Brief, Judgement]]:
    yardstick, worst = Yardstick.load(), profiles.severities(briefs)
    for brief in briefs:
        severity = worst.get(brief.pk)
        if severity is None:  # its signals are gone, and with them how severe they were
            yield brief, Judgement(Priority(brief.priority), shown(brief.priority_reasons))
        else:
            yield brief, yardstick.judge(severity, brief.persona, brief.customer, brief, brief.kind)


def _words(brief: Brief, judgement: Judgement) -> str:
    before = Priority(brief.priority).label
    why = " ".join(reason["words"] for reason in judgement.reasons)
    return f"judged anew by the present thresholds: {judgement.priority.label}, was {before}. {why}"
