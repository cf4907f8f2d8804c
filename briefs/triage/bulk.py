"""Choosing many briefs for one act: which are taken and which are left out, before it is done.

What was chosen is kept with each brief's revision. So what is done later is done to these briefs
only, and only as far as nobody changed them since. The act is in bulk_acting.py, its undo in
bulk_undoing.py.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count

from briefs.models import Brief, BulkAct, BulkPart

PERMISSION = "briefs.work_brief"
MOST = 5_000  # briefs in one act: they are done while a person waits
BATCH = 500  # under locks at a time
MOST_NAMED = 20  # on the page; of the others the number is told

Row = TypeVar("Row")
Status = BulkPart.Status


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """Briefs with which the act, or its undo, did nothing, and why."""

    why: str
    number: int
    briefs: list[Brief]  # the first of them

    @property
    def further(self) -> int:
        return self.number - len(self.briefs)


@transaction.atomic
def choose(
    keys: Sequence[int],
    actor: Any,
    kind: str,
    query: str = "",
    matching: int = 0,
    seen: Mapping[int, int] | None = None,
) -> BulkAct:
    """Keep these briefs for an act of this kind. Nothing is done to them yet.

    matching: how many there were in all, if the keys are the first of them. seen: each brief's
    revision, if it is not the present one that was chosen. Raises PermissionDenied.
    """
    refuse_unable(actor)
    chosen = list(dict.fromkeys(keys))[:MOST]
    left_over = max(len(set(keys)), matching) - len(chosen)
    act = BulkAct.objects.create(
        actor=actor, kind=BulkAct.Kind(kind), query=query, left_over=left_over
    )
    for some in batches(sorted(chosen)):
        found = Brief.objects.filter(pk__in=some).order_by("pk")
        BulkPart.objects.bulk_create(
            BulkPart(
                act=act,
                brief_id=key,
                revision=(seen or {}).get(key, revision),
                status=Status.CLOSED if state == Brief.State.CLOSED else Status.CHOSEN,
            )
            for key, revision, state in found.values_list("pk", "revision", "state")
        )
    act.refresh_from_db()
    return act


def refuse_unable(actor: Any) -> None:
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied(PERMISSION)


def batches(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(keys), BATCH):
        yield keys[start : start + BATCH]


def number(act: BulkAct, status: str) -> int:
    return act.parts.filter(status=status).count()


def is_any_moved(act: BulkAct) -> bool:
    """Whether somebody moved what is due of one of these before: the act is asked why."""
    chosen = Brief.objects.filter(pk__in=act.parts.filter(status=Status.CHOSEN).values("brief"))
    return chosen.filter(due_at__isnull=False, due_moved_at__isnull=False).exists()


def left_alone(act: BulkAct, statuses: Iterable[str]) -> list[LeftAlone]:
    """By reason, the briefs of the act that are in one of these states."""
    counted = act.parts.filter(status__in=list(statuses)).values("status").annotate(n=Count("pk"))
    numbers = {row["status"]: row["n"] for row in counted.order_by()}
    return [
        LeftAlone(str(Status(status).label), numbers[status], _first(act, status))
        for status in statuses
        if status in numbers
    ]


def _first(act: BulkAct, status: str) -> list[Brief]:
    parts = act.parts.filter(status=status).order_by("brief")
    return [part.brief for part in parts.select_related("brief__customer")[:MOST_NAMED]]


def alike(rows: Iterable[Row], of: Callable[[Row], Any]) -> list[list[Row]]:
    """Grouped by this value, so that each brief is updated once, and few statements are needed."""
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        groups[json.dumps(of(row), sort_keys=True)].append(row)
    return list(groups.values())
