"""Puts versions of the past together from the histories of single rules, once: before the first.

Bulk updates left no history, so these versions may lack something: they are marked.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group

from personas.models import FirstStep, Persona, RuleVersion
from personas.rules import documents
from personas.rules.differences import differences, summary
from personas.rules.documents import FORMAT, FORMAT_KEY, Document
from personas.rules.parts import PARTS, Part, Row

MOST = 300  # versions; older changes are in the first of them
TOGETHER = timedelta(seconds=2)  # entries of one person within this are one save


def rebuild() -> RuleVersion | None:
    """Write the versions of the past; returns the newest, None where no history is kept.

    Needs the lock of the state, and that there is no version yet.
    """
    changes = list(_changes())
    past = _Past()
    document: Document = {}
    version = None
    for place, change in enumerate(changes, start=1):
        past.go_on(change)
        if place <= len(changes) - MOST:
            continue
        before, document = document, past.document()
        if before == document:
            continue
        user = change[0].history_user
        version = RuleVersion.objects.create(
            number=version.number + 1 if version else 1,
            made_at=change[-1].history_date,
            made_by=user,
            made_by_name=user.get_username() if user else "",
            what=summary(differences(before, document)) if before else "The first that is known",
            document=document,
            digest=documents.digest(document),
            is_reconstructed=True,
        )
    return version


def _changes() -> Iterator[list[Any]]:
    """All entries of the histories in their order, those of one save together."""
    entries = [
        entry
        for part in PARTS
        for model in filter(None, (part.model, part.condition))
        for entry in model.history.select_related("history_user")  # type: ignore[attr-defined]  # each has one
    ]
    entries.sort(key=lambda entry: (entry.history_date, entry.history_id))
    group: list[Any] = []
    for entry in entries:
        if group and (
            entry.history_user_id != group[0].history_user_id
            or entry.history_date - group[-1].history_date > TOGETHER
        ):
            yield group
            group = []
        group.append(entry)
    if group:
        yield group


class _Past:
    """The rows as they were at one moment."""

    def __init__(self) -> None:
        self._rows: dict[type, dict[Any, Any]] = defaultdict(dict)
        self._people = get_user_model().objects.in_bulk()
        self._groups = Group.objects.in_bulk()

    def go_on(self, change: list[Any]) -> None:
        for entry in change:
            row = entry.instance
            if entry.history_type == "-":
                self._rows[type(row)].pop(row.pk, None)
            else:
                self._rows[type(row)][row.pk] = row

    def document(self) -> Document:
        personas = self._rows[Persona]
        for persona in personas.values():
            persona.assign_person = self._people.get(persona.assign_person_id)
            persona.assign_group = self._groups.get(persona.assign_group_id)
        for step in self._rows[FirstStep].values():
            if step.persona_id in personas:
                step.persona = personas[step.persona_id]
        return {FORMAT_KEY: FORMAT, **{part.key: self._of_part(part) for part in PARTS}}

    def _of_part(self, part: Part) -> list[Row]:
        rows = [row for row in self._rows[part.model].values() if self._is_there(row)]
        if part.condition:
            by_row = defaultdict(list)
            for _, condition in sorted(self._rows[part.condition].items()):
                by_row[getattr(condition, f"{part.condition_of}_id")].append(condition)
            for row in rows:
                row.condition_list = by_row[row.pk]
        return [part.tell(row) for row in sorted(rows, key=part.order)]

    def _is_there(self, row: Any) -> bool:
        """Whether it counts: a step went with its persona, and a retired persona is kept."""
        if isinstance(row, FirstStep) and row.persona_id:
            persona = self._rows[Persona].get(row.persona_id)
            return persona is not None and persona.retired_at is None
        return getattr(row, "retired_at", None) is None
