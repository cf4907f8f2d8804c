"""Makes the tables say what a document says: for an import, an undo and a restore.

Rows are found by their names, so those that stay keep their keys and histories. To be called within
`versions.change`, which takes all of it back after an error.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Model, ProtectedError

from personas.models import Assigns, FirstStep, Persona
from personas.models.conditions import Condition
from personas.rules import documents
from personas.rules.documents import Document
from personas.rules.parts import PARTS, Part, Row, Unreadable, tell_condition
from personas.rules.parts import part as part_of


class Refused(Exception):
    """A document cannot be applied; `errors` says all of the reasons, each with its place."""

    def __init__(self, errors: Sequence[str]) -> None:
        super().__init__(" ".join(errors))
        self.errors = list(errors)


def apply(document: Document) -> list[str]:
    """Create, update and remove rows until the tables say what the document says.

    A persona that has briefs is retired, and one of that name that was retired is taken back.
    Returns what could not be taken over and is of no harm, in sentences. Raises Refused.
    """
    try:
        documents.checked(document)
    except Unreadable as error:
        raise Refused([str(error)]) from error
    work = _Work(document)
    work.write("attribute_names")
    work.check_fixed()
    work.write("personas")
    # A rule that opens briefs needs a step, so steps come before rules and go after them.
    work.write("first_steps", removes=False)
    work.write("signal_rules")
    if not work.errors:
        work.remove("first_steps")
    for part in PARTS:
        work.write(part.key)
    if work.errors:
        raise Refused(work.errors)
    return work.notes


class _Work:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[str] = []
        self.notes: list[str] = []
        self._unwanted: dict[str, list[Any]] = {}  # rows to be removed, by part
        self._personas: dict[str, Persona | None] = {}  # None: it has mistakes itself

    def check_fixed(self) -> None:
        for flag in ("is_default", "is_unknown"):
            if sum(bool(row.get(flag)) for row in documents.rows(self.document, "personas")) != 1:
                self.errors.append(f"personas: exactly one must have “{flag}: true”.")

    def write(self, key: str, *, removes: bool = True) -> None:
        """Write the rows of a part, once."""
        if key in self._unwanted:
            return
        part, wanted = part_of(key), documents.rows(self.document, key)
        present = _present(part)
        found = [present.pop(part.identity(given), None) for given in wanted]
        for number, given in enumerate(wanted):
            if found[number] is None:
                found[number] = _under_another_name(part, given, present)
        self._unwanted[key] = list(present.values())
        if removes:
            self.remove(key)
        for name, number in Counter(part.name(given) for given in wanted).items():
            if number > 1:
                self.errors.append(f"{key}: “{name[-1]}” is there {number} times.")
        written = [self._row(part, given, row) for given, row in zip(wanted, found, strict=True)]
        if part.is_ordered:
            _put_in_order([row for row in written if row is not None])

    def remove(self, key: str) -> None:
        for row in self._unwanted[key]:
            if getattr(row, "retired_at", None):
                continue
            try:
                row.remove() if isinstance(row, Persona) else row.delete()
            except ProtectedError as error:
                self.errors.append(str(error.args[0]))

    def _row(self, part: Part, given: Row, row: Any) -> Any:
        """The row as the document wants it, saved; None if it has mistakes."""
        if row and part.tell(row) == given and not getattr(row, "retired_at", None):
            # It was checked when it was saved, and a check takes several queries.
            if isinstance(row, Persona):
                self._personas[row.name] = row
            return row
        row, faults = row or part.model(), len(self.errors)
        before = None if row._state.adding else part.own(row)
        if getattr(row, "retired_at", None):
            before, row.retired_at = None, None
        try:
            fields, conditions = part.fields(given), part.conditions(given)
        except Unreadable as error:
            self.errors.append(f"{part.label(given)}: {error}.")
        else:
            for name, value in self._named(part, given, fields).items():
                setattr(row, name, value)
            self._check(row, part.label(given))
            for number, condition in enumerate(conditions, start=1):
                self._check(condition, f"{part.label(given)}, condition {number}")
        is_right = len(self.errors) == faults
        if isinstance(row, Persona):
            self._personas[str(given.get("name"))] = row if is_right else None
        if not is_right:
            return None
        if before is None or before != part.own(row):
            row.save()
        if part.condition:
            _write_conditions(part, row, conditions)
        return row

    def _named(self, part: Part, given: Row, fields: dict[str, Any]) -> dict[str, Any]:
        """The fields with rows in place of their names."""
        if part.key == "first_steps" and fields["persona"]:
            name = fields["persona"]
            if name not in self._personas:
                self.errors.append(f"{part.label(given)}: there is no persona “{name}”.")
            return {**fields, "persona": self._personas.get(name)}
        if part.key != "personas":
            return fields
        person, group = fields["assign_person"], fields["assign_group"]
        fields["assign_person"] = get_user_model().objects.filter(username=person).first()
        fields["assign_group"] = Group.objects.filter(name=group).first()
        lacking = {
            Assigns.PERSON: person and not fields["assign_person"] and f"user “{person}”",
            Assigns.GROUP: group and not fields["assign_group"] and f"group “{group}”",
        }.get(fields["assigns"])
        if lacking:
            fields["assigns"] = Assigns.NOBODY
            self.notes.append(
                f"{part.label(given)}: there is no {lacking} here, so its new briefs go to nobody."
            )
        return fields

    def _check(self, row: Model, place: str) -> None:
        fields = {field.name for field in row._meta.fields}
        others = [field.name for field in row._meta.fields if field.is_relation]
        try:  # what it names was looked for already
            row.full_clean(exclude=others)
        except ValidationError as error:
            for name, messages in error.message_dict.items():
                where = f"{place}, “{name}”" if name in fields else place
                self.errors += [f"{where}: {message}" for message in messages]


def _present(part: Part) -> dict[Any, Any]:
    """The rows of the tables by what identifies them; retired personas as well."""
    rows: Iterable[Any] = part.rows()
    if part.key == "personas":
        retired = Persona.objects.exclude(retired_at=None).order_by("retired_at", "pk")
        rows = [*retired, *rows]  # one that is in use comes before one that was retired
    return {part.identity(part.own(row)): row for row in rows}


def _under_another_name(part: Part, given: Row, present: dict[Any, Any]) -> Any:
    """The row that is as wanted but for its name, taken out of those that are present.

    Of first steps: another one for the same case, whose words are changed.
    """
    case = part.case(part.identity(given))
    for key, row in present.items():
        is_same = part.rest(part.tell(row)) == part.rest(given) or case
        if is_same and part.case(key) == case and not getattr(row, "retired_at", None):
            return present.pop(key)
    return None


def _write_conditions(part: Part, row: Any, wanted: list[Condition]) -> None:
    """Replace the conditions of a saved row, if they are others."""
    row.__dict__.pop("condition_list", None)
    present = row.condition_list
    if [tell_condition(one) for one in present] == [tell_condition(one) for one in wanted]:
        return
    for condition in present:
        condition.delete()
    for condition in wanted:
        setattr(condition, part.condition_of, row)
        condition.save()
    row.__dict__.pop("condition_list", None)


def _put_in_order(rows: list[Any]) -> None:
    """Number the rows of each case anew where they are tried in another order than this one."""
    by_case: dict[Any, list[Any]] = defaultdict(list)
    for row in rows:
        if not getattr(row, "is_fixed", False):
            case = (row.kind, row.persona_id) if isinstance(row, FirstStep) else None
            by_case[case].append(row)
    for listed in by_case.values():
        if listed == sorted(listed, key=lambda row: (row.position, row.pk)):
            continue
        for place, row in enumerate(listed, start=1):
            if row.position != place * 10:
                row.position = place * 10
                row.save(update_fields=["position"])
