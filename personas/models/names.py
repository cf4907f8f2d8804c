"""What a customer is called, read from the attributes in which workspaces keep names."""

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Coalesce, Lower, NullIf

from personas.models import shapes

# Without signs, in lower case: `firstName`, `first_name` and `First Name` are one.
_FULL = ("name", "fullname")
_FIRST = ("firstname", "givenname", "fname")
_LAST = ("lastname", "familyname", "surname", "lname")
LONGEST = 200


def called(attributes: Mapping[str, object]) -> str:
    """The full name, or first and last name together; empty if there is neither."""
    if name := _text(attributes.get("name")):  # nearly always
        return name
    return _called(attributes, _FIRST, _LAST)


def full_names(attributes: Mapping[str, object]) -> set[str]:
    """All that attributes call the customer: `name` may be the first name, beside both others."""
    bare = _bare(attributes)
    both = " ".join(filter(None, (_first_of(bare, _FIRST), _first_of(bare, _LAST))))
    stated = (_text(bare.get(key)) for key in (*_FULL, "displayname"))
    return {called(attributes), both, *stated} - {""}


def sorted_by(attributes: Mapping[str, object]) -> str:
    """The name as lists are sorted by it."""
    return shapes.storable(called(attributes)).casefold()[:LONGEST]


def filled(expression: Any) -> Any:
    """The expression, or NULL where it is empty."""
    return NullIf(expression, Value(""), output_field=CharField())


def shown(prefix: str = "") -> Any:
    """What lists call a customer, as an expression by which they sort; an index has it.

    `prefix`: how the rows name their customer, such as “customer__”. It is never NULL.
    """
    others = ("external_id", "email", "phone", "cio_id")
    return Coalesce(
        filled(F(f"{prefix}sort_name")),
        *(Lower(filled(F(f"{prefix}{name}"))) for name in others),
        Value("customer"),  # as `Customer.__str__` begins
        output_field=CharField(),
    )


def _called(values: Mapping[str, object], first: tuple[str, ...], last: tuple[str, ...]) -> str:
    bare = _bare(values)
    both = (_first_of(bare, first), _first_of(bare, last))
    return _first_of(bare, _FULL) or " ".join(filter(None, both))


def _bare(values: Mapping[str, object]) -> dict[str, object]:
    return {re.sub(r"[\W_]+", "", name.casefold()): value for name, value in values.items()}


def _first_of(bare: Mapping[str, object], keys: tuple[str, ...]) -> str:
    return next(filter(None, (_text(bare.get(key)) for key in keys)), "")


def _text(value: object) -> str:
    """A name as it is written; of an object such as `{"first": …, "last": …}` both together."""
    text = "" if value is None else str(value).strip()
    inner = shapes.fields(text)
    name = _called(inner, (*_FIRST, "first", "given"), (*_LAST, "last", "family")) if inner else ""
    return name or shapes.shown(text, LONGEST)
