"""Puts other rules in place of the present ones: an import, an undo, a restore. Looked at first."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from personas.models import RulesState, RuleVersion
from personas.rules import applying, documents, taking, versions
from personas.rules.differences import ADDED, REMOVED, Difference, differences
from personas.rules.documents import Document
from personas.rules.parts import part as part_of

_PERMISSIONS = {ADDED: "add", REMOVED: "delete"}  # else change


@dataclass(frozen=True, slots=True)
class Preview:
    """What a document would do; nothing of it is kept."""

    head: int  # the version that it was compared with; 0 if there is none
    differences: list[Difference]
    notes: list[str]  # what could not be taken over and is of no harm
    refusal: versions.NotAccepted | None  # what somebody must accept first

    def lacking(self, user: Any) -> list[str]:
        """The kinds of rules that this user may not change in this way."""
        return [
            part_of(key).noun
            for key, act in dict.fromkeys((one.part, one.act) for one in self.differences)
            if not user.has_perm(_permission(key, act))
        ]


def _permission(key: str, act: str) -> str:
    meta = part_of(key).model._meta
    return f"{meta.app_label}.{_PERMISSIONS.get(act, 'change')}_{meta.model_name}"


@transaction.atomic
def preview(document: Document) -> Preview:
    """Apply the document, look at what came of it, and take all of it back. Raises Refused."""
    before = taking.catch_up(RulesState.locked())
    with transaction.atomic(), taking.unsettled():
        notes = applying.apply(document)
        after = documents.take()
        transaction.set_rollback(True)
    found = differences(before.document if before else {}, after)
    refusal = versions.refusal(before, after) if before and found else None
    return Preview(before.number if before else 0, found, notes, refusal)


def put_in_place(
    document: Document,
    by: Any,
    what: str,
    *,
    why: str = "",
    accepted: str = "",
    restores: int | None = None,
) -> RuleVersion | None:
    """Apply the document as one version; None if nothing differs. Raises Refused, NotAccepted."""
    with versions.change(by, what, why=why, accepted=accepted) as made:
        made.restores = restores
        applying.apply(document)
    return made.version


def only(key: str, name: Iterable[str], then: Document, now: Document) -> Document:
    """The present rules with one row as it was then, a persona with its first steps.

    It is put at the place that it had, and replaces what is there now under its name. Raises
    LookupError if there was no such row.
    """
    part, wanted = part_of(key), tuple(name)
    listed = documents.rows(then, key)
    place, row = next(
        ((place, row) for place, row in enumerate(listed) if part.name(row) == wanted), (0, None)
    )
    if row is None:
        raise LookupError(f"there was no {part.noun} “{wanted[-1]}”")
    identity = part.identity(row)
    others = [one for one in documents.rows(now, key) if part.identity(one) != identity]
    others.insert(min(place, len(others)), row)
    composed = {**now, key: others}
    if key == "personas":
        composed["first_steps"] = [
            *(s for s in documents.rows(now, "first_steps") if s.get("persona") != row["name"]),
            *(s for s in documents.rows(then, "first_steps") if s.get("persona") == row["name"]),
        ]
    return composed
