"""The conditions of a form that comes back, because somebody else changed the rule meanwhile."""

from collections.abc import Iterator
from typing import Any

from django.http import QueryDict

from personas.models.conditions import Condition, Operator

PREFIX = "conditions"
FIELDS = ("field", "operator", "value")
Row = dict[str, str]


def typed(data: QueryDict) -> list[Row]:
    """The rows of the form that are filled in and not to be deleted."""
    return [row for row in _rows(data) if _is_filled(row) and "DELETE" not in row]


def words(rows: list[Row], model: type[Condition]) -> list[str]:
    """Each condition as lists show it."""
    known = Operator.values
    return [
        model(field=row["field"], value=row["value"], operator=row["operator"]).words
        if row["operator"] in known
        else row["field"]
        for row in rows
    ]


def put_right(data: QueryDict, stored: list[Any]) -> QueryDict:
    """The form's data so that it can be saved: what the form shows is what is then stored.

    A condition that somebody else deleted is a new one. One that somebody else added is shown too.
    """
    rows = _rows(data)
    keys = {str(condition.pk) for condition in stored}
    kept = [row for row in rows if row.get("id") in keys]
    new = [{**row, "id": ""} for row in rows if row.get("id") not in keys and "DELETE" not in row]
    shown = {row["id"] for row in kept}
    added = [
        {"id": str(one.pk), **{name: str(getattr(one, name)) for name in FIELDS}}
        for one in stored
        if str(one.pk) not in shown
    ]
    changed = data.copy()
    for name in [name for name in changed if name.startswith(f"{PREFIX}-")]:
        if name not in (f"{PREFIX}-MIN_NUM_FORMS", f"{PREFIX}-MAX_NUM_FORMS"):
            del changed[name]
    changed[f"{PREFIX}-INITIAL_FORMS"] = str(len(kept) + len(added))
    changed[f"{PREFIX}-TOTAL_FORMS"] = str(len(kept) + len(added) + len(new))
    for number, row in enumerate([*kept, *added, *new]):
        changed.update({f"{PREFIX}-{number}-{name}": value for name, value in row.items()})
    return changed


def _is_filled(row: Row) -> bool:
    """A condition on a segment needs no field."""
    return bool(row["field"].strip() or row["value"].strip())


def _rows(data: QueryDict) -> list[Row]:
    return list(_each(data))


def _each(data: QueryDict) -> Iterator[Row]:
    total = data.get(f"{PREFIX}-TOTAL_FORMS", "")
    for number in range(min(int(total), 1000) if total.isdecimal() else 0):
        start = f"{PREFIX}-{number}-"
        row = {name[len(start) :]: str(data[name]) for name in data if name.startswith(start)}
        yield dict.fromkeys(FIELDS, "") | row
